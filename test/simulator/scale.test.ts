/** Twenty nodes, five thousand foreign guests, hundreds of clones: the simulator must not be the bottleneck. */
import { expect, test } from 'vitest';
import { start } from './harness.ts';

const nodes = Array.from({ length: 20 }, (_, i) => `pve${i + 1}`);

test('holds a large cluster and answers quickly', async () => {
  const { root, sim } = await start(
    {
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
    },
    { speed: 200 },
  );
  const begin = performance.now();
  const upids = await Promise.all(
    Array.from({ length: 400 }, (_, i) => {
      const at = i % nodes.length;
      return root.ok('POST', `/nodes/${nodes[at] ?? ''}/qemu/${1000 + at}/clone`, { newid: 20_000 + i });
    }),
  );
  await sim.idle();
  const ends = await Promise.all(upids.map((upid) => root.ended(upid)));
  expect(new Set(ends)).toEqual(new Set(['OK']));
  const reads = performance.now();
  await Promise.all(
    Array.from({ length: 1000 }, (_, i) => root.get(`/nodes/pve1/qemu/${1000 + 20 * (i % 1)}/config`)),
  );
  const perRead = (performance.now() - reads) / 1000;
  const rows = await root.ok('GET', '/cluster/resources', { type: 'vm' });
  expect(rows).toHaveLength(5420);
  // Generous: two cores shared with the other suites. Unloaded it is a fraction of this.
  expect(perRead).toBeLessThan(5);
  expect(performance.now() - begin).toBeLessThan(20_000);
});
