/** Copies of a template, killed or left without an answer at every write: run again, one good copy per node is there. */
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { comparable } from './cluster-view.ts';
import { runCli, scenario, startCluster, workFolder, writeFiles } from './harness.ts';
import { forEach, runAndKill } from './killing.ts';

const WORLD = {
  scenario: scenario({
    nodes: ['pve1', 'pve2', 'pve3'].map((name) => ({ name })),
    storages: [
      { id: 'zfs', type: 'zfspool' as const, content: ['images'] },
      { id: 'local', type: 'dir' as const, content: ['iso'] },
    ],
    templates: [
      {
        vmid: 101,
        name: 'debian',
        node: 'pve1',
        storage: 'zfs',
        disks_gib: [1],
        cloud_init: 'zfs',
        iso: 'local:iso/tools.iso',
        config: { onboot: '1', protection: '1' },
      },
    ],
    guests: [],
    latency: {
      full_clone_s_per_gib: 1,
      migrate_s: 1,
      migrate_s_per_gib: 0.5,
      template_s: 0.5,
      request_ms: 5,
    },
  }),
};

function command(): string[] {
  const folder = workFolder();
  writeFiles(folder, {
    'lab.yml': 'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [] }]\n',
  });
  return ['templates', 'replicate', '-c', join(folder, 'lab.yml')];
}

let expected: unknown;
let writesNeeded = 0;

beforeAll(async () => {
  const simulator = await startCluster({
    ...WORLD,
    onMutation: ({ n }) => {
      writesNeeded = n;
    },
  });
  const run = await runCli(command(), simulator);
  expect([run.code, run.stderr]).toEqual([0, expect.any(String)]);
  const state = simulator.snapshot();
  expect(
    state.guests.map(({ vmid, node, config }) => [vmid, node, config['template'], config['ide3']]),
  ).toEqual([
    [101, 'pve1', '1', 'local:iso/tools.iso,media=cdrom'],
    [99999, 'pve2', '1', 'none,media=cdrom'],
    [99998, 'pve3', '1', 'none,media=cdrom'],
  ]);
  expect(state.guests.slice(1).map(({ config }) => [config['onboot'], config['protection']])).toEqual([
    ['0', '0'],
    ['0', '0'],
  ]);
  expected = comparable(state);
});

test('SIGKILL at every write, then the same command again', async () => {
  expect(writesNeeded).toBeGreaterThanOrEqual(12);
  await forEach(writesNeeded, async (n) => {
    const args = command();
    const { simulator, killed } = await runAndKill(n, args, WORLD);
    expect([n, killed]).toEqual([n, true]);
    const again = await runCli(args, simulator);
    expect([n, again.code, again.code === 0 ? '' : again.stdout + again.stderr]).toEqual([n, 0, '']);
    expect({ n, state: comparable(simulator.snapshot()) }).toEqual({ n, state: expected });
  });
});

test('every write without an answer, in one run', async () => {
  await forEach(writesNeeded, async (n) => {
    const simulator = await startCluster(WORLD);
    simulator.addFault({ match: { method: 'WRITE', path: /./ }, nth: n, action: 'drop-after' });
    const run = await runCli(command(), simulator);
    expect([n, run.code, run.code === 0 ? '' : run.stdout + run.stderr]).toEqual([n, 0, '']);
    expect({ n, state: comparable(simulator.snapshot()) }).toEqual({ n, state: expected });
  });
});

test('a deploy, killed at every write of its replica', async () => {
  const lab =
    'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [] }]\nplacement: { nodes: [pve2] }\n';
  const newDeploy = (): string[] => {
    const folder = workFolder();
    writeFiles(folder, { 'lab.yml': lab, 'users.yml': 'users: [anna@pve]\n' });
    const [file, users, credentials] = ['lab.yml', 'users.yml', 'c.csv'].map((name) => join(folder, name));
    return ['deploy', '-c', file!, '-u', users!, '--credentials', credentials!];
  };
  const whole = await startCluster(WORLD);
  expect((await runCli(newDeploy(), whole)).code).toBe(0);
  const made = comparable(whole.snapshot());
  // Copy, configuration, move and conversion, and the clone of it.
  const only = /\/qemu\/(101\/clone|99999\/)/;
  await forEach(5, async (n) => {
    const args = newDeploy();
    const { simulator, killed } = await runAndKill(n, args, { ...WORLD, only });
    expect([n, killed]).toEqual([n, true]);
    const again = await runCli(args, simulator);
    expect([n, again.code, again.code === 0 ? '' : again.stdout + again.stderr]).toEqual([n, 0, '']);
    expect({ n, state: comparable(simulator.snapshot()) }).toEqual({ n, state: made });
  });
});
