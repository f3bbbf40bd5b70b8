/** What a stand still needs on a node. Knows no limits. */
import type { Lab } from '../config/types.ts';
import { resourceKey, type Demand } from './capacity.ts';
import { cpusOf, memoryOf, type Promised } from './committed.ts';
import { bridgeKey, type HaveIndex } from './have-index.ts';
import type { ResolvedMachine } from './clone-ways.ts';
import { isSpread } from './placement.ts';
import { aliasesOf } from './stand-bridges.ts';
import type { StandState } from './stand-state.ts';

interface Disk {
  readonly storage: string;
  /** Bytes. */
  readonly size: number;
}

interface Need {
  readonly resolved: ResolvedMachine;
  readonly size: Promised;
  readonly disks: readonly Disk[];
  /** Real bridge → NICs on it. */
  readonly ports: ReadonlyMap<string, number>;
}

/** A linked clone holds what its machine writes; how much that will be is a guess. Percent of the template's disks. */
const DEFAULT_LINKED_GROWTH = 20;

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Bytes of `…,size=8G`; 0 where PVE wrote none (pve-guest-common, `format_size`). */
function diskSize(value: string): number {
  const [, count = '0', unit = ''] = /(?:^|,)size=(\d+(?:\.\d+)?)([KMGT]?)/.exec(value) ?? [];
  return Math.ceil(Number(count) * (UNITS[unit] ?? 1));
}

function disksOf({ machine, template }: ResolvedMachine, lab: Lab): Disk[] {
  const share = machine.fullClone ? 1 : (lab.placement.linkedGrowth ?? DEFAULT_LINKED_GROWTH) / 100;
  return template.volumes
    .filter((volume) => volume.isDisk)
    .map(({ key, storage }) => ({
      storage: machine.storage ?? storage,
      size: Math.ceil(diskSize(template.values[key] ?? '') * share),
    }));
}

function portsOf({ machine }: ResolvedMachine): Map<string, number> {
  const ports = new Map<string, number>();
  const add = (bridge: string): void => void ports.set(bridge, (ports.get(bridge) ?? 0) + 1);
  if (machine.deviceType === 'ecorouter') add('vmbr0'); // the management port
  for (const { target } of machine.networks) if (target.kind === 'real') add(target.bridge);
  return ports;
}

function sizeOfMachine({ machine, template }: ResolvedMachine): Promised {
  return {
    memory: machine.memory === undefined ? memoryOf(template.values) : machine.memory * 2 ** 20,
    cpus: cpusOf(template.values, machine.cores),
  };
}

/** A machine of the lab on average. */
export function usualSize(machines: readonly ResolvedMachine[]): Promised {
  const sizes = machines.map(sizeOfMachine);
  const mean = (values: readonly number[]): number =>
    Math.round(values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length));
  return { memory: mean(sizes.map(({ memory }) => memory)), cpus: mean(sizes.map(({ cpus }) => cpus)) };
}

interface Context {
  readonly lab: Lab;
  readonly index: HaveIndex;
  readonly machines: readonly ResolvedMachine[];
  readonly updateRunning: boolean;
}

type DemandOf = (state: StandState, node: string) => Demand;

/** Demands of the lab's stands. Stands of which nothing exists yet need the same: theirs are made once per node. */
export function createDemands(context: Context): DemandOf {
  const { lab, index, machines } = context;
  const spread = isSpread(lab);
  const aliases = [...aliasesOf(lab).keys()];
  const needs = machines.map((resolved): Need => {
    const disks = disksOf(resolved, lab);
    return { resolved, size: sizeOfMachine(resolved), disks, ports: portsOf(resolved) };
  });
  const known = new Map<string, Demand>();

  function missingBridges({ user }: StandState, node: string): number {
    return aliases.filter(
      (alias) =>
        !index.standBridges.get(bridgeKey(lab.name, user.userid, alias))?.some((one) => one.node === node),
    ).length;
  }

  function compute(state: StandState, node: string): Demand {
    const demand = new Map<string, number>();
    const add = (key: string, amount: number): void => void demand.set(key, (demand.get(key) ?? 0) + amount);
    let missing = 0;
    for (const { resolved, size, disks, ports } of needs) {
      const present = state.present.get(resolved.machine.name);
      if (present) {
        const now = index.guests.get(present.vmid)?.memory ?? 0;
        const more = size.memory - (now > 0 ? now : memoryOf(present.config.values));
        const isChanged = present.power === 'stopped' || context.updateRunning;
        if (isChanged && resolved.machine.memory !== undefined) {
          add(resourceKey.memory(present.node), Math.max(0, more));
        }
        continue;
      }
      const target = spread ? resolved.template.node : node;
      missing += 1;
      add(resourceKey.memory(target), size.memory);
      add(resourceKey.cpu(target), size.cpus);
      for (const disk of disks) {
        const row = index.storages.get(`${target}/${disk.storage}`);
        if (row) add(resourceKey.storage(row), disk.size);
      }
      for (const [bridge, count] of ports) add(resourceKey.ports(target, bridge), count);
    }
    if (state.present.size === 0 || !state.claim) add(resourceKey.stands(node), 1);
    add(resourceKey.vmids, Math.max(0, missing - state.open.length));
    add(resourceKey.bridges(node), missingBridges(state, node));
    return demand;
  }

  return (state, node) => {
    if (state.present.size > 0) return compute(state, node);
    const bridges = missingBridges(state, node);
    const key = `${node} ${state.open.length} ${bridges}`;
    const demand = known.get(key) ?? compute(state, node);
    known.set(key, demand);
    return demand;
  };
}
