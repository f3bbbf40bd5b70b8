/** Onto which nodes a stand of the lab can be put at all. Chooses none, and looks at no load. */
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { findCloneWay, type ResolvedMachine } from '../templates/clone-ways.ts';
import { bridgeObstacle } from '../network/may-go.ts';
import { obstacleText } from '../network/may-go-text.ts';
import { foreignPendingOn } from '../network/foreign-pending.ts';
import type { HaveIndex } from '../cluster/view.ts';
import type { Claim } from '../../marks/pool.ts';
import { compareNatural } from '../../order.ts';
import type { Refusal } from '../document/plan.ts';

export interface NodeChoice {
  /** Nodes on which a whole stand can be made, in natural order. */
  readonly eligible: readonly string[];
  /** Node → why a stand cannot be made there. */
  readonly obstacles: ReadonlyMap<string, string>;
}

interface RealBridge {
  readonly bridge: string;
  /** Made where it is missing. */
  readonly reserved: boolean;
}

function realBridges(lab: Lab): RealBridge[] {
  const bridges = lab.machines.flatMap(({ deviceType, networks }): RealBridge[] => [
    ...(deviceType === 'ecorouter' ? [{ bridge: 'vmbr0', reserved: false }] : []), // the management port
    ...networks.flatMap(({ target }) => (target.kind === 'real' ? [target] : [])),
  ]);
  return [...new Map(bridges.map((one) => [`${one.bridge} ${String(one.reserved)}`, one])).values()];
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

/** Why a real bridge that the lab names will not do on `node`. */
function bridgeTrouble(lab: Lab, node: string, have: Inventory, index: HaveIndex): string | undefined {
  const present = index.bridges.get(node);
  for (const { bridge, reserved } of realBridges(lab)) {
    const info = present?.get(bridge);
    const obstacle = info && bridgeObstacle({ to: 'share', change: false }, info);
    if (obstacle) return `bridge ${bridge} on ${node} cannot be shared: ${obstacleText(obstacle)}`;
    if (!info && !reserved && !have.vnets.includes(bridge)) {
      return `bridge ${bridge} does not exist on ${node}, or the caller lacks SDN.Audit on /sdn/zones/localnetwork/${bridge}`;
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
  return bridgeTrouble(lab, node, have, index);
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
        : !isWanted(node, lab)
          ? `the lab keeps its stands off ${node}`
          : (nodeObstacle(node, lab, spread ? machinesOn(node, machines) : machines, have, index) ??
            (needsReload(lab, node, have, index) ? foreignPendingOn(node, have.networks) : undefined));
    if (obstacle === undefined) eligible.push(node);
    else obstacles.set(node, obstacle);
  }
  // Then every stand needs all of them.
  return { eligible: spread && obstacles.size > 0 ? [] : eligible, obstacles };
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

/** The node of a claimed stand: that of its VMs, else the one the claim names. */
export function nodeOfClaim(claim: Claim, index: HaveIndex): string | undefined {
  const made = claim.vmids.map((vmid) => index.guests.get(vmid)?.node).find((node) => node !== undefined);
  return made ?? claim.node;
}

/** Claimed stands per node. */
export function countStands(index: HaveIndex): Map<string, number> {
  const counts = new Map<string, number>();
  for (const mark of index.marks.values()) {
    for (const claim of mark.claims) {
      const node = nodeOfClaim(claim, index);
      if (node !== undefined) counts.set(node, (counts.get(node) ?? 0) + 1);
    }
  }
  return counts;
}
