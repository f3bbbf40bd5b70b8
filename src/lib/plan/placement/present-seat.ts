/** Where a stand that has something already stays, and why it cannot be completed there. Places none that has nothing. */
import { aliasesOf, isBoundToNode, ownNetworks } from '../../config/lab/networks.ts';
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { sortedUnique } from '../../order.ts';
import { asRoot, moveCommand } from '../../pve-values/admin-commands.ts';
import { bridgesOf, type ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import { sayObstacle, wayOut } from '../obstacles/obstacle-text.ts';
import type { StandState } from '../stands/state.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';
import { isSpread, machinesOn, standNodeObstacle, nodeOfClaim } from './nodes.ts';

export interface Seat {
  readonly node: string;
  readonly why: string;
  /** What a reader should know of the choice. */
  readonly notes: readonly string[];
}

interface Want {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly machines: readonly ResolvedMachine[];
}

function bridgeNodes({ user }: StandState, { lab, index }: Pick<Want, 'lab' | 'index'>): string[] {
  const bridges = [...aliasesOf(lab).keys()].flatMap((alias) =>
    bridgesOf({ lab: lab.name, user: user.userid }, alias, index),
  );
  return sortedUnique(bridges.map((bridge) => bridge.node));
}

/** Where the stand's objects already are, its home first; several nodes when it was torn by hand. */
function presentNodes(state: StandState, { lab, index }: Want): string[] {
  const nodes = sortedUnique([...state.present.values()].map((vm) => vm.node));
  if (nodes.length > 0) {
    // Where its networks are is its home: one machine alone was moved away from there.
    const bridges = new Set(bridgeNodes(state, { lab, index }));
    return [...nodes.filter((node) => bridges.has(node)), ...nodes.filter((node) => !bridges.has(node))];
  }
  // A clone under way may still be on its template's node; the claim tells where it goes.
  const isBegun = [...state.open.values()].some(({ isInFlight }) => isInFlight);
  if (isBegun && state.claim) {
    const node =
      state.claim.node ?? nodeOfClaim(state.claim, { pool: state.user.pool, user: state.user.userid }, index);
    if (node !== undefined) return [node];
  }
  // A move that was cut short leaves bridges on both nodes: without a machine they tear nothing.
  const bridges = bridgeNodes(state, { lab, index });
  const home = bridges.find((node) => node === state.claim?.node) ?? bridges[0];
  return home === undefined ? [] : [home];
}

/** VMs that were moved away from the networks of their stand, and the way back; empty: there are none. */
function tornAway(
  state: StandState,
  home: string,
  { lab }: Want,
): { readonly says: string; readonly hint: string } | undefined {
  const wired = new Set(
    lab.machines.filter((machine) => ownNetworks(machine).length > 0).map(({ name }) => name),
  );
  const away = [...state.present].filter(([name, { node }]) => node !== home && wired.has(name));
  if (away.length === 0) return undefined;
  const which = away.map(([name, { vmid, node }]) => `VM ${vmid} (${name}) to ${node}`).join(', ');
  const commands = away.map(([, vm]) => asRoot(vm, moveCommand(vm, home, vm.power !== 'stopped')));
  return {
    says: `somebody moved ${which}, away from the networks of the stand, which are on ${home} and do not reach there`,
    hint: commands.join('; '),
  };
}

function pinNotes({ user }: StandState, node: string, { placement }: Lab): string[] {
  const pinned = placement.pin?.[user.userid];
  if (!pinned || pinned.includes(node)) return [];
  return [`pinned to ${pinned.join(', ')}, but already on ${node}: deploy moves no stand`];
}

/** A stand that has something stays where it is; undefined: it has nothing yet. */
export function presentSeat(state: StandState, request: Want): Seat | Refusal | undefined {
  const { lab, have, index, machines } = request;
  const nodes = presentNodes(state, request);
  const [node, other] = nodes;
  if (node === undefined) return undefined;
  const incomplete = lab.machines.some((machine) => !state.present.has(machine.name));
  const isTakenOver = [...state.present.values()].some((vm) => vm.takenOver);
  const torn = other === undefined || isSpread(lab) ? undefined : tornAway(state, node, request);
  if (other !== undefined && (incomplete || isTakenOver) && isBoundToNode(lab)) {
    return {
      code: 'STAND_TORN',
      message: `the VMs of ${state.user.userid} are on ${nodes.join(' and ')}; their own networks do not reach across nodes${torn ? `: ${torn.says}` : ''}`,
      hint: `${torn?.hint ?? 'bring the VMs together on one node'}, then run again`,
    };
  }
  const here = isSpread(lab) ? machinesOn(node, machines) : machines;
  const obstacle = incomplete ? standNodeObstacle(node, { lab, machines: here }, { have, index }) : undefined;
  const way = obstacle && wayOut(obstacle, node);
  if (obstacle === undefined) {
    const notes = [...(torn ? [`${torn.says}; ${torn.hint}`] : []), ...pinNotes(state, node, lab)];
    return { node, why: 'already there', notes };
  }
  return {
    code: 'NODE_UNFIT',
    message: `the stand of ${state.user.userid} is on ${node} and cannot be completed there: ${sayObstacle(obstacle, node)}`,
    hint: way === undefined ? 'mend this and run again' : `${way}, then run again`,
  };
}
