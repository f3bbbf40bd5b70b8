/** Students who share rights on their machines: what deploy says of them, and that cleanup is not held up by them. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Caller, toServer } from '../simulator/harness.ts';
import { runCli, scenario, startCluster, workFolder, writeFiles, type Cluster } from './harness.ts';

const lab = (role: string) =>
  `name: net\naccess: { role: ${role} }\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: hq }] }]\n`;

async function as(cluster: Cluster, userid: string): Promise<Caller> {
  const wait = () => cluster.time.sleep(300);
  const { tokenId, secret } = cluster.credentials;
  const admin = new Caller(toServer(cluster), { Authorization: `PVEAPIToken=${tokenId}=${secret}` }, wait);
  const path = `/access/users/${encodeURIComponent(userid)}/token/mine`;
  const { value } = (await admin.ok('POST', path, { privsep: 0 })) as { value: string };
  return new Caller(toServer(cluster), { Authorization: `PVEAPIToken=${userid}!mine=${value}` }, wait);
}

test.each(['7.4', '8.4', '9.2'] as const)('on %s', async (version) => {
  const cluster = await startCluster({ scenario: scenario({ version, users: [{ userid: 'friend@pve' }] }) });
  const folder = workFolder();
  writeFiles(folder, {
    'wide.yml': lab('PVEVMAdmin'),
    'lab.yml': lab('student'),
    'users.yml': 'users: [anna@pve]\n',
  });
  const at = (name: string) => join(folder, name);
  const of = (file: string) => ['-c', at(file), '-u', at('users.yml'), '--credentials', at('c.csv')];
  expect((await runCli(['deploy', ...of('wide.yml')], cluster)).code).toBe(0);
  const anna = await as(cluster, 'anna@pve');
  for (const users of ['anna@pve', 'friend@pve']) {
    const grant = { path: '/vms/10000', users, roles: 'PVEVMAdmin', propagate: 0 };
    expect((await anna.put('/access/acl', grant)).status).toBe(200);
  }
  const same = await runCli(['deploy', ...of('wide.yml')], cluster);
  expect([same.code, same.stdout]).toEqual([
    0,
    expect.stringContaining('anna@pve, friend@pve: PVEVMAdmin on /vms/10000'),
  ]);
  const narrow = await runCli(['deploy', ...of('lab.yml')], cluster);
  expect(narrow.code).toBe(5);
  expect(narrow.stdout).toContain('[RIGHTS_LEFT]');
  expect(narrow.stdout).toContain(
    'pveum acl delete /vms/10000 --roles PVEVMAdmin --users anna@pve,friend@pve\n',
  );
  const cleanup = await runCli(['cleanup', ...of('lab.yml')], cluster);
  expect(cleanup.code).toBe(0);
  const { acl, guests } = cluster.snapshot();
  expect(acl.filter(({ path }) => path.startsWith('/vms/'))).toEqual([]);
  expect(guests.some(({ vmid }) => vmid === 10000)).toBe(false);
  const revoked = cluster.requests.filter(({ path, method }) => method === 'PUT' && path === '/access/acl');
  const stopped = cluster.requests.findIndex(
    ({ method, rawPath }) => method === 'DELETE' && rawPath.endsWith('/10000'),
  );
  expect(revoked.slice(-2).every((one) => cluster.requests.indexOf(one) < stopped)).toBe(true);
});
