/** A deploy killed, or left without an answer, at every single write ends like an undisturbed one when run again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { comparable } from './cluster-view.ts';
import { canLogin, runCli, startCluster, workFolder, writeFiles, type Cluster } from './harness.ts';
import { forEach, runAndKill } from './killing.ts';

const FILES = {
  'lab.yml': `name: net
machines:
  - device_type: ecorouter
    name: eco
    template_vmid: 100
    networks: [{ bridge: vmbr0 }, { bridge: lan }]
  - device_type: linux
    name: host
    template_vmid: 101
    start: true
    networks: [{ bridge: lan }, { bridge: "**vmbr500**" }]
`,
  'users.yml': 'users: [anna@pve, boris@pve]\n',
};

function newClass(): { args: string[]; credentials: string } {
  const folder = workFolder();
  writeFiles(folder, FILES);
  const credentials = join(folder, 'c.csv');
  return {
    credentials,
    args: [
      'deploy',
      '-c',
      join(folder, 'lab.yml'),
      '-u',
      join(folder, 'users.yml'),
      '--credentials',
      credentials,
    ],
  };
}

let expected: unknown;
let writesNeeded = 0;

async function undisturbed(): Promise<void> {
  const { args } = newClass();
  const simulator = await startCluster({
    onMutation: ({ n }) => {
      writesNeeded = n;
    },
  });
  const run = await runCli(args, simulator);
  expect([run.code, run.stderr]).toEqual([0, expect.any(String)]);
  expected = comparable(simulator.snapshot());
}

async function expectLogins(simulator: Cluster, credentials: string): Promise<void> {
  const rows = readFileSync(credentials, 'utf8').trim().split('\n').slice(1);
  expect(rows).toHaveLength(2);
  for (const row of rows) {
    const [username = '', password = '', state] = row.split(',');
    expect(state).toBe('set');
    expect(await canLogin(simulator, username, password)).toBe(true);
  }
}

beforeAll(undisturbed);

describe('at every single write', () => {
  test('SIGKILL, then the same command again', async () => {
    expect(writesNeeded).toBeGreaterThan(20);
    await forEach(writesNeeded, async (n) => {
      const { args, credentials } = newClass();
      const { simulator, killed } = await runAndKill(n, args);
      expect([n, killed]).toEqual([n, true]);
      const again = await runCli(args, simulator);
      expect([n, again.code, again.code === 0 ? '' : again.stdout + again.stderr]).toEqual([n, 0, '']);
      expect({ n, state: comparable(simulator.snapshot()) }).toEqual({ n, state: expected });
      await expectLogins(simulator, credentials);
    });
  });

  test('the answer lost after processing, in one run', async () => {
    await forEach(writesNeeded, async (n) => {
      const { args, credentials } = newClass();
      const simulator = await startCluster();
      simulator.addFault({ match: { method: 'WRITE', path: /./ }, nth: n, action: 'drop-after' });
      const run = await runCli(args, simulator);
      expect([n, run.code, run.code === 0 ? '' : run.stdout + run.stderr]).toEqual([n, 0, '']);
      expect({ n, state: comparable(simulator.snapshot()) }).toEqual({ n, state: expected });
      await expectLogins(simulator, credentials);
    });
  });

  test('the request lost before processing, in one run', async () => {
    await forEach(writesNeeded, async (n) => {
      const { args } = newClass();
      const simulator = await startCluster();
      simulator.addFault({ match: { method: 'WRITE', path: /./ }, nth: n, action: 'drop-before' });
      const run = await runCli(args, simulator);
      expect([n, run.code, run.code === 0 ? '' : run.stdout + run.stderr]).toEqual([n, 0, '']);
      expect({ n, state: comparable(simulator.snapshot()) }).toEqual({ n, state: expected });
    });
  });
});
