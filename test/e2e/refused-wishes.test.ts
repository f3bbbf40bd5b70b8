/** What PVE refuses of a lab or of a class is told in our words, once, and with the way out. */
import { expect, test } from 'vitest';
import { runCli, startCluster, workFolder, writeFiles } from './harness.ts';

test('reserved tags alone are left out, and told with the result, once for all of them', async () => {
  const folder = workFolder();
  writeFiles(folder, {
    'lab.yml':
      'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, tags: [exam, test, easy], networks: [] }]\n',
    'users.yml': 'users: [anna@pve]\n',
  });
  const cluster = await startCluster();
  // PVE names one at a time.
  for (const [at, tag] of ['exam', 'test'].entries())
    cluster.addFault({
      ...{ match: { method: 'PUT', path: /\/config$/ }, nth: at + 1, action: 'fail', status: 403 },
      text: `Permission check failed (/, Sys.Modify for modifying tag '${tag}')`,
    });
  const files = ['-c', `${folder}/lab.yml`, '-u', `${folder}/users.yml`, '--credentials', `${folder}/c.csv`];
  const run = await runCli(['deploy', ...files], cluster);
  expect(run.code).toBe(0);
  expect(run.stdout.split('the datacenter reserves')).toHaveLength(2);
  expect(run.stdout).toContain('reserves the tags "exam", "test" (registered-tags');
  const tags = cluster
    .snapshot()
    .guests.flatMap(({ vmid, config }) => (vmid >= 10_000 ? config['tags'] : []));
  expect(tags).toEqual(['deploy-stand;easy;lab-net']);
});

test('a PAM user that the node does not have; the last line is the whole command', async () => {
  const folder = workFolder();
  writeFiles(folder, { 'users.yml': 'users: [x2@pam]\n' });
  const words = ['users', 'create', '-u', `${folder}/users.yml`, '--credentials', `${folder}/c.csv`];
  const run = await runCli(words, await startCluster());
  expect(run.code).toBe(5);
  expect(run.stdout).toContain('it has no user x2  [NO_SYSTEM_USER]');
  // Nothing in the message looks like a password, which the masking of secrets would take away.
  expect(run.stderr).toContain('accounts of the realm pam are those of');
  expect(run.stdout).toContain('`adduser x2`; or write x2@pve in the users file');
  expect(run.stdout).not.toContain('POST /access/users');
  expect(run.stdout).toContain(`To finish: deploy-stand ${words.join(' ')}\n`);
});

test('a refused login names realm, second factor, token, and the variables', async () => {
  const cluster = await startCluster();
  const env = { PVE_TOKEN_ID: '', PVE_TOKEN_SECRET: '', PVE_USER: 'root@pam', PVE_PASSWORD: 'wrong' };
  const refused = await runCli(['bridges', 'list'], cluster, { env });
  expect(refused.code).toBe(4);
  for (const word of ['PVE_PASSWORD', 'PVE_USER', 'realm', 'second factor', 'PVE_TOKEN_ID'])
    expect(refused.stderr).toContain(word);
  const token = { PVE_TOKEN_ID: 'root@pam!nope', PVE_TOKEN_SECRET: '00000000-0000-0000-0000-000000000000' };
  expect((await runCli(['bridges', 'list'], cluster, { env: token })).stderr).toContain('PVE_TOKEN_SECRET');
});
