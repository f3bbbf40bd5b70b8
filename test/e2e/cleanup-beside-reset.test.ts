/** A cleanup beside a reset of the same stands, by two people: whoever comes too late says so, and nothing stays for good. */
import { expect, test } from 'vitest';
import { scenario, startCluster } from './harness.ts';
import { room } from './people.ts';

const FILES = {
  'lab.yml':
    'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, start: true, baseline_snapshot: true, networks: [{ bridge: hq }] }]\n',
  'users.yml': 'users: [anna@pve]\n',
};
const CLASS = '-c @lab.yml -u @users.yml';
const CLEANUP = 'cleanup --lab net';
const ROLLBACK = 'POST /nodes/pve1/qemu/10000/snapshot/baseline/rollback';

test('a rollback that a cleanup overtakes', async () => {
  let isBeside = false;
  let beside: ReturnType<typeof run> | undefined;
  const cluster = await startCluster({
    scenario: scenario({ version: '8.4' }),
    // That write waits until the other command has ended.
    onMutation: async ({ phase, method, path }) => {
      if (!isBeside || phase !== 'before' || `${method} ${path}` !== ROLLBACK) return;
      isBeside = false;
      beside = run(cluster, CLEANUP);
      await beside;
    },
  });
  const { run } = room(FILES);
  const before = cluster.snapshot();
  await run(cluster, `deploy ${CLASS} --node pve1 --strategy specific`);
  // Its code is loaded before: while it is, time goes on, and the request that waits would be given up.
  await run(cluster, `${CLEANUP} --dry-run`);
  isBeside = true;
  const ends = [await run(cluster, 'reset --lab net'), await beside];
  expect(ends.map((end) => end?.code)).toEqual([5, 0]);
  expect(ends[0]?.stdout).toContain('VM 10000 on pve1 was removed meanwhile  [VM_MISSING]');
  // No rest that only root could remove, and nothing else of the stand.
  const { guests, volumes, pools, users, acl } = cluster.snapshot();
  expect({ guests: guests.length, volumes, pools, users, acl }).toEqual({
    guests: before.guests.length,
    volumes: before.volumes,
    pools: before.pools,
    users: before.users,
    acl: before.acl,
  });
});
