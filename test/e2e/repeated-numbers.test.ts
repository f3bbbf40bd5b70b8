/** Bridge numbers that several nodes have, and machines that somebody brings to where the number is another's. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, scenario, startCluster, workFolder, writeFiles, writes } from './harness.ts';
import { Caller, toServer } from '../simulator/harness.ts';

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
