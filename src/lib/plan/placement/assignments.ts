/** Gives every stand of a plan its node, or the reason why it gets none. Places by the lab's strategy, within limits. */
import { isBoundToNode } from '../../config/lab/networks.ts';
import { groupBy } from '../../group.ts';
import type { Lab } from '../../config/types.ts';
import { Board, type Apart, type Block } from './board.ts';
import { resourceKey, type Demand, type Ledger } from './capacity.ts';
import { describeShortage, type Left } from './capacity-text.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Inventory } from '../../inventory/types.ts';
import { sortedUnique } from '../../order.ts';
import type { Pins } from '../cluster/pins.ts';
import { nodeOfClaim, noNodeRefusal, type NodeChoice } from './nodes.ts';
import { presentSeat, type Seat } from './present-seat.ts';
import { sayObstacle } from '../obstacles/obstacle-text.ts';
import { strategyOf } from './strategies/strategies.ts';
import type { StandState } from '../stands/state.ts';
import type { Refusal } from '../document/plan.ts';

export interface SeatRequest {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly machines: readonly ResolvedMachine[];
  readonly choice: NodeChoice;
  /** Stands that are not refused for reasons of their own, in natural order. */
  readonly states: readonly StandState[];
  readonly ledger: Ledger;
  readonly demandOf: (state: StandState, node: string) => Demand;
  readonly pins: Pins;
}

export interface Seats {
  /** By userid; one entry for each of `states`. */
  readonly of: ReadonlyMap<string, Seat | Refusal>;
  /** Set when stands found no room: what fits, what is full, with numbers. */
  readonly shortage?: Refusal;
}

/** Userid → node, of the lab's stands that stay where they are, whether this plan is about them or not. */
function seatedUsers(request: SeatRequest, fixed: ReadonlyMap<string, Seat | Refusal>): Map<string, string> {
  const seated = new Map<string, string>();
  const planned = new Set(request.states.map((state) => state.user.userid));
  for (const [pool, { user, claims }] of request.index.marks) {
    const claim = claims.find((candidate) => candidate.lab === request.lab.name);
    if (user === undefined || !claim || planned.has(user)) continue;
    const node = nodeOfClaim(claim, { pool, user }, request.index);
    if (node !== undefined) seated.set(user, node);
  }
  for (const [user, seat] of fixed) if ('node' in seat) seated.set(user, seat.node);
  return seated;
}

function apartGroups(request: SeatRequest, seated: ReadonlyMap<string, string>): Apart[] {
  const users = new Set([...seated.keys(), ...request.states.map((state) => state.user.userid)]);
  return (request.lab.placement.spread ?? []).map((group) => {
    const members = group.filter((user) => users.has(user));
    const counts = new Map<string, number>();
    for (const user of members) {
      const node = seated.get(user);
      if (node !== undefined) counts.set(node, (counts.get(node) ?? 0) + 1);
    }
    return { most: Math.ceil(members.length / Math.max(1, request.choice.eligible.length)), counts };
  });
}

function sayOf(node: string, { obstacles }: NodeChoice): string | undefined {
  const obstacle = obstacles.get(node);
  return obstacle && sayObstacle(obstacle, node);
}

interface Draft {
  readonly states: readonly StandState[];
  readonly nodes: readonly string[];
  /** Of a block that has nowhere to go. */
  readonly refused?: Refusal;
}

/** Nodes for stands that have to sit together, less those that pins and seated members rule out. */
function draftBlock(
  states: readonly StandState[],
  together: readonly string[],
  request: SeatRequest,
  seated: ReadonlyMap<string, string>,
): Draft {
  const { lab, choice } = request;
  if (choice.eligible.length === 0) return { states, nodes: [], refused: noNodeRefusal(lab, choice) };
  const reasons: string[] = [];
  let nodes = choice.eligible;
  for (const { user } of states) {
    const pinned = lab.placement.pin?.[user.userid];
    if (!pinned) continue;
    nodes = nodes.filter((node) => pinned.includes(node));
    reasons.push(`${user.userid} is pinned to ${pinned.join(', ')}`);
    reasons.push(...pinned.flatMap((node) => sayOf(node, choice) ?? []));
  }
  const there = sortedUnique(together.flatMap((user) => seated.get(user) ?? []));
  if (there.length > 0) {
    nodes = nodes.filter((node) => there.includes(node));
    reasons.push(`those it belongs together with are on ${there.join(', ')}`);
    reasons.push(...there.flatMap((node) => sayOf(node, choice) ?? []));
  }
  if (nodes.length > 0) return { states, nodes };
  return {
    states,
    nodes,
    refused: {
      code: 'NO_NODE',
      message: `no node is left for ${states.map(({ user }) => user.userid).join(', ')}: ${[...new Set(reasons)].join('; ')}`,
      hint: 'change `placement.pin` or `placement.together`, or mend the node',
    },
  };
}

function toBlock({ states, nodes }: Draft, { lab, demandOf }: SeatRequest): Block {
  const [first] = states;
  const single = states.length === 1 ? first : undefined;
  const demands = new Map(
    nodes.map((node) => [
      node,
      single ? demandOf(single, node) : addUp(states.map((state) => demandOf(state, node))),
    ]),
  );
  const users = new Set(states.map(({ user }) => user.userid));
  const groups = (lab.placement.spread ?? []).flatMap((group, index) =>
    group.some((user) => users.has(user)) ? [index] : [],
  );
  const sizes = [...demands].map(([node, demand]) => `${node} ${[...demand.values()].join(' ')}`);
  return { states, nodes, demands, groups, shape: [...sizes, groups.join(' ')].join('; ') };
}

function addUp(demands: readonly Demand[]): Demand {
  const sum = new Map<string, number>();
  for (const demand of demands)
    for (const [key, amount] of demand) sum.set(key, (sum.get(key) ?? 0) + amount);
  return sum;
}

/** Blocks of what is still to be seated, by their first stand. */
function draftBlocks(
  open: readonly StandState[],
  request: SeatRequest,
  seated: ReadonlyMap<string, string>,
): Draft[] {
  const groupOf = new Map<string, readonly string[]>();
  for (const group of request.lab.placement.together ?? [])
    for (const user of group) groupOf.set(user, group);
  const members = groupBy<unknown, StandState>(open, (state) => groupOf.get(state.user.userid) ?? state);
  return [...members].map(([group, states]) =>
    draftBlock(states, Array.isArray(group) ? (group as readonly string[]) : [], request, seated),
  );
}

/** The node that a saved plan chose for all stands of the block. */
function pinnedNode({ states }: Block, { pins }: SeatRequest): string | undefined {
  const [node, other] = new Set(states.map(({ user }) => pins.nodes.get(user.userid)));
  return other === undefined ? node : undefined;
}

/**
 * A claim alone is a wish: kept where it can be, so that a run that was stopped goes on as it began. After it comes the
 * choice of a saved plan, which was made with a look at the load: how that is now does not matter.
 */
function placeWished(blocks: readonly Block[], board: Board, request: SeatRequest): void {
  for (const block of blocks) {
    const claimed = block.states.find((state) => state.claim?.node !== undefined)?.claim?.node;
    const pinned = pinnedNode(block, request);
    const isPossible = (node: string): boolean =>
      block.nodes.includes(node) &&
      (node === pinned ? board.isApart(block, node) : board.canTake(block, node));
    const node = [claimed, pinned].find((wish) => wish !== undefined && isPossible(wish));
    if (node !== undefined) board.put(block, node);
  }
}

function movedNotes(state: StandState, node: string, { lab, choice, have }: SeatRequest): string[] {
  const claimed = state.claim?.node;
  if (claimed === undefined || claimed === node) return [];
  const why = sayOf(claimed, choice) ?? `no room is left there, or the lab keeps it off ${claimed}`;
  const isOff = have.nodes.find((info) => info.name === claimed)?.online !== true;
  const rest =
    isOff && isBoundToNode(lab)
      ? `; bridges that ${claimed} may have of it go with \`bridges prune\` when the node is back`
      : '';
  return [`was to go to ${claimed} and has nothing there: made on ${node} instead (${why})${rest}`];
}

function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`;
}

/** `61 % memory after, was 48 %`: of the whole node, with the whole plan. */
function loadText(node: string, ledger: Ledger): string {
  const memory = ledger.resources.get(resourceKey.memory(node));
  if (!memory) return '';
  return `${percent(ledger.taken(memory.key), memory.total)} memory after, was ${percent(memory.before, memory.total)}`;
}

function reasonFor(block: Block, node: string, found: string | undefined, request: SeatRequest): string {
  const { pin = {} } = request.lab.placement;
  const extra = [
    ...(block.states.length > 1 ? [`together with ${block.states.length - 1} more`] : []),
    ...(block.states.some(({ user }) => pin[user.userid]) ? ['pinned'] : []),
  ];
  const wish = block.states.some((state) => state.claim?.node === node)
    ? 'claimed there'
    : node === pinnedNode(block, request)
      ? 'as planned'
      : undefined;
  const base = strategyOf(request.lab).reason ?? wish ?? found;
  return [...(base === undefined ? [] : [base]), ...extra].join(', ');
}

/** Deterministic: neither the order of users nor that of the inventory matters. */
export function assignSeats(request: SeatRequest): Seats {
  const { lab, states, ledger, demandOf, pins } = request;
  const seats = new Map<string, Seat | Refusal>();
  for (const state of states) {
    const seat = presentSeat(state, request);
    if (seat) seats.set(state.user.userid, seat);
  }
  const seated = seatedUsers(request, seats);
  const board = new Board(ledger, apartGroups(request, seated));
  const left: Left[] = [];
  for (const state of states) {
    const seat = seats.get(state.user.userid);
    if (!seat || !('node' in seat)) continue;
    const demand = demandOf(state, seat.node);
    if (pins.nodes.get(state.user.userid) === seat.node || ledger.fits(demand)) ledger.take(demand);
    else left.push({ states: [state], nodes: [{ node: seat.node, demand, isApart: true }] });
  }
  const blocks: Block[] = [];
  const open = states.filter((state) => !seats.has(state.user.userid));
  for (const draft of draftBlocks(open, request, seated)) {
    if (draft.refused) for (const { user } of draft.states) seats.set(user.userid, draft.refused);
    else blocks.push(toBlock(draft, request));
  }
  placeWished(blocks, board, request);
  const pending = blocks.filter((block) => board.nodeOf(block) === undefined);
  const found = strategyOf(lab).place(pending, board);
  for (const block of blocks) {
    const node = board.nodeOf(block);
    if (node === undefined) {
      left.push({
        states: block.states,
        nodes: block.nodes.map((one) => ({
          node: one,
          demand: board.demand(block, one),
          isApart: board.isApart(block, one),
        })),
      });
      continue;
    }
    const why = [reasonFor(block, node, found.get(block), request), loadText(node, ledger)];
    for (const state of block.states) {
      seats.set(state.user.userid, {
        node,
        why: why.filter((text) => text !== '').join(', '),
        notes: movedNotes(state, node, request),
      });
    }
  }
  if (left.length === 0) return { of: seats };
  const shortage = describeShortage(left, { lab, ledger, total: states.length });
  for (const [user, refusal] of shortage.each) seats.set(user, refusal);
  return { of: seats, shortage: shortage.whole };
}
