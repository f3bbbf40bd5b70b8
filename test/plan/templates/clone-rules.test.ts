import { expect, test } from 'vitest';
import type { StorageInfo } from '../../../src/lib/inventory/types.ts';
import { cloneObstacle } from '../../../src/lib/plan/templates/clone-rules.ts';
import { indexHosts } from '../../../src/lib/plan/cluster/hosts.ts';
import { sayObstacle } from '../../../src/lib/plan/obstacles/obstacle-text.ts';
import { toTemplate } from '../../../src/lib/plan/cluster/templates.ts';
import { have, machine, real, template } from '../builders.ts';

/** Template 100 is on `ceph` of pve1. */
function obstacle(target: string, change: (row: StorageInfo) => StorageInfo | undefined): string | undefined {
  const storages = have().storages.flatMap((row) => change(row) ?? []);
  const hosts = indexHosts(have({ storages }));
  const found = cloneObstacle(machine('pc', [real('vmbr0')]), toTemplate(template(100)), target, hosts);
  return found && sayObstacle(found, target);
}

const isCephOf = (node: string, row: StorageInfo) => row.node === node && row.storage === 'ceph';

test.each<{
  name: string;
  target: string;
  change: (row: StorageInfo) => StorageInfo | undefined;
  says: unknown;
}>([
  { name: 'shared and there', target: 'pve2', change: (row) => row, says: undefined },
  {
    name: 'offline on the target',
    target: 'pve2',
    change: (row) => (isCephOf('pve2', row) ? { ...row, active: false } : row),
    says: 'storage ceph is offline on pve2',
  },
  {
    name: 'not on the target at all',
    target: 'pve2',
    change: (row) => (isCephOf('pve2', row) ? undefined : row),
    says: 'storage ceph is not available on pve2',
  },
  {
    name: 'not shared',
    target: 'pve2',
    change: (row) => ({ ...row, shared: false }),
    says: 'scsi0 of template 100 is on ceph, which only pve1 has',
  },
  {
    name: 'not shared, and the clone stays',
    target: 'pve1',
    change: (row) => ({ ...row, shared: false }),
    says: undefined,
  },
])('a clone from storage that is $name', ({ target, change, says }) => {
  expect(obstacle(target, change)).toBe(says);
});
