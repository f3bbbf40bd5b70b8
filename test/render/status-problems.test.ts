/** What is wrong, in words: what is the same of many machines is one line. */
import { expect, test } from 'vitest';
import type {
  MachineStatus,
  Problem,
  StandStatus,
  StatusReport,
} from '../../src/lib/plan/views/status-types.ts';
import { problemTexts } from '../../src/lib/render/status-problems.ts';
import { renderStatus } from '../../src/lib/render/status-text.ts';

const failed = (vmid: number, detail: string, node = 'pve1'): Problem => ({
  ...{ kind: 'task-failed', user: `s${vmid}@pve`, lab: 'net', machine: 'pc', vmid, node, detail },
});

test('of a machine that an administrator took out, and of one in doubt, the way out is a whole command', () => {
  const at = { user: 'anna@pve', lab: 'net', machine: 'pc', vmid: 10000, node: 'pve1' };
  const problems: Problem[] = [
    { kind: 'machine-left-pool', ...at },
    { kind: 'machine-in-doubt', ...at, machine: undefined } as never,
  ];
  const hints = (files?: Parameters<typeof problemTexts>[1]) =>
    problemTexts(problems, files).flatMap((text) => text.hints);
  const out = 'put VM 10000 back into the pool of anna@pve, or remove it, or leave it and make another: ';
  const files = 'run deploy again with the files of lab net and --only anna@pve';
  expect(hints()).toEqual([
    `${out}${files} --replace pc`,
    `take it out of the pool, or take it over: ${files} --adopt`,
  ]);
  const command = 'deploy-stand deploy -c l.yml -u u.yml --only anna@pve';
  expect(hints({ lab: 'l.yml', users: ['u.yml'] })).toEqual([
    `${out}\`${command} --replace pc\``,
    `take it out of the pool, or take it over: \`${command} --adopt\``,
  ]);
});

test('failures of one kind on one node are folded, also where PVE names the VM in them; others stay as they are', () => {
  const locked = (vmid: number, node?: string) =>
    failed(vmid, `qmrollback: can't lock file '/var/lock/qemu-server/lock-${vmid}.conf' - got timeout`, node);
  const [text] = problemTexts([
    ...[10000, 10001, 10002, 10010].map((vmid) => locked(vmid)),
    locked(10020, 'pve2'),
    failed(10003, 'qmstart: no space left'),
  ]);
  expect(text?.of).toEqual([
    "VM 10000-10002,10010 on pve1: qmrollback: can't lock file '/var/lock/qemu-server/lock-VMID.conf' - got timeout",
    "s10020@pve, lab net: pc (10020 on pve2): qmrollback: can't lock file '/var/lock/qemu-server/lock-10020.conf' - got timeout",
    's10003@pve, lab net: pc (10003 on pve1): qmstart: no space left',
  ]);
});

test('the way out of an end is extend, for each lab; amid a sentence a command is marked as one', () => {
  const of = (kind: Problem['kind'], user: string, lab: string): Problem => ({
    ...{ kind, user: `${user}@pve`, lab, machine: 'pc', vmid: 10000, node: 'pve1' },
  });
  const soon = [of('expires-soon', 'anna', 'net'), of('expires-soon', 'boris', 'net')];
  const texts = problemTexts(
    [of('machine-left-pool', 'anna', 'net'), of('expired', 'anna', 'dmz'), ...soon],
    { lab: 'lab.yml', users: ['users.yml'] },
  );
  expect(texts.map(({ hints }) => hints)).toEqual([
    [
      'put VM 10000 back into the pool of anna@pve, or remove it, or leave it and make another: `deploy-stand deploy -c lab.yml -u users.yml --only anna@pve --replace pc`',
    ],
    ['deploy-stand cleanup --expired', 'deploy-stand extend --lab dmz --user anna@pve --by 7d'],
    ['deploy-stand extend --lab net --user anna@pve --user boris@pve --by 7d'],
  ]);
});

test('a machine that was moved, and one that was made a template: the very commands', () => {
  const at = { user: 'anna@pve', lab: 'net', machine: 'pc', vmid: 10000, node: 'pve2' };
  const texts = problemTexts(
    [
      { kind: 'stand-torn', ...at, detail: 'pve1' },
      { kind: 'stand-torn', ...at, vmid: 10001, detail: 'pve1' },
      { kind: 'machine-is-template', ...at },
    ],
    { lab: 'lab.yml', users: ['users.yml'] },
  );
  expect(texts.map(({ of, hints }) => [...of.slice(0, 1), ...hints])).toEqual([
    [
      'anna@pve, lab net: pc (10000 on pve2)',
      'on pve2: `qm set 10000 --template 0`',
      expect.stringContaining('`deploy-stand reset --reclone -c lab.yml --user anna@pve --machine pc`'),
    ],
    [
      'anna@pve, lab net: pc (10000 on pve2), its networks are on pve1',
      expect.stringContaining('`deploy-stand balance`'),
      'on pve2: `qm migrate 10000 pve1 --online; qm migrate 10001 pve1 --online`',
    ],
  ]);
});

test('a narrow terminal breaks nobody’s name in two: what the other table tells is left out', () => {
  const machines = [10000, 10001].map((vmid): MachineStatus => ({
    ...{ vmid, machine: 'srv', state: 'running', verdict: 'ours', node: 'pve2', lock: null },
    ...{ uptime: 120, cpu: 0.1, cpus: 1, memory: 1, memoryTotal: 2 },
  }));
  const stand: StandStatus = {
    ...{ user: 'boris@pve', lab: 'net', pool: 'boris', nodes: ['pve2'], machines, running: 2, problems: 0 },
    ...{ uptime: 120, cpu: 0.1, memory: 0.5, expires: '2027-02-01', access: 'open', frozen: null, since: '' },
  };
  const report: StatusReport = {
    ...{ now: '2026-06-01T00:00:00Z', problems: [], nodes: [], without: [], notes: [] },
    labs: [{ lab: 'net', stands: [stand] }],
  };
  const lines = renderStatus(report, { width: 60, color: false, wide: true }).split('\n');
  expect(lines.filter((line) => line.startsWith('boris@pve '))).toHaveLength(1);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(60);
});
