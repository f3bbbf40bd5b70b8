import { expect, test } from 'vitest';
import type { Machine } from '../../../src/lib/config/types.ts';
import { viewPlannedLoads } from '../../../src/lib/plan/views/planned-load.ts';
import { have, lab, machine, plan, template, user } from '../builders.ts';

const GIB = 2 ** 30;

test.each<{
  name: string;
  machine?: Partial<Machine>;
  values: Record<string, string>;
  storage?: string;
  cpus: number;
  memory: number;
}>([
  {
    name: 'what its template has',
    values: { sockets: '2', cores: '2', memory: '3072' },
    cpus: 4,
    memory: 3 * GIB,
  },
  {
    name: 'cores for each socket of its template',
    machine: { cores: 4 },
    values: { sockets: '2' },
    cpus: 8,
    memory: GIB / 2,
  },
  { name: 'memory of its own', machine: { memory: 4096 }, values: { cores: '3' }, cpus: 3, memory: 4 * GIB },
  {
    name: 'what its template has, also through a copy that is yet to be made',
    values: { sockets: '2', cores: '2', memory: '2048' },
    storage: 'local-lvm',
    cpus: 4,
    memory: 2 * GIB,
  },
])('a new machine counts with $name', ({ machine: more, values, storage, cpus, memory }) => {
  const want = lab([machine('pc', [], more)], {
    placement: { strategy: 'specific', node: 'pve2', exclude: [] },
  });
  const snapshot = have({ templates: [template(101, storage, values)] });
  const made = plan(want, [user('anna')], snapshot);
  const [pve1, pve2] = viewPlannedLoads(made, snapshot);
  expect([pve1?.newMachines, pve2?.newMachines]).toEqual([0, 1]);
  expect(pve2?.newCpus).toBe(cpus);
  expect(pve2!.memoryAfter - pve2!.memoryBefore).toBe(memory);
});
