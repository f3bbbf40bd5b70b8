// The cluster of the benchmarks: N nodes, one shared storage, foreign guests. Times are the simulator's defaults.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultScenario } from '../dist/lib/simulator/scenario.js';

/** `storage`: `rbd`, one for all nodes; `zfs`, each node's own, so that templates are copied. */
export function benchScenario({ nodes, foreignGuests, version = '9.2', storage = 'rbd', speed = 20 }) {
  const base = defaultScenario();
  const local = { id: 'local-zfs', type: 'zfspool', content: ['images', 'rootdir'] };
  return {
    ...base,
    version,
    clock: { speed },
    nodes: { count: nodes, prefix: 'pve', cpus: 64, memory_gib: 1024 },
    storages: [...base.storages, local].map((one) => ({ ...one, size_gib: 200_000 })),
    templates: base.templates.map((one) => (storage === 'zfs' ? { ...one, storage: local.id } : one)),
    guests: [],
    foreign_guests: { count: foreignGuests, first_vmid: 1000 },
  };
}

/** `machines` machines per stand: a router, the rest hosts on its network. */
export function writeClass(folder, { users, machines }) {
  const host = (i) =>
    `  - { device_type: linux, name: host${i}, template_vmid: 101, networks: [{ bridge: lan }] }\n`;
  writeFileSync(
    join(folder, 'lab.yml'),
    'name: bench\nvmid_range: 10000-99999\nmachines:\n' +
      '  - { device_type: ecorouter, name: router, template_vmid: 100, networks: [{ bridge: vmbr0 }, { bridge: lan }] }\n' +
      Array.from({ length: machines - 1 }, (_, i) => host(i + 1)).join(''),
  );
  writeFileSync(
    join(folder, 'users.yml'),
    `users:\n${Array.from({ length: users }, (_, i) => `  - student${i + 1}@pve\n`).join('')}`,
  );
  return [
    '-c',
    join(folder, 'lab.yml'),
    '-u',
    join(folder, 'users.yml'),
    '--credentials',
    join(folder, 'c.csv'),
  ];
}
