import { expect, test } from 'vitest';
import { assertSound } from '../../src/lib/plan/graph.ts';
import { presentNics } from '../../src/lib/pve-values/nics.ts';
import { sortedUnique } from '../../src/lib/order.ts';
import { takeRouterMac } from '../../src/lib/plan/macs.ts';
import type { Step } from '../../src/lib/plan/types.ts';

/** `A -> B` reads: B waits for A. */
function steps(scenario: string): Step[] {
  const edges = scenario.split(', ').map((edge) => edge.split(' -> '));
  const ids = [...new Set(edges.flat())];
  return ids.map((id) => ({
    id,
    kind: 'vm.start',
    node: 'pve1',
    vmid: 100,
    reason: '',
    after: [],
    dependsOn: edges.filter(([, to]) => to === id).map(([from]) => from!),
  }));
}

test.each([
  { scenario: 'A -> B, B -> C', error: undefined },
  { scenario: 'A -> B, A -> C, B -> D, C -> D', error: undefined },
  { scenario: 'A -> B, B -> C, C -> A', error: 'steps wait for each other: A -> C -> B -> A' },
  { scenario: 'A -> A', error: 'steps wait for each other: A -> A' },
])('$scenario', ({ scenario, error }) => {
  if (error === undefined) expect(() => assertSound(steps(scenario))).not.toThrow();
  else expect(() => assertSound(steps(scenario))).toThrow(error);
});

test('unknown edges and repeated ids are named', () => {
  const [a, b] = steps('A -> B');
  expect(() => assertSound([b!])).toThrow('step B waits for unknown step A');
  expect(() => assertSound([a!, a!])).toThrow('step A is planned twice');
});

test('NICs are read in both forms that PVE writes', () => {
  expect(
    presentNics({
      net10: 'model=e1000,macaddr=aa:bb:cc:dd:ee:ff,bridge=vmbr1,tag=20',
      net2: 'virtio=AA:BB:CC:00:00:01,bridge=vmbr0,firewall=1',
      scsi0: 'x:y',
    }),
  ).toEqual([
    { index: 2, model: 'virtio', mac: 'AA:BB:CC:00:00:01', bridge: 'vmbr0' },
    { index: 10, model: 'e1000', mac: 'AA:BB:CC:DD:EE:FF', bridge: 'vmbr1', tag: 20 },
  ]);
});

test('names sort as people count', () => {
  expect(sortedUnique(['s10', 's2', 's2', 's1', 'a'])).toEqual(['a', 's1', 's2', 's10']);
});

test('router MACs move on while taken, and the space ends loudly', () => {
  const taken = new Set<string>();
  const first = takeRouterMac(10000, 0, taken);
  expect(takeRouterMac(10000 + 2048, 0, taken)).not.toBe(first);
  const all = new Set(
    Array.from({ length: 65536 }, (_, i) => {
      const hex = i.toString(16).toUpperCase().padStart(4, '0');
      return `1C:87:76:40:${hex.slice(0, 2)}:${hex.slice(2)}`;
    }),
  );
  expect(() => takeRouterMac(1, 1, all)).toThrow(RangeError);
});
