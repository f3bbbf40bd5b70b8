/** Chooses one node per stand. Counts stands; does not look at load. */
import type { Lab } from '../config/types.ts';
import type { Inventory } from '../inventory/types.ts';
import { findCloneWay, type ResolvedMachine } from './clone-ways.ts';
import type { HaveIndex } from './have-index.ts';
import { compareNatural } from './order.ts';
import type { Refusal } from './types.ts';

export interface NodeChoice {
  /** Nodes on which a whole stand can be made, in natural order. */
  readonly eligible: readonly string[];
  /** Node → why a stand cannot be made there. */
  readonly obstacles: ReadonlyMap<string, string>;
}

function realBridges(lab: Lab): Set<string> {
  const names = new Set<string>();
  for (const machine of lab.machines) {
    if (machine.deviceType === 'ecorouter') names.add('vmbr0'); // the management port
    for (const { target } of machine.networks) {
      if (target.kind === 'real' && !target.reserved) names.add(target.bridge);
    }
  }
  return names;
}

/** Foreign edits that an apply would put into force: an apply on this node is not ours to do. */
export function foreignPending(node: string, have: Inventory): string | undefined {
  const rows =
    have.networks.find((network) => network.node === node)?.pending.filter((row) => !row.ours) ?? [];
  if (rows.length === 0) return undefined;
  const text = rows.map((row) => row.text.trimEnd().replaceAll('\t', '  ')).join('\n');
  return `network changes that are not ours are staged on ${node} and would be applied with ours:\n${text}`;
}

/** Has a reserved bridge of the lab still to be made on `node`? */
export function lacksReserved(lab: Lab, node: string, have: Inventory, index: HaveIndex): boolean {
  const present = index.bridges.get(node);
  return lab.machines.some((machine) =>
    machine.networks.some(
      ({ target }) =>
        target.kind === 'real' &&
        target.reserved &&
        !present?.has(target.bridge) &&
        !have.vnets.includes(target.bridge),
    ),
  );
}

/** Does a new stand need an apply on `node`? With alias networks always; else only for a reserved bridge to be made. */
function needsReload(lab: Lab, node: string, have: Inventory, index: HaveIndex): boolean {
  return (
    lab.machines.some((machine) => machine.networks.some(({ target }) => target.kind === 'alias')) ||
    lacksReserved(lab, node, have, index)
  );
}

function missingBridge(lab: Lab, node: string, have: Inventory, index: HaveIndex): string | undefined {
  const present = index.bridges.get(node);
  for (const name of realBridges(lab)) {
    if (!present?.has(name) && !have.vnets.includes(name)) {
      return `bridge ${name} does not exist on ${node}, or the caller lacks SDN.Audit on /sdn/zones/localnetwork/${name}`;
    }
  }
  return undefined;
}

/** Why a stand's VMs cannot be made on `node`; undefined when they can. Staged foreign edits are looked at apart. */
export function nodeObstacle(
  node: string,
  lab: Lab,
  machines: readonly ResolvedMachine[],
  have: Inventory,
  index: HaveIndex,
): string | undefined {
  const info = have.nodes.find((candidate) => candidate.name === node);
  if (!info) return `node ${node} does not exist`;
  if (!info.online) return `node ${node} is offline`;
  for (const resolved of machines) {
    const way = findCloneWay(resolved, node, have, index);
    if (typeof way === 'string') return `machine ${resolved.machine.name}: ${way}`;
  }
  if (have.networks.find((network) => network.node === node)?.readable !== true) {
    return `the network configuration of ${node} cannot be read`;
  }
  return missingBridge(lab, node, have, index);
}

function isWanted(node: string, lab: Lab): boolean {
  const { nodes, exclude } = lab.placement;
  return (nodes === undefined || nodes.includes(node)) && !exclude.includes(node);
}

/** Strategy `local` without networks of the stand's own: each machine stays on its template's node. */
export function isSpread(lab: Lab): boolean {
  return (
    lab.placement.strategy === 'local' &&
    !lab.machines.some((machine) => machine.networks.some(({ target }) => target.kind === 'alias'))
  );
}

export function machinesOn(node: string, machines: readonly ResolvedMachine[]): readonly ResolvedMachine[] {
  return machines.filter(({ template }) => template.node === node);
}

/** Sorts the nodes into eligible and not, for new stands of this lab. */
export function chooseNodes(
  lab: Lab,
  machines: readonly ResolvedMachine[],
  have: Inventory,
  index: HaveIndex,
): NodeChoice {
  const eligible: string[] = [];
  const obstacles = new Map<string, string>();
  const { strategy, node: wanted } = lab.placement;
  const candidates =
    strategy === 'specific' && wanted !== undefined
      ? [wanted]
      : strategy === 'local'
        ? [...new Set(machines.flatMap(({ candidates }) => candidates.map((template) => template.node)))]
        : have.nodes.map((node) => node.name).filter((name) => isWanted(name, lab));
  const spread = isSpread(lab);
  for (const node of candidates.sort(compareNatural)) {
    const inMaintenance = have.nodes.find((candidate) => candidate.name === node)?.maintenance === true;
    const obstacle =
      inMaintenance && strategy !== 'specific'
        ? `node ${node} is in maintenance`
        : (nodeObstacle(node, lab, spread ? machinesOn(node, machines) : machines, have, index) ??
          (needsReload(lab, node, have, index) ? foreignPending(node, have) : undefined));
    if (obstacle === undefined) eligible.push(node);
    else obstacles.set(node, obstacle);
  }
  return { eligible, obstacles };
}

/** Exit 3 text when no node will do: every node with its own reason. */
export function noNodeRefusal(lab: Lab, choice: NodeChoice): Refusal {
  const reasons = [...choice.obstacles].map(([node, why]) => (why.includes(node) ? why : `${node}: ${why}`));
  return {
    code: 'NO_NODE',
    message: [
      `no node can take a stand of lab ${lab.name} (strategy ${lab.placement.strategy})${reasons.length > 0 ? ':' : ''}`,
      ...reasons,
    ].join('\n  '),
    hint:
      reasons.length === 0
        ? 'no node is left after `nodes` and `exclude`'
        : 'mend one of these, or choose nodes with --strategy, --node, --nodes',
  };
}

/** Counts stands per node: by their VMs, else by the node their claim names. */
export function countStands(index: HaveIndex): Map<string, number> {
  const counts = new Map<string, number>();
  for (const mark of index.marks.values()) {
    for (const claim of mark.claims) {
      const made = claim.vmids.map((vmid) => index.guests.get(vmid)?.node).find((node) => node !== undefined);
      const node = made ?? claim.node;
      if (node !== undefined) counts.set(node, (counts.get(node) ?? 0) + 1);
    }
  }
  return counts;
}

/** The node with the fewest stands, ties in natural order; counts the choice. */
export function takeNode(
  eligible: readonly string[],
  counts: Map<string, number>,
): { readonly node: string; readonly count: number } | undefined {
  let best: string | undefined;
  for (const node of eligible) {
    if (best === undefined || (counts.get(node) ?? 0) < (counts.get(best) ?? 0)) best = node;
  }
  if (best === undefined) return undefined;
  const count = counts.get(best) ?? 0;
  counts.set(best, count + 1);
  return { node: best, count };
}
