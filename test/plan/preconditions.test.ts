import { expect, test } from 'vitest';
import type { Inventory } from '../../src/lib/inventory/types.ts';
import { brokenPreconditions } from '../../src/lib/plan/preconditions.ts';
import { alias, bridge, claimOf, guest, have, lab, machine, plan, template, user } from './builders.ts';

const want = lab([machine('pc', [alias('lan')])]);
const saved = plan(want, [user('anna')]);

test('an unchanged cluster keeps a saved plan valid; load does not matter', () => {
  const busy = have();
  const nodes = busy.nodes.map((node) => ({ ...node, cpu: 0.9, memoryUsed: node.memoryTotal }));
  expect(brokenPreconditions(saved, { ...busy, nodes })).toEqual([]);
});

const changes: { name: string; change: (snapshot: Inventory) => Inventory; text: string }[] = [
  {
    name: 'a VMID was taken',
    change: (snapshot) => ({ ...snapshot, guests: [...snapshot.guests, guest(10000, { node: 'pve2' })] }),
    text: 'VMID 10000 is taken by a guest on pve2',
  },
  {
    name: 'a VMID was claimed',
    change: (snapshot) => ({
      ...snapshot,
      pools: [{ pool: 'x', comment: claimOf('x@pve', [10000], 'other') }],
    }),
    text: 'VMID 10000 is claimed by pool x',
  },
  {
    name: 'a bridge appeared',
    change: (snapshot) => ({
      ...snapshot,
      networks: snapshot.networks.map((network) => ({
        ...network,
        bridges: [...network.bridges, bridge('vmbr1000')],
      })),
    }),
    text: 'bridge vmbr1000 exists on pve1',
  },
  {
    name: 'the template changed',
    change: (snapshot) => ({ ...snapshot, templates: [{ ...template(101), digest: 'other' }] }),
    text: 'template 101 was changed',
  },
  {
    name: 'the template is gone',
    change: (snapshot) => ({ ...snapshot, templates: [] }),
    text: 'template 101 cannot be read any more',
  },
  {
    name: 'a node is offline',
    change: (snapshot) => ({
      ...snapshot,
      nodes: snapshot.nodes.map((node) => ({ ...node, online: false })),
    }),
    text: 'node pve1 is offline',
  },
  {
    name: 'the pool appeared',
    change: (snapshot) => ({ ...snapshot, pools: [{ pool: 'anna', comment: '' }] }),
    text: 'pool anna exists',
  },
  {
    name: 'the user appeared',
    change: (snapshot) => ({
      ...snapshot,
      users: [
        {
          userid: 'anna@pve',
          comment: '',
          enabled: true,
          expire: 0,
          email: '',
          firstName: '',
          lastName: '',
          groups: [],
        },
      ],
    }),
    text: 'user anna@pve exists',
  },
];

test.each(changes)('$name', ({ change, text }) => {
  expect(brokenPreconditions(saved, change(have()))).toEqual([text]);
});
