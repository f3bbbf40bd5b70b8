/**
 * How networks of stands go: whether one may, by all that is asked of it, and the steps for those that do. Judged here once
 * for each network, wherever a story found it. What becomes of one that stays, and how that is told, is the story's.
 */
import type { BridgeInfo, NodeNetwork } from '../../inventory/types.ts';
import { isOlder, sinceOf } from '../../marks/time.ts';
import type { BridgeGuests } from '../cluster/bridge-guests.ts';
import type { NetworkApply, NetworkRemoval } from '../document/network-steps.ts';
import { stagedByOthers, stagedRemovalsByNode, type StagedByOthers } from './foreign-pending.ts';
import { bridgeObstacle, type BridgeObstacle, type LedTo, type Wish } from './may-go.ts';
import { obstacleText } from './may-go-text.ts';
import { putIntoForce, removeNetwork, type ForceFrame } from './steps.ts';

/** The longest that a run takes from making a network to plugging its machines in, where nobody says otherwise. */
export const LONGEST_MAKING_SECONDS = 3600;

/** Made so lately that the run that made it may be under way, and needs it. `seconds`: how lately that is. */
export function isYoung({ comments }: Pick<BridgeInfo, 'comments'>, now: string, seconds: number): boolean {
  return !isOlder(sinceOf(comments), seconds, now);
}

/** A network that a story has no more use for. */
export interface Leaving {
  readonly node: string;
  readonly info: BridgeInfo;
  /** Of one without a mark. Absent: its mark says that it is a stand's. */
  readonly isLedTo?: LedTo['isLedTo'];
  readonly user?: string | undefined;
  readonly reason: string;
  /** Machines that are not on it any more by then. */
  readonly leaves?: (vmid: number) => boolean;
  /** Steps by which they have left. */
  readonly dependsOn?: readonly string[];
  /** What the story itself has against it, in words. Nobody is asked where something else keeps it. */
  readonly sparedBy?: () => string | undefined;
}

/** Why one stays, the first that holds. */
export type Staying =
  | { readonly code: 'network-unread' }
  | { readonly code: 'obstacle'; readonly obstacle: BridgeObstacle }
  | { readonly code: 'spared'; readonly why: string }
  /** Its removal would put into force what others have staged. */
  | { readonly code: 'staged-by-others'; readonly staged: StagedByOthers };

/** After "stays: ". */
export function stayingText(why: Staying): string {
  switch (why.code) {
    case 'network-unread':
      return 'the network of the node cannot be read';
    case 'obstacle':
      return obstacleText(why.obstacle);
    case 'spared':
      return why.why;
    case 'staged-by-others':
      return 'network changes that are not ours are staged there';
  }
}

interface Present {
  readonly networks: readonly NodeNetwork[];
  readonly bridgeGuests: BridgeGuests;
}

export interface Removals<L extends Leaving> {
  readonly steps: readonly NetworkRemoval[];
  readonly going: readonly L[];
  readonly staying: readonly { readonly one: L; readonly why: Staying }[];
}

function whyStays(
  { node, info, isLedTo, leaves, sparedBy }: Leaving,
  network: NodeNetwork | undefined,
  bridgeGuests: BridgeGuests,
): Staying | undefined {
  if (network?.readable !== true) return { code: 'network-unread' };
  const guests = bridgeGuests.on(node, info.iface, leaves);
  const wish: Wish =
    isLedTo === undefined ? { to: 'remove', guests } : { to: 'remove-adopted', isLedTo, guests };
  const obstacle = bridgeObstacle(wish, info);
  if (obstacle) return { code: 'obstacle', obstacle };
  const why = sparedBy?.();
  if (why !== undefined) return { code: 'spared', why };
  const staged = stagedByOthers(network);
  return staged && { code: 'staged-by-others', staged };
}

/** Each in the order given. */
export function planRemovals<L extends Leaving>(
  leaving: readonly L[],
  { networks, bridgeGuests }: Present,
): Removals<L> {
  const of = new Map(networks.map((network) => [network.node, network]));
  const steps: NetworkRemoval[] = [];
  const going: L[] = [];
  const staying: { one: L; why: Staying }[] = [];
  for (const one of leaving) {
    const { node, info, user, reason, dependsOn = [] } = one;
    const why = whyStays(one, of.get(node), bridgeGuests);
    if (why) {
      staying.push({ one, why });
      continue;
    }
    going.push(one);
    steps.push(removeNetwork({ node, info }, { reason, dependsOn, ...(user === undefined ? {} : { user }) }));
  }
  return { steps, going, staying };
}

/**
 * Puts removals into force, and with them what an earlier run of ours staged and did not apply. `takesRest`: of which node
 * that is done although nothing more goes from it. Default: of each.
 */
export function applyRemovals(
  steps: readonly NetworkRemoval[],
  networks: readonly NodeNetwork[],
  frameOf: ForceFrame,
  takesRest: (node: string) => boolean = () => true,
): NetworkApply[] {
  const goesOn = new Set(steps.map(({ node }) => node));
  const rest = networks.filter(({ node }) => goesOn.has(node) || takesRest(node));
  return putIntoForce({ edits: steps, gone: stagedRemovalsByNode(rest) }, frameOf);
}
