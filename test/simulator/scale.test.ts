/** Twenty nodes, five thousand foreign guests, hundreds of clones: the simulator loses none. */
import { expect, test } from 'vitest';
import { start } from './harness.ts';

const nodes = Array.from({ length: 20 }, (_, i) => `pve${i + 1}`);

test('holds a large cluster', async () => {
  const { root, sim } = await start({
    nodes: { count: 20 },
    storages: [
      { id: 'local-zfs', type: 'zfspool' },
      { id: 'ceph', type: 'rbd', size_gib: 1_000_000 },
    ],
    templates: nodes.map((node, i) => ({
      vmid: 1000 + i,
      name: `tpl-${node}`,
      node,
      storage: 'local-zfs',
    })),
    guests: [],
    pools: [{ pool: 'infra' }],
    foreign_guests: { count: 5000, storage: 'ceph' },
    latency: { storage_lock_s: 0.05, linked_clone_s: 1 },
  });
  const upids = await Promise.all(
    Array.from({ length: 400 }, (_, i) => {
      const at = i % nodes.length;
      return root.ok('POST', `/nodes/${nodes[at] ?? ''}/qemu/${1000 + at}/clone`, { newid: 20_000 + i });
    }),
  );
  await sim.idle();
  const ends = await Promise.all(upids.map((upid) => root.ended(upid)));
  expect(new Set(ends)).toEqual(new Set(['OK']));
  await Promise.all(
    Array.from({ length: 1000 }, (_, i) => root.get(`/nodes/pve1/qemu/${1000 + 20 * (i % 1)}/config`)),
  );
  const rows = await root.ok('GET', '/cluster/resources', { type: 'vm' });
  expect(rows).toHaveLength(5420);
});
