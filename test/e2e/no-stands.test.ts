/** Students who are asked for and have no stand: named, and nothing is said of what they do not have. */
import { expect, test } from 'vitest';
import { startCluster, writes } from './harness.ts';
import { room } from './people.ts';

const FILES = {
  'lab.yml':
    'name: exam\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: vmbr0 }] }]\n',
  'users.yml': 'users: [anna@pve, boris@pve]\n',
};

test.each([
  'power start',
  'power stop',
  'snapshot create ours',
  'snapshot delete ours',
  'access freeze',
  'access thaw',
  'reset',
  'reset --reclone',
  'extend --until 2027-02-01',
])('%s', async (command) => {
  const cluster = await startCluster();
  const { run } = room(FILES);
  const { code, stdout } = await run(cluster, `${command} -c @lab.yml -u @users.yml`);
  expect([code, stdout]).toEqual([0, expect.stringContaining('anna@pve: no stand of lab exam')]);
  expect(stdout).not.toMatch(/frozen|0 stands/);
  expect(writes(cluster)).toEqual([]);
});
