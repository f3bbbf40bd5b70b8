/** The one rule on whether a bridge may be used by a stand, shared, taken over or removed. Knows no texts and plans no step. */
import { isAdoptableName } from '../../pve-values/bridge-name.ts';
import type { BridgeInfo } from '../../inventory/types.ts';
import { parseBridgeMark, type StandMark } from '../../marks/bridge.ts';
import type { Guests } from '../cluster/bridge-guests.ts';

/** What the list of its node tells about a bridge. */
export type BridgeFacts = Pick<
  BridgeInfo,
  'iface' | 'comments' | 'ports' | 'addresses' | 'gateways' | 'above'
>;

/** Handlers ask again about the row alone: who names the bridge was asked when it was planned. */
export const PLANNED = 'planned';

export type Wish =
  /** As the network of a stand. */
  | { readonly to: 'use'; readonly stand: Omit<StandMark, 'kind'> }
  /** As one that all may use: real and reserved ones. `change`: it is to become VLAN-aware. */
  | { readonly to: 'share'; readonly change: boolean }
  /** By writing a stand's mark into its empty comment. */
  | ({ readonly to: 'take-over'; readonly guests: Guests | typeof PLANNED } & LedTo)
  | { readonly to: 'remove'; readonly guests: Guests | typeof PLANNED }
  /** Without a mark, as the older tool made them. */
  | ({ readonly to: 'remove-adopted'; readonly guests: Guests | typeof PLANNED } & LedTo);

/** A network card of a VM that is taken over leads to it, which somebody else may have set: led-to.ts. */
export const BY_OTHERS = 'by-others';

/** Of a bridge without a mark: does a network of the stand's own lead to it, from a VM that is taken over? */
export interface LedTo {
  readonly isLedTo: boolean | typeof BY_OTHERS | typeof PLANNED;
}

/** Why it may not. */
export type BridgeObstacle =
  /** Its number is none that the older tool, or we, would give. */
  | { readonly code: 'number' }
  /** Without a mark, only such a network tells whose it is. */
  | { readonly code: 'not-led-to' }
  /** An administrator's bare bridge looks the same, and whoever uses the VM may have plugged it in. */
  | { readonly code: 'led-by-others' }
  | { readonly code: 'unmarked' }
  | { readonly code: 'comment'; readonly comment: string }
  | { readonly code: 'reserved' }
  | { readonly code: 'stand'; readonly stand: Omit<StandMark, 'kind'> }
  | { readonly code: 'ports'; readonly ports: readonly string[] }
  | { readonly code: 'address'; readonly addresses: readonly string[] }
  | { readonly code: 'gateway'; readonly gateways: readonly string[] }
  /** Interfaces that are built on it. */
  | { readonly code: 'below'; readonly above: readonly string[] }
  | { readonly code: 'guests-hidden' }
  | { readonly code: 'guests-unread' }
  | { readonly code: 'guests-unreadable'; readonly vmids: readonly number[] }
  | { readonly code: 'guests'; readonly vmids: readonly number[] }
  /** Their snapshots alone name it. */
  | { readonly code: 'snapshots'; readonly vmids: readonly number[] };

function unlessBare({ isLedTo }: LedTo, { iface, comments }: BridgeFacts): BridgeObstacle | undefined {
  const comment = comments.trim();
  if (!isAdoptableName(iface)) return { code: 'number' };
  if (comment !== '') return { code: 'comment', comment };
  if (isLedTo === BY_OTHERS) return { code: 'led-by-others' };
  return isLedTo === false ? { code: 'not-led-to' } : undefined;
}

/** Whose it is. */
function ownership(wish: Wish, bridge: BridgeFacts): BridgeObstacle | undefined {
  const mark = parseBridgeMark(bridge.iface, bridge.comments.trim());
  if (wish.to === 'share') {
    if (mark?.kind === 'stand') return { code: 'stand', stand: mark };
    return wish.change && !mark ? { code: 'unmarked' } : undefined;
  }
  if (wish.to === 'take-over' || wish.to === 'remove-adopted') return unlessBare(wish, bridge);
  if (!mark) return { code: 'unmarked' };
  if (mark.kind === 'reserved') return { code: 'reserved' };
  if (wish.to === 'remove') return undefined;
  const { lab, user, net } = wish.stand;
  const isThis = mark.lab === lab && mark.user === user && mark.net === net;
  return isThis ? undefined : { code: 'stand', stand: mark };
}

/** What somebody has made of it: then it leads further than from one VM of a stand to the next. */
function attached({ ports, addresses, gateways, above }: BridgeFacts): BridgeObstacle | undefined {
  if (ports.length > 0) return { code: 'ports', ports };
  if (addresses.length > 0) return { code: 'address', addresses };
  if (gateways.length > 0) return { code: 'gateway', gateways };
  return above.length > 0 ? { code: 'below', above } : undefined;
}

function named({ hidden, read, unreadable, naming, inSnapshots }: Guests): BridgeObstacle | undefined {
  if (hidden) return { code: 'guests-hidden' };
  if (!read) return { code: 'guests-unread' };
  if (naming.length > 0) return { code: 'guests', vmids: naming };
  if (inSnapshots.length > 0) return { code: 'snapshots', vmids: inSnapshots };
  return unreadable.length > 0 ? { code: 'guests-unreadable', vmids: unreadable } : undefined;
}

/** Undefined: it may. */
export function bridgeObstacle(wish: Wish, bridge: BridgeFacts): BridgeObstacle | undefined {
  const own = ownership(wish, bridge);
  if (own || wish.to === 'share') return own;
  const grown = attached(bridge);
  if (grown || wish.to === 'use' || wish.guests === PLANNED) return grown;
  return named(wish.guests);
}
