/** What root is told to type about a guest is of the guest's kind, wherever it is told. */
import { expect, test } from 'vitest';
import { holdHint } from '../../../src/lib/plan/cluster/locks.ts';
import { templateWayOut } from '../../../src/lib/plan/stands/made-template.ts';
import { unsealedRefusal } from '../../../src/lib/plan/stands/state-refusals.ts';
import type { Problem } from '../../../src/lib/plan/views/status-types.ts';
import type { GuestAt } from '../../../src/lib/pve-values/guest-kinds.ts';
import { problemTexts } from '../../../src/lib/render/status-problems.ts';

const told =
  (kind: Problem['kind'], detail?: string) =>
  (at: GuestAt): string =>
    problemTexts([{ kind, ...at, ...(detail === undefined ? {} : { detail }) }])
      .flatMap(({ hints }) => hints)
      .join('\n');

test.each<[string, (at: GuestAt) => string, string]>([
  ['a stale lock', (at) => holdHint(at, { kind: 'stale', lock: 'backup' }), 'unlock 10000'],
  ['the rest of a removal', (at) => holdHint(at, { kind: 'removed' }), 'destroy 10000 --purge'],
  [
    'a machine made a template',
    (at) => templateWayOut({ vm: at, user: 'anna@pve' }),
    'destroy 10000 --purge',
  ],
  ['no template again', (at) => templateWayOut({ vm: at, user: 'anna@pve' }), 'set 10000 --template 0'],
  ['a lost seal', (at) => unsealedRefusal(at).hint ?? '', 'destroy 10000 --purge'],
  ['status: half removed', told('machine-half-removed'), 'unlock 10000'],
  ['status: a template', told('machine-is-template'), 'set 10000 --template 0'],
  ['status: a lost seal', told('machine-unsealed'), 'destroy 10000 --purge'],
  ['status: a lock', told('lock-without-task', 'backup'), 'unlock 10000'],
  ['status: torn', told('stand-torn', 'pve2'), 'migrate 10000 pve2 --online'],
])('%s', (_, hint, command) => {
  const at = { node: 'pve1', vmid: 10000 };
  expect(hint(at)).toContain(`qm ${command}`);
  expect(hint({ ...at, type: 'lxc' })).toBe(hint(at).replaceAll(/\bqm /g, 'pct '));
});
