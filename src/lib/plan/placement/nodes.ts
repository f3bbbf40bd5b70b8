/** Onto which nodes a stand of the lab can be put at all. Chooses none, and looks at no load. */
import { isBoundToNode, realOf } from '../../config/lab/networks.ts';
import type { Lab, Network } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { copiesRefused, isCopiesRefused, type CopiesRefused } from '../templates/copies-refused.ts';
import { findCloneWay, isWay, type Cluster, type ResolvedMachine } from '../templates/clone-ways.ts';
import { bridgeObstacle } from '../network/may-go.ts';
import { hostObstacle, maintenanceObstacle, mtuObstacle, plugObstacle } from '../obstacles/node-obstacles.ts';
import { managementCards, nicModel } from '../../config/lab/device-profiles.ts';
import { USUAL_MTU } from '../../pve-values/interfaces.ts';
import type { NodeObstacle } from '../obstacles/obstacle.ts';
import { shareObstacles } from '../obstacles/obstacle-text.ts';
import { parseBridgeMark } from '../../marks/bridge.ts';
import { stagedBeforeNew } from '../network/takes-apply.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Claim } from '../../marks/pool.ts';
import { guestsOfClaim, type Claimant } from '../stands/judge.ts';
import { strategyOf } from './strategies/strategies.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import { isAtLeast } from '../../pve-values/version.ts';
import type { Refusal } from '../document/plan.ts';

export interface NodeChoice {
  /** Nodes on which a whole stand can be made, in natural order. */
  readonly eligible: readonly string[];
  /** Node → why a stand cannot be made there. */
  readonly obstacles: ReadonlyMap<string, NodeObstacle>;
  /** What takes nodes out because no copy of a template can be made at all. */
  readonly copies?: CopiesRefused;
}

interface RealPlug extends Pick<Network, 'tag' | 'trunks' | 'model' | 'mtu'> {
  readonly bridge: string;
  /** Made where it is missing. */
  readonly reserved: boolean;
}

function realPlugs(lab: Lab): RealPlug[] {
  const plugs = lab.machines.flatMap((machine): RealPlug[] => [
    ...managementCards(machine).map(({ bridge }) => ({ bridge, reserved: false })),
    ...machine.networks.flatMap((network) => {
      const { tag, trunks, mtu } = network;
      const real = realOf(network);
      return real
        ? [
            {
              ...{ bridge: real.bridge, reserved: real.reserved },
              ...(tag === undefined ? {} : { tag }),
              ...(trunks === undefined ? {} : { trunks }),
              ...(mtu === undefined ? {} : { model: nicModel(machine, network), mtu }),
            },
          ]
        : [];
    }),
  ]);
  return [...new Map(plugs.map((one) => [JSON.stringify(one), one])).values()];
}

/** Why a real bridge that the lab names will not do on `node`. A reserved one of ours is brought up by the plan. */
function bridgeTrouble(
  lab: Lab,
  node: string,
  have: Inventory,
  index: ClusterView,
): NodeObstacle | undefined {
  const present = index.bridges.get(node);
  for (const plug of realPlugs(lab)) {
    const { bridge, reserved } = plug;
    const info = present?.get(bridge);
    const obstacle = info && bridgeObstacle({ to: 'share', change: false }, info);
    if (obstacle) return { code: 'bridge-taken', bridge, obstacle };
    const isVnet = have.vnets.includes(bridge);
    if (!info && !reserved && !isVnet)
      return { code: 'bridge-missing', bridge, mayBeHidden: isAtLeast(have.version, 8) };
    const isOurs = info !== undefined && parseBridgeMark(bridge, info.comments) !== undefined;
    const plugged = (info && !isOurs) || isVnet ? plugObstacle(node, plug, index.hosts) : undefined;
    // Ours are made with the usual one.
    const mtu = isVnet ? undefined : mtuObstacle(plug, info ? info.mtu : USUAL_MTU);
    if (plugged ?? mtu) return plugged ?? mtu;
  }
  return undefined;
}

/** Why a stand's VMs cannot be made on `node`; undefined when they can. Staged foreign edits are looked at apart. */
export function standNodeObstacle(
  node: string,
  { lab, machines }: { readonly lab: Lab; readonly machines: readonly ResolvedMachine[] },
  { have, index }: Cluster,
): NodeObstacle | undefined {
  const gone = hostObstacle(node, index.hosts);
  if (gone) return gone;
  for (const resolved of machines) {
    const way = findCloneWay(resolved, node, { have, index });
    if (!isWay(way)) return { code: 'machine', machine: resolved.machine.name, obstacle: way };
  }
  if (index.hosts.networks.get(node)?.readable !== true) return { code: 'network-unreadable' };
  return bridgeTrouble(lab, node, have, index);
}

function pendingObstacle(
  node: string,
  lab: Lab,
  have: Inventory,
  index: ClusterView,
): NodeObstacle | undefined {
  const text = stagedBeforeNew({ lab, node, have, index });
  return text === undefined ? undefined : { code: 'foreign-pending', text };
}

function isWanted(node: string, lab: Lab): boolean {
  const { nodes, exclude } = lab.placement;
  return (nodes === undefined || nodes.includes(node)) && !exclude.includes(node);
}

/** Strategy `local` without networks of the stand's own: each machine stays on its template's node. */
export function isSpread(lab: Lab): boolean {
  return strategyOf(lab).followsTemplates === true && !isBoundToNode(lab);
}

export function machinesOn(node: string, machines: readonly ResolvedMachine[]): readonly ResolvedMachine[] {
  return machines.filter(({ template }) => template.node === node);
}

/** Sorts the nodes into eligible and not, for new stands of this lab. */
export function chooseNodes(
  lab: Lab,
  machines: readonly ResolvedMachine[],
  have: Inventory,
  index: ClusterView,
): NodeChoice {
  const eligible: string[] = [];
  const obstacles = new Map<string, NodeObstacle>();
  const { candidates, takesMaintenance } = strategyOf(lab);
  const nodes =
    candidates?.(lab, machines) ?? have.nodes.map((node) => node.name).filter((name) => isWanted(name, lab));
  const spread = isSpread(lab);
  for (const node of [...nodes].sort(compareNatural)) {
    const obstacle =
      (takesMaintenance ? undefined : maintenanceObstacle(node, index.hosts)) ??
      (isWanted(node, lab) ? undefined : ({ code: 'unwanted' } as const)) ??
      standNodeObstacle(
        node,
        { lab, machines: spread ? machinesOn(node, machines) : machines },
        { have, index },
      ) ??
      pendingObstacle(node, lab, have, index);
    if (obstacle === undefined) eligible.push(node);
    else obstacles.set(node, obstacle);
  }
  const copies = copiesRefused(have, index);
  const isMet = [...obstacles.values()].some(isCopiesRefused);
  return {
    // Then every stand needs all of them.
    eligible: spread && obstacles.size > 0 ? [] : eligible,
    obstacles,
    ...(copies && isMet ? { copies } : {}),
  };
}

/** Exit 3 text when no node will do: every node with its own reason. A refusal shows no warnings beside it. */
export function noNodeRefusal(lab: Lab, { obstacles, copies }: NodeChoice): Refusal {
  const shared = shareObstacles(obstacles);
  const reasons = shared.map(({ nodes, text }) => {
    const [only = '', ...others] = nodes;
    return others.length === 0 && text.includes(only) ? text : `${nodes.join(', ')}: ${text}`;
  });
  const why = copies?.refusal;
  const forCopies = why ? [`that copies can be made: ${why.hint ?? ''}`] : [];
  const ways = [...sortedUnique(shared.flatMap(({ wayOut }) => wayOut ?? [])), ...forCopies];
  return {
    code: 'NO_NODE',
    message: [
      `no node can take a stand of lab ${lab.name} (strategy ${lab.placement.strategy})${reasons.length > 0 ? ':' : ''}`,
      ...reasons,
      ...(why ? [why.message] : []),
    ].join('\n  '),
    hint:
      reasons.length === 0
        ? 'no node is left after `nodes` and `exclude`'
        : [...ways, 'mend one of these, or choose nodes with --strategy, --node, --nodes'].join('; '),
  };
}

/** The node of a claimed stand: that of its VMs, else the one the claim names. */
export function nodeOfClaim(claim: Claim, claimant: Claimant, index: ClusterView): string | undefined {
  return guestsOfClaim(claim, claimant, index)[0]?.guest.node ?? claim.node;
}

/** Claimed stands per node. */
export function standsPerNode(index: ClusterView): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [pool, { user = '', claims }] of index.marks) {
    for (const claim of claims) {
      const node = nodeOfClaim(claim, { pool, user }, index);
      if (node !== undefined) counts.set(node, (counts.get(node) ?? 0) + 1);
    }
  }
  return counts;
}
