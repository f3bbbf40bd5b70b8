/** Placing by load, a class that does not fit, and a node that goes away, through the command line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadScenario } from '../../src/lib/simulator/scenario.ts';
import { comparable } from './cluster-view.ts';
import { runCli, scenario, startCluster, workFolder, writeFiles, writes, type Cluster } from './harness.ts';

const UNEQUAL = 'examples/clusters/unequal.yml';

/** One machine of so many GiB. */
const labOf = (gib: number): string => `name: net
machines:
  - { device_type: linux, name: pc, template_vmid: 101, memory: ${gib * 1024}, networks: [{ bridge: lan }] }
`;

const SMALL = `name: small
machines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: lan }] }]
`;

function unequal(): Promise<Cluster> {
  return startCluster({ scenario: loadScenario(readFileSync(UNEQUAL, 'utf8'), UNEQUAL) });
}

function classOf(count: number, lab: string): string[] {
  const folder = workFolder();
  const users = Array.from({ length: count }, (_, i) => `  - student${i + 1}@pve\n`).join('');
  writeFiles(folder, { 'lab.yml': lab, 'users.yml': `users:\n${users}` });
  const file = (name: string) => join(folder, name);
  return ['deploy', '-c', file('lab.yml'), '-u', file('users.yml'), '--credentials', file('c.csv')];
}

interface Result {
  readonly plan: { readonly stands: readonly { user: string; node?: string; placement?: string }[] };
  readonly summary: {
    readonly stands: readonly {
      user: string;
      node: string | null;
      status: string;
      notes: readonly string[];
      error?: { code: string; message: string };
    }[];
  };
}

const json = (text: string) => JSON.parse(text) as Result;

/** Machines called `pc` per node. */
function vmsPerNode(simulator: Cluster): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { node, config } of simulator.snapshot().guests) {
    if (config['name'] === 'pc') counts[node] = (counts[node] ?? 0) + 1;
  }
  return counts;
}

describe('a cluster of unequal nodes', () => {
  test('smart puts stands where there is most room, tells why, and leaves them there', async () => {
    const simulator = await unequal();
    const args = [...classOf(10, labOf(6)), '--strategy', 'smart', '--output', 'json'];
    const run = await runCli(args, simulator);
    expect([run.code, run.stderr]).toEqual([0, expect.any(String)]);
    expect(vmsPerNode(simulator)).toEqual({ pve1: 8, pve2: 1, pve3: 1 });
    const stands = json(run.stdout).plan.stands;
    expect(new Set(stands.map(({ node, placement }) => `${node}: ${placement}`))).toEqual(
      new Set([
        'pve1: 39 % memory after, was 2 %',
        'pve2: 34 % memory after, was 25 %',
        'pve3: 25 % memory after, was 6 %',
      ]),
    );
    const rrd = simulator.requests.filter(({ rawPath }) => rawPath.includes('/rrddata'));
    expect(new Set(rrd.map(({ rawPath }) => /nodes\/([^/]+)/.exec(rawPath)?.[1])).size).toBe(4);
    const since = simulator.requests.length;
    expect((await runCli(args, simulator)).code).toBe(0);
    expect(writes(simulator, since)).toEqual([]);
  });

  test('a class that does not fit is refused with numbers; --fit leaves out exactly those', async () => {
    const simulator = await unequal();
    const args = classOf(10, labOf(26));
    const before = comparable(simulator.snapshot());
    const refused = await runCli(args, simulator);
    expect(refused.code).toBe(3);
    const text = refused.stderr.replaceAll(/\s+/g, ' ');
    expect(text).toContain(
      'fits 8 of 10 stands: memory on pve1–pve4 is full; student9@pve, student10@pve would not fit',
    );
    expect(text).toContain(
      'memory on pve2: 57.6 of 64.0 GiB are for guests, 16.0 taken before, 26.0 by what fits; the next needs 26.0',
    );
    expect(text).toContain('--fit deploys what fits');
    expect(comparable(simulator.snapshot())).toEqual(before);
    expect(writes(simulator)).toEqual([]);

    const dry = await runCli([...args, '--fit', '--dry-run', '--output', 'json'], simulator);
    expect(dry.code).toBe(0);
    const env = { DEPLOY_STAND_FIT: '1' };
    const run = await runCli([...args, '--output', 'json'], simulator, { env });
    expect(run.code).toBe(5);
    expect(run.stderr).toContain('fits 8 of 10 stands');
    const out = json(run.stdout).summary.stands.filter(({ status }) => status !== 'complete');
    expect(out.map(({ user, status, error }) => [user, status, error?.message])).toEqual([
      ['student9@pve', 'refused', 'no room for the stand of student9@pve: memory on pve1–pve4 is full'],
      ['student10@pve', 'refused', 'no room for the stand of student10@pve: memory on pve1–pve4 is full'],
    ]);
    expect(vmsPerNode(simulator)).toEqual({ pve1: 4, pve2: 1, pve3: 1, pve4: 2 });
    const again = await runCli([...args, '--output', 'json'], simulator, { env });
    expect(again.code).toBe(5);
  });

  test('a range smaller than the class: refused for all of it, and of use for a part of it', async () => {
    const simulator = await unequal();
    const args = classOf(3, `${SMALL}vmid_range: 20000-20001\n`);
    expect((await runCli(args, simulator)).code).toBe(2);
    const run = await runCli([...args, '--fit', '--output', 'json'], simulator);
    expect([run.code, json(run.stdout).summary.stands.map(({ status }) => status)]).toEqual([
      5,
      ['complete', 'complete', 'refused'],
    ]);
    expect(run.stderr.replaceAll(/\s+/g, ' ')).toContain('fits 2 of 3 stands: VMIDs 20000–20001 are used up');
    expect((await runCli([...args, '--only', 'student1'], simulator)).code).toBe(0);
    const cleanup = ['cleanup', ...args.slice(1, 5)];
    expect((await runCli(cleanup, simulator)).code).toBe(0);
    expect(vmsPerNode(simulator)).toEqual({});
  });

  test('groups and pins are kept, and a pin to a node that is not there is refused', async () => {
    const simulator = await unequal();
    const placement = `placement:
  strategy: smart
  together: [[student1@pve, student2@pve, student3@pve]]
  spread: [[student4@pve, student5@pve, student6@pve, student7@pve]]
  pin: { student8@pve: pve4 }
`;
    const run = await runCli([...classOf(8, SMALL + placement), '--output', 'json', '--dry-run'], simulator);
    const nodes = new Map(json(run.stdout).plan.stands.map(({ user, node }) => [user, node]));
    const of = (...numbers: number[]) => numbers.map((number) => nodes.get(`student${number}@pve`));
    expect(new Set(of(1, 2, 3)).size).toBe(1);
    expect(of(4, 5, 6, 7).sort()).toEqual(['pve1', 'pve2', 'pve3', 'pve4']);
    expect(of(8)).toEqual(['pve4']);
    const wrong = await runCli(classOf(8, SMALL + placement.replace('pve4', 'pve44')), simulator);
    expect([wrong.code, wrong.stderr]).toEqual([3, expect.stringContaining('the cluster has no node pve44')]);
  });
});

describe('a node that goes offline between plan and apply', () => {
  const vmsOf = (simulator: Cluster) =>
    simulator
      .snapshot()
      .guests.filter(({ config }) => config['name'] === 'pc')
      .map(({ vmid, node }) => `${vmid} ${node}`);

  test('its stands fail, the others complete; run again, those with nothing there are made elsewhere', async () => {
    const simulator = await startCluster({
      // After the planning lock and the first claims: everything is planned, no VM is made.
      onMutation: ({ n }) => {
        if (n === 5) simulator.addFault({ action: 'node-offline', node: 'pve3' });
      },
    });
    const args = [...classOf(9, SMALL), '--output', 'json'];
    const first = await runCli(args, simulator);
    expect(first.code).toBe(5);
    const firstStands = json(first.stdout).summary.stands;
    expect(firstStands.map(({ status }) => status)).toEqual(
      [1, 2, 3].flatMap(() => ['complete', 'complete', 'incomplete']),
    );
    expect(firstStands[2]?.error?.message).toContain('pve3');
    expect(vmsOf(simulator).filter((text) => text.endsWith('pve3'))).toEqual([]);

    const second = await runCli(args, simulator);
    expect([second.code, json(second.stdout).summary.stands.map(({ status }) => status)]).toEqual([
      0,
      [1, 2, 3].flatMap(() => ['unchanged', 'unchanged', 'complete']),
    ]);
    const [, , moved] = json(second.stdout).summary.stands;
    expect([moved?.node, moved?.notes]).toEqual([
      'pve1',
      [
        'was to go to pve3 and has nothing there: made on pve1 instead (node pve3 is offline); bridges that pve3 may have of it go with `bridges prune` when the node is back',
      ],
    ]);
    expect(vmsOf(simulator)).toHaveLength(9);
  });

  test('a stand with a VM there is not made a second time', async () => {
    const simulator = await startCluster();
    const args = [...classOf(3, SMALL), '--output', 'json'];
    expect((await runCli(args, simulator)).code).toBe(0);
    const before = vmsOf(simulator);
    simulator.addFault({ action: 'node-offline', node: 'pve2' });
    const run = await runCli(args, simulator);
    expect(run.code).toBe(5);
    const errors = json(run.stdout).summary.stands.flatMap(({ user, error }) =>
      error ? [[user, error.message]] : [],
    );
    expect(errors).toEqual([
      ['student2@pve', 'VM 10001 of this stand is on pve2, which is offline; no second copy is made'],
    ]);
    expect(vmsOf(simulator)).toEqual(before);
  });
});

test('a stand that is planned again and finds no number any more: partly done, with the reason', async () => {
  const simulator = await startCluster({ scenario: scenario({ version: '7.4' }) });
  // Its clone finds the number taken, at once and, behind the other stand's clone, once more.
  for (const nth of [1, 3]) {
    simulator.addFault({
      match: { method: 'POST', path: '/nodes/pve1/qemu/101/clone' },
      nth,
      action: 'fail',
      status: 500,
      text: 'unable to create VM 10000: config file already exists',
    });
  }
  const range = 'vmid_range: { first: 10000, last: 10001 }\n';
  const run = await runCli([...classOf(2, SMALL + range), '--output', 'json'], simulator);
  expect([run.code, run.stderr]).toEqual([5, expect.any(String)]);
  const stands = json(run.stdout).summary.stands;
  expect(stands.map(({ user, status, error }) => [user, status, error?.code])).toEqual([
    ['student1@pve', 'refused', 'NO_CAPACITY'],
    ['student2@pve', 'complete', undefined],
  ]);
  expect(stands[0]?.error?.message).toContain('VMIDs 10000–10001 are used up');
});
