import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Step } from '../../../src/lib/plan/document/step.ts';
import { effectOf, hasRole, limitsOf, nodeOfStep } from '../../../src/lib/plan/document/step-traits.ts';

const schema = JSON.parse(readFileSync('schemas/plan.schema.json', 'utf8')) as unknown;

/** Every kind that the published schema of a plan names. */
function kindsIn(value: unknown): Step['kind'][] {
  return [...new Set(JSON.stringify(value).match(/(?<="const":")[a-z]+(\.[a-z]+)+(?=")/g) ?? [])]
    .map((text) => text as Step['kind'])
    .sort();
}

const KINDS = kindsIn(schema);

test('the schema of plans names kinds, and each has traits', () => {
  expect(KINDS.length).toBeGreaterThan(20);
  for (const kind of KINDS) expect(() => effectOf({ kind })).not.toThrow();
});

test('what is removed is what is called a deletion: --max-changes counts it', () => {
  expect(KINDS.filter((kind) => effectOf({ kind }) === 'removes')).toEqual(
    KINDS.filter((kind) => kind.endsWith('.delete')),
  );
});

test.each([
  ['reserves', ['bridge.create', 'bridge.update', 'pool.create', 'pool.update']],
  ['gives-up', ['pool.delete', 'pool.leave', 'pool.release', 'user.delete']],
  ['sets-password', ['user.create', 'user.password', 'user.recreate']],
  ['edits', ['bridge.update', 'network.reload', 'user.password', 'vm.configure']],
  [
    'makes-replica',
    ['template.clone', 'template.configure', 'template.convert', 'template.join', 'template.migrate'],
  ],
] as const)('%s', (role, kinds) => {
  expect(KINDS.filter((kind) => hasRole({ kind }, role))).toEqual(kinds);
});

test('a copy of a template is about the node that it is made for, and takes room on the one it is made on', () => {
  const step = {
    id: 'template.migrate:100/pve2',
    kind: 'template.migrate',
    node: 'pve1',
    home: 'pve2',
    vmid: 900,
    description: '',
    locks: ['pve2:local', 'pve2:local'],
    reason: '',
    dependsOn: [],
    after: [],
  } satisfies Step;
  expect(nodeOfStep(step)).toBe('pve2');
  expect(limitsOf(step)).toEqual(['task:pve1', 'copy:pve1', 'copy:pve2', 'storage:pve2:local']);
});
