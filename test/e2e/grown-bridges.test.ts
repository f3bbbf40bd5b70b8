/** Somebody leads the bridge of a stand further: deploy says what, and doing what the hint says is enough. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { post, runCli, startCluster, workFolder, writeFiles, writes, type Cluster } from './harness.ts';

const LAB = `name: net
machines:
  - { device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: lan }] }
`;

/** As an administrator does in the web interface: the bridge as it is, with this, and applied. */
async function edit(
  cluster: Cluster,
  node: string,
  iface: string,
  comments: string,
  more: object,
): Promise<void> {
  const form = { type: 'bridge', autostart: '1', comments, ...more };
  expect(await post(cluster, `/nodes/${node}/network/${iface}`, form, 'admin', 'PUT')).toBe(200);
  expect(await post(cluster, `/nodes/${node}/network`, {}, 'admin', 'PUT')).toBe(200);
  await cluster.idle();
}

test.each([
  {
    what: 'the address',
    more: { cidr: '10.1.0.1/24' },
    says: 'somebody gave the host the address 10.1.0.1/24 on it',
  },
])('$what: the stand is refused; without it the same command goes on', async ({ what, more, says }) => {
  const cluster = await startCluster();
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve, boris@pve]\n' });
  const argv = ['deploy', '-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
  const deploy = () => runCli([...argv, '--credentials', join(folder, 'c.csv')], cluster);
  expect((await deploy()).code).toBe(0);
  const [node = '', iface = '', mark = ''] = cluster
    .snapshot()
    .nodes.flatMap(({ name, interfaces }) =>
      interfaces.flatMap(({ iface: bridge, options: { comments = '' } }) =>
        comments.includes('user=anna@pve') ? [name, bridge, comments.trim()] : [],
      ),
    );
  expect(iface).toMatch(/^vmbr1\d{3}$/);
  await edit(cluster, node, iface, mark, more);
  const since = cluster.requests.length;
  const refused = await deploy();
  const said = (refused.stdout + refused.stderr).replaceAll(/\s+/g, ' ');
  expect([refused.code, said]).toEqual([5, expect.stringContaining(says)]);
  expect(said).toContain(`take ${what} off ${iface} in ${node} → System → Network`);
  expect(writes(cluster, since).filter((line) => line.includes(iface))).toEqual([]);
  await edit(cluster, node, iface, mark, { delete: 'cidr' });
  const again = await deploy();
  expect([again.code, again.code === 0 ? '' : again.stdout + again.stderr]).toEqual([0, '']);
  expect(again.stdout).toContain('2 unchanged');
});
