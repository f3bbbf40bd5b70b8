/** `cleanup --orphans` beside a run that has taken a user away for a moment: what that run holds is no orphan. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, startCluster, workFolder, writeFiles, type RunOutcome } from './harness.ts';

test('users passwd --recreate: the other run sees a pool without its user, and leaves it to this one', async () => {
  const orphans = ['cleanup', '--orphans', '--min-age', '0'];
  let other: Promise<RunOutcome> | undefined;
  const cluster = await startCluster({
    onAnswer: ({ method, target }) => {
      if (method === 'DELETE' && target.includes('/access/users/anna')) other = runCli(orphans, cluster);
    },
  });
  const folder = workFolder();
  writeFiles(folder, { 'users.yml': 'users: [anna@pve]\n' });
  const files = ['-u', join(folder, 'users.yml'), '--credentials', join(folder, 'c.csv')];
  expect((await runCli(['users', 'sync', ...files], cluster)).code).toBe(0);
  // Its modules are loaded by now: the cluster's time does not wait for that.
  expect((await runCli(orphans, cluster)).code).toBe(0);
  const { acl, pools } = cluster.snapshot();
  expect(acl.map(({ path }) => path)).toContain('/pool/anna');

  // She stays away for long enough that the other run looks.
  const text = "cfs-lock 'file-user_cfg' error: got lock request timeout";
  for (const nth of [1, 2, 3, 4, 5, 6]) {
    cluster.addFault({
      match: { method: 'POST', path: '/access/users' },
      nth,
      action: 'fail',
      status: 500,
      text,
    });
  }
  const recreated = await runCli(['users', 'passwd', ...files, '--recreate'], cluster);
  const beside = await other;
  expect([recreated.code, recreated.stdout]).toEqual([0, expect.any(String)]);
  expect([beside?.code, beside?.stdout]).toEqual([0, expect.stringMatching(/^Nothing to remove: .*\n$/)]);
  expect(beside?.stderr).toContain('waiting for');
  const after = cluster.snapshot();
  expect([after.acl, after.pools]).toEqual([acl, pools]);
  expect(after.users.map(({ userid }) => userid)).toContain('anna@pve');
});
