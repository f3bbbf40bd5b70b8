/** One student, with all that PVEVMAdmin allows, makes a mess of the own machine: no command fails or is refused for the others. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { post, runCli, scenario, startCluster, workFolder, writeFiles, type Cluster } from './harness.ts';

const LAB = `name: net
machines:
  - { device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: vmbr0 }, { bridge: lan }] }
`;

const ofPool = (cluster: Cluster, pool: string) => {
  const { pools, guests } = cluster.snapshot();
  const vmid = pools.find(({ poolid }) => poolid === pool)?.vms[0];
  const guest = guests.find((one) => one.vmid === vmid);
  if (!guest) throw new Error(`${pool} has no machine`);
  return guest;
};

async function mess(cluster: Cluster, version: string): Promise<void> {
  const { node, vmid } = ofPool(cluster, 'anna');
  const config = `/nodes/${node}/qemu/${vmid}/config`;
  const changes: Record<string, string>[] = [
    { memory: '1048576' },
    { cores: '128', sockets: '4' },
    { name: '7', tags: 'net;deploy-stand;lab-other' },
    { description: 'x'.repeat(8000) },
    { protection: '1', onboot: '1' },
    { net5: 'virtio,bridge=vmbr0,tag=7' },
    // Only 9.2 takes a network card without a bridge.
    ...(version === '9.2' ? [{ net6: 'virtio' }] : []),
    { delete: 'net0' },
    { template: '1' },
  ];
  for (const change of changes)
    expect([change, await post(cluster, config, change, 'admin', 'PUT')]).toEqual([change, 200]);
  await cluster.time.sleep(15_000);
}

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  test('the class is completed, synced, listed and removed all the same', async () => {
    const cluster = await startCluster({ scenario: scenario({ version }) });
    const folder = workFolder();
    const path = (name: string) => join(folder, name);
    writeFiles(folder, {
      'lab.yml': LAB,
      'users.yml': 'users: [anna@pve, boris@pve]\n',
      'more.yml': 'users: [anna@pve, boris@pve, carla@pve, dora@pve, eva@pve, fred@pve, gina@pve]\n',
    });
    const run = (command: string) =>
      runCli(
        command.split(' ').map((word) => word.replace(/^@/, path('/'))),
        cluster,
      );
    const pick = '-c @lab.yml -u @more.yml --credentials @c.csv';
    expect((await run('deploy -c @lab.yml -u @users.yml --credentials @c.csv')).code).toBe(0);
    await mess(cluster, version);
    const deployed = await run(`deploy ${pick}`);
    // At most the own stand is left as it is.
    expect([deployed.code, [0, 5].includes(deployed.code) ? '' : deployed.stderr]).toEqual([
      deployed.code,
      '',
    ]);
    for (const name of ['boris', 'carla', 'dora', 'eva', 'fred', 'gina'])
      expect(ofPool(cluster, name).config['name']).toBe('pc');
    const others = [
      `users sync ${pick}`,
      'users list -u @more.yml',
      'templates list',
      'bridges list',
      'doctor -c @lab.yml -u @more.yml',
      'balance --dry-run',
      `deploy ${pick}`,
    ];
    for (const command of others) {
      const { code, stderr } = await run(command);
      const isFine = code === 0 || (code === 5 && command.startsWith('deploy'));
      expect([command, isFine, isFine ? '' : stderr]).toEqual([command, true, '']);
    }
    // What is protected, and a template by now, stays and is told.
    const removed = await run(`cleanup ${pick}`);
    expect([removed.code, removed.stdout]).toEqual([5, expect.stringContaining('anna@pve: incomplete')]);
    const rest = cluster.snapshot().pools.map(({ poolid }) => poolid);
    expect(rest.filter((pool) => ['boris', 'carla', 'dora', 'eva', 'fred', 'gina'].includes(pool))).toEqual(
      [],
    );
  });
});
