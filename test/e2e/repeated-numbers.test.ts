/** Bridge numbers that several nodes have, and machines that somebody brings to where the number is another's. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, scenario, startCluster, workFolder, writeFiles, writes } from './harness.ts';
import { Caller, login, toServer } from '../simulator/harness.ts';

const lab = (role: string) =>
  `name: net\nbridge_range: 1000-1001\naccess: { role: ${role} }\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: hq }] }]\n`;
const USERS = `users: [${Array.from({ length: 6 }, (_, at) => `u${at}@pve`).join(', ')}]\n`;

function room(role: string): string[] {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': lab(role), 'users.yml': USERS });
  const at = (name: string) => join(folder, name);
  return ['deploy', '-c', at('lab.yml'), '-u', at('users.yml'), '--credentials', at('c.csv')];
}

interface Summary {
  readonly stands: readonly { user: string; status: string; error?: { code: string; hint: string } }[];
}

async function summary(argv: readonly string[], cluster: Parameters<typeof runCli>[1]) {
  const { code, stdout } = await runCli([...argv, '--output', 'json'], cluster);
  return { code, ...(JSON.parse(stdout) as { summary: Summary }).summary };
}

test.each(['7.4', '8.4', '9.2'] as const)('are not given to who could move there, on %s', async (version) => {
  const cluster = await startCluster({ scenario: scenario({ version }) });
  const { code, stands } = await summary(room('PVEVMAdmin'), cluster);
  expect([code, stands.map(({ error }) => error?.code)]).toEqual([
    5,
    [undefined, undefined, ...Array<string>(4).fill('NO_BRIDGE')],
  ]);
  const made = writes(cluster).filter((write) => /POST .*\/network$/.test(write));
  expect(made).toHaveLength(2);
});

test.each(['7.4', '8.4', '9.2'] as const)(
  'one machine that was moved is one stand, on %s',
  async (version) => {
    const cluster = await startCluster({ scenario: scenario({ version }) });
    const deploy = room('student');
    expect((await runCli(deploy, cluster)).code).toBe(0);
    const { tokenId, secret } = cluster.credentials;
    const admin = new Caller(toServer(cluster), { Authorization: `PVEAPIToken=${tokenId}=${secret}` }, () =>
      cluster.time.sleep(300),
    );
    await admin.task('POST', '/nodes/pve1/qemu/10000/migrate', { target: 'pve3' });
    await cluster.time.sleep(15_000);
    const { code, stands } = await summary(deploy, cluster);
    expect([code, stands.map(({ user, error }) => [user, error?.code])]).toEqual([
      5,
      ['u0@pve', 'u1@pve', 'u2@pve', 'u3@pve', 'u4@pve', 'u5@pve'].map((user, at) => [
        user,
        at === 0 ? 'BRIDGE_NOT_USABLE' : undefined,
      ]),
    ]);
  },
);

test("a student's cards on 7.4: no neighbour gets a number that they name, and who names them is said", async () => {
  const cluster = await startCluster({ scenario: scenario({ version: '7.4' }) });
  const folder = workFolder();
  const at = (name: string) => join(folder, name);
  writeFiles(folder, {
    'lab.yml': lab('PVEVMAdmin').replace('1000-1001', '1000-1003'),
    'users.yml': 'users: [anna@pve, boris@pve]\n',
  });
  const deploy = ['deploy', '-c', at('lab.yml'), '-u', at('users.yml'), '--credentials', at('c.csv')];
  expect((await runCli([...deploy, '--only', 'anna'], cluster)).code).toBe(0);
  const pc = cluster.snapshot().guests.find(({ config: one }) => one['name'] === 'pc');
  const [, password = ''] = /^anna@pve,([^,]+)/m.exec(readFileSync(at('c.csv'), 'utf8')) ?? [];
  const anna = await login(cluster, 'anna@pve', password);
  const cards = (names: readonly string[]) =>
    Object.fromEntries(names.map((bridge, index) => [`net${index + 1}`, `virtio,bridge=${bridge}`]));
  const config = `/nodes/${pc?.node}/qemu/${pc?.vmid}/config`;
  const all = ['vmbr1001', 'vmbr1002', 'vmbr1003'];
  expect((await anna.put(config, cards(all))).status).toBe(200);
  await cluster.time.sleep(15_000);

  const { code, stands } = await summary(deploy, cluster);
  const boris = stands.find(({ user }) => user === 'boris@pve')?.error;
  expect([code, boris?.code]).toEqual([5, 'NO_BRIDGE']);
  expect(boris).toMatchObject({
    message: expect.stringContaining(
      `3 of them named by network cards, or in snapshots, of VM ${pc?.vmid} of anna@pve`,
    ) as string,
    hint: expect.stringContaining('take these network cards off') as string,
  });
  const made = () => writes(cluster).filter((write) => /POST .*\/network$/.test(write)).length;
  expect(made()).toBe(1);

  // One number is let go of: he gets that one, and nothing that she is on.
  await anna.put(config, { delete: 'net3' });
  await cluster.time.sleep(15_000);
  expect((await summary(deploy, cluster)).code).toBe(0);
  const bridges = cluster.snapshot().nodes.flatMap(({ interfaces }) => interfaces.map(({ iface }) => iface));
  expect(bridges.filter((iface) => all.includes(iface))).toEqual(['vmbr1003']);
});
