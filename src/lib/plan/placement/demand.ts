/** What a stand still needs on a node. Knows no limits. */
import { managementCards } from '../../config/lab/device-profiles.ts';
import { aliasesOf, realBridges } from '../../config/lab/networks.ts';
import { MIB } from '../../bytes.ts';
import { disksIn } from './replica-demand.ts';
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { resourceKey, type Demand, type Ledger } from './capacity.ts';
import { memoryOf } from '../../pve-values/memory.ts';
import { cpusOf } from '../../pve-values/host-ties.ts';
import type { LabSizes } from './committed.ts';
import type { Promised } from './typical-sizes.ts';
import { bridgeOn, type ClusterView } from '../cluster/view.ts';
import { findCloneWay, isWay, type CloneWay, type ResolvedMachine } from '../templates/clone-ways.ts';
import type { NodeObstacle } from '../obstacles/obstacle.ts';
import { isSpread } from './nodes.ts';
import { replicaDemands, replicaDisks, storageDemand, type Disk } from './replica-demand.ts';
import { bridgeOfVms } from '../network/stand-bridges.ts';
import { compareSpecs, specOf } from '../stands/spec.ts';
import type { StandState } from '../stands/state.ts';

interface Need {
  readonly resolved: ResolvedMachine;
  readonly size: Promised;
  /** Real bridge → NICs on it. */
  readonly ports: ReadonlyMap<string, number>;
}

/** A linked clone holds what its machine writes; how much that will be is a guess. Percent of the template's disks. */
const DEFAULT_LINKED_GROWTH = 20;

/** Claimed ids that no other stand can take. */
function openIds({ open, openUnnamed }: StandState): number {
  return open.size + openUnnamed.length;
}

/** What a machine's own disks take on a node that it is cloned to in this way. */
function disksOf({ machine }: ResolvedMachine, way: CloneWay, lab: Lab): Disk[] {
  const share = machine.fullClone ? 1 : (lab.placement.linkedGrowth ?? DEFAULT_LINKED_GROWTH) / 100;
  const disks = way.by === 'new-replica' ? replicaDisks(way.need) : disksIn(way.from.volumes);
  return disks.map(({ storage, size }) => ({
    storage: machine.storage ?? storage,
    size: Math.ceil(size * share),
  }));
}

function portsOf({ machine }: ResolvedMachine): Map<string, number> {
  const ports = new Map<string, number>();
  const add = (bridge: string): void => void ports.set(bridge, (ports.get(bridge) ?? 0) + 1);
  for (const { bridge } of managementCards(machine)) add(bridge);
  realBridges(machine).forEach(add);
  return ports;
}

function sizeOfMachine({ machine, template }: ResolvedMachine): Promised {
  return {
    memory: machine.memory === undefined ? memoryOf(template.values) : machine.memory * MIB,
    cpus: cpusOf(template.values, machine.cores),
  };
}

/** A machine of the lab on average. */
function usualSize(sizes: readonly Promised[]): Promised {
  const mean = (values: readonly number[]): number =>
    Math.round(values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length));
  return { memory: mean(sizes.map(({ memory }) => memory)), cpus: mean(sizes.map(({ cpus }) => cpus)) };
}

/** Which machine a VM is, is known of the stands in the plan; of others its name tells, which a student can change. */
export function labSizes(
  states: readonly StandState[],
  context: Pick<Context, 'lab' | 'machines'> & { readonly updateRunning: boolean },
): LabSizes {
  const { lab, updateRunning } = context;
  const byName = new Map(
    context.machines.map((resolved) => {
      const { machine, template } = resolved;
      const spec = specOf(lab, machine, template.vmid);
      return [
        machine.name,
        { setsMemory: machine.memory !== undefined, spec, size: sizeOfMachine(resolved) },
      ];
    }),
  );
  const usual = usualSize([...byName.values()].map(({ size }) => size));
  const known = new Map<number, Promised>();
  const toChange = new Set<number>();
  for (const { present } of states) {
    for (const [name, vm] of present) {
      const machine = byName.get(name);
      if (!machine) continue;
      known.set(vm.vmid, machine.size);
      // As deploy/present-machine decides it.
      const isWithinReach = machine.setsMemory && (vm.power === 'stopped' || updateRunning);
      const differs = vm.spec === undefined ? vm.marked : compareSpecs(vm.spec, machine.spec).inPlace;
      if (isWithinReach && differs) toChange.add(vm.vmid);
    }
  }
  return {
    usual,
    given: ({ vmid, name = '' }) => known.get(vmid) ?? byName.get(name)?.size ?? usual,
    isToChange: ({ vmid }) => toChange.has(vmid),
  };
}

interface Context {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly machines: readonly ResolvedMachine[];
  /** Is told what replicas take. */
  readonly ledger: Ledger;
  readonly sizes: LabSizes;
}

type DemandOf = (state: StandState, node: string) => Demand;

/** Demands of the lab's stands. Stands of which nothing exists yet need the same: theirs are made once per node. */
export function createDemands(context: Context): DemandOf {
  const { lab, have, index, machines, ledger, sizes } = context;
  const spread = isSpread(lab);
  const aliases = [...aliasesOf(lab).keys()];
  const needs = machines.map((resolved): Need => {
    return { resolved, size: sizeOfMachine(resolved), ports: portsOf(resolved) };
  });
  const ways = new Map<string, CloneWay | NodeObstacle>();
  const known = new Map<string, Demand>();

  /** One that the stand's machines name already takes no further number, be it theirs or, since they were moved, not. */
  function isNamed(state: StandState, alias: string, node: string): boolean {
    const bridge = bridgeOfVms(lab, state, alias);
    return bridge !== undefined && index.bridges.get(node)?.has(bridge) === true;
  }

  function missingBridges(state: StandState, node: string): number {
    const { user } = state;
    return aliases.filter(
      (alias) =>
        !isNamed(state, alias, node) &&
        !bridgeOn({ lab: lab.name, user: user.userid }, alias, { node, index }),
    ).length;
  }

  function wayOf(resolved: ResolvedMachine, node: string): CloneWay | NodeObstacle {
    const key = `${node} ${resolved.machine.name}`;
    const way = ways.get(key) ?? findCloneWay(resolved, node, { have, index });
    ways.set(key, way);
    return way;
  }

  /** Disks of a machine to be made on `node`, and the replica that it is cloned from. */
  function addDisks(resolved: ResolvedMachine, node: string, demand: Map<string, number>): void {
    const way = wayOf(resolved, node);
    if (!isWay(way)) return; // no stand goes there
    const disks = storageDemand(node, disksOf(resolved, way, lab), index);
    for (const [key, size] of disks) demand.set(key, (demand.get(key) ?? 0) + size);
    if (way.by !== 'new-replica') return;
    for (const [key, once] of replicaDemands(way.need, index)) {
      ledger.share(key, once);
      demand.set(key, 1);
    }
  }

  function compute(state: StandState, node: string): Demand {
    const demand = new Map<string, number>();
    const add = (key: string, amount: number): void => void demand.set(key, (demand.get(key) ?? 0) + amount);
    let missing = 0;
    for (const { resolved, size, ports } of needs) {
      const present = state.present.get(resolved.machine.name);
      if (present) {
        if (sizes.isToChange(present)) {
          const now = index.guests.get(present.vmid)?.memory ?? 0;
          const more = size.memory - (now > 0 ? now : memoryOf(present.config.values));
          add(resourceKey.memory(present.node), Math.max(0, more));
        }
        continue;
      }
      if (state.leftPool.has(resolved.machine.name)) continue;
      const target = spread ? resolved.template.node : node;
      missing += 1;
      add(resourceKey.memory(target), size.memory);
      add(resourceKey.cpu(target), size.cpus);
      addDisks(resolved, target, demand);
      for (const [bridge, count] of ports) add(resourceKey.ports(target, bridge), count);
    }
    if (state.present.size === 0 || !state.claim) add(resourceKey.stands(node), 1);
    add(resourceKey.vmids, Math.max(0, missing - openIds(state)));
    add(resourceKey.bridges(node), missingBridges(state, node));
    return demand;
  }

  return (state, node) => {
    if (state.present.size > 0) return compute(state, node);
    const bridges = missingBridges(state, node);
    const key = `${node} ${openIds(state)} ${bridges}`;
    const demand = known.get(key) ?? compute(state, node);
    known.set(key, demand);
    return demand;
  };
}
