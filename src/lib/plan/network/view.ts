/** The bridges of every node with owner, state and users, out of the inventory. Decides nothing. */
import { addTo } from '../../group.ts';
import type { BridgeInfo, Inventory, NodeNetwork, PendingRow } from '../../inventory/types.ts';
import { parseBridgeMark, type BridgeMark } from '../../marks/bridge.ts';
import { sinceOf } from '../../marks/time.ts';
import { USUAL_KIND, type GuestKind } from '../../pve-values/guest-kinds.ts';
import { parseRemovedBridge } from '../../pve-values/removed-bridge.ts';
import { compareNatural } from '../../order.ts';
import { stagedByOthers } from './foreign-pending.ts';
import { formatVmids } from '../../marks/vmid-ranges.ts';

/**
 * `staged`: new, waits for an apply. `changing`: up, and a change of it waits. `down`: configured, but not up, which is
 * what a failed apply leaves. `going`: its removal waits.
 */
export type BridgeState = 'active' | 'staged' | 'changing' | 'down' | 'going';

export interface BridgeGuest {
  readonly vmid: number;
  readonly type: GuestKind;
  /** Only a snapshot of it names the bridge. */
  readonly inSnapshot?: true;
}

export interface BridgeRow {
  readonly node: string;
  readonly iface: string;
  readonly owner: 'stand' | 'reserved' | 'foreign';
  /** Of a stand's bridge. */
  readonly user?: string;
  readonly lab?: string;
  readonly network?: string;
  /** Of ours: when it was made, ISO 8601 UTC. */
  readonly since?: string;
  readonly vlanAware: boolean;
  readonly ports: string;
  readonly comments: string;
  readonly state: BridgeState;
  /** Who names it, as it is or in a snapshot, by VMID; null: the guests of this node were not read. */
  readonly guests: readonly BridgeGuest[] | null;
}

export interface BridgeReport {
  readonly bridges: readonly BridgeRow[];
  /** A name that is not in the list need not be free. */
  readonly mayBeShort: boolean;
  /** What the list cannot show, and what waits on the nodes. */
  readonly notes: readonly string[];
}

/** Guests of one node by the bridge they name. */
export type NodeUse = ReadonlyMap<string, readonly BridgeGuest[]>;

/** Node → who names what; nodes whose guests were not read are missing. */
export function indexBridgeUse(have: Inventory): ReadonlyMap<string, NodeUse> {
  const types = new Map(have.guests.map((guest) => [guest.vmid, guest.type]));
  const use = new Map(have.bridgeUseNodes.map((node) => [node, new Map<string, BridgeGuest[]>()]));
  for (const { vmid, node, bridges, snapshotBridges } of [...have.bridgeUse].sort(
    (a, b) => a.vmid - b.vmid,
  )) {
    const ofNode = use.get(node);
    const now = new Set(bridges);
    for (const iface of new Set([...now, ...snapshotBridges])) {
      const guest: BridgeGuest = {
        ...{ vmid, type: types.get(vmid) ?? USUAL_KIND },
        ...(now.has(iface) ? {} : { inSnapshot: true }),
      };
      if (ofNode) addTo(ofNode, iface, guest);
    }
  }
  return use;
}

function ownerFields(
  mark: BridgeMark | undefined,
  comments: string,
): Pick<BridgeRow, 'owner' | 'user' | 'lab' | 'network' | 'since'> {
  if (!mark) return { owner: 'foreign' };
  const since = sinceOf(comments);
  const made = since === undefined ? {} : { since };
  if (mark.kind === 'reserved') return { owner: 'reserved', ...made };
  return { owner: 'stand', user: mark.user, lab: mark.lab, network: mark.net, ...made };
}

function stateOf(info: BridgeInfo, pending: PendingRow | undefined): BridgeState {
  if (!pending) return info.active ? 'active' : 'down';
  return info.active ? 'changing' : 'staged';
}

/** All bridges of one node, in natural order. */
export function viewNode({ node, bridges, pending }: NodeNetwork, use: NodeUse | undefined): BridgeRow[] {
  const guests = (iface: string) => (use ? (use.get(iface) ?? []) : null);
  const waiting = new Map(pending.map((row) => [row.iface, row]));
  const rows = bridges.map((info): BridgeRow => {
    const { iface, vlanAware, ports, comments } = info;
    return {
      node,
      iface,
      ...ownerFields(parseBridgeMark(iface, comments), comments),
      vlanAware,
      ports: ports.join(' '),
      comments,
      state: stateOf(info, waiting.get(iface)),
      guests: guests(iface),
    };
  });
  const going = pending.flatMap((row): BridgeRow[] => {
    const removed = row.change === 'removed' ? parseRemovedBridge(row.text) : undefined;
    if (!removed) return [];
    const { iface } = row;
    const { comments, vlanAware, ports } = removed;
    const owner = ownerFields(parseBridgeMark(iface, comments), comments);
    const was = { vlanAware, ports: ports.join(' '), comments };
    return [{ node, iface, ...owner, ...was, state: 'going', guests: guests(iface) }];
  });
  return [...rows, ...going].sort((a, b) => compareNatural(a.iface, b.iface));
}

/** PVE lets a guest name a bridge that does not exist, so one that is not listed proves nothing either way. */
function unlisted(rows: readonly BridgeRow[], use: NodeUse, have: Inventory): [string, string][] {
  const known = new Set([...rows.map((row) => row.iface), ...have.vnets, '*']);
  return [...use]
    .map(([iface, guests]) => [iface, guests.filter(({ inSnapshot }) => inSnapshot !== true)] as const)
    .filter(([iface, guests]) => !known.has(iface) && guests.length > 0)
    .sort(([a], [b]) => compareNatural(a, b))
    .map(([iface, guests]) => [iface, formatVmids(guests.map(({ vmid }) => vmid))]);
}

function nodeNotes(
  network: NodeNetwork,
  rows: readonly BridgeRow[],
  use: NodeUse | undefined,
  have: Inventory,
): string[] {
  const { node } = network;
  if (!network.readable) return [`${node} is not listed: it is offline, or its network cannot be read`];
  const foreign = stagedByOthers(network)?.ifaces ?? [];
  const unreadable = use?.get('*') ?? [];
  return [
    ...(foreign.length === 0
      ? []
      : [`on ${node}, network changes that are not ours wait to be applied: ${foreign.join(', ')}`]),
    ...(unreadable.length === 0
      ? []
      : [
          `on ${node}, guest ${formatVmids(unreadable.map(({ vmid }) => vmid))} cannot be read and may use any bridge`,
        ]),
    ...(use ? unlisted(rows, use, have) : []).map(
      ([iface, guests]) =>
        `on ${node}, guest ${guests} names ${iface}, which is not listed: it does not exist, or is hidden from the caller`,
    ),
  ];
}

/** Words for what the caller's rights hide. */
export function hiddenNotes({ hidden }: Inventory): string[] {
  return [
    ...(hidden?.bridges === true
      ? [
          'the list of bridges may be short: the caller lacks SDN.Audit on /sdn/zones/localnetwork; a name that is not listed need not be free',
        ]
      : []),
    ...(hidden?.guests === true
      ? [
          'guests may be hidden: the caller lacks VM.Audit on /vms; a bridge that no listed guest names may be in use',
        ]
      : []),
  ];
}

/** Up, and no change of ours on it is staged that was never applied. */
export function isInForce(
  { iface, active }: Pick<BridgeInfo, 'iface' | 'active'>,
  network: NodeNetwork | undefined,
): boolean {
  return active && network?.pending.some((row) => row.iface === iface && row.ours) !== true;
}

/** The nodes' networks in natural order; `nodes` undefined: all. */
export function networksOf(have: Inventory, nodes: readonly string[] | undefined): NodeNetwork[] {
  return have.networks
    .filter(({ node }) => nodes?.includes(node) ?? true)
    .sort((a, b) => compareNatural(a.node, b.node));
}

export function viewBridges(have: Inventory, nodes?: readonly string[]): BridgeReport {
  const index = indexBridgeUse(have);
  const views = networksOf(have, nodes).map((network) => {
    const use = index.get(network.node);
    return { network, use, rows: viewNode(network, use) };
  });
  const isShort = views.some(({ rows, use }) => use !== undefined && unlisted(rows, use, have).length > 0);
  return {
    bridges: views.flatMap(({ rows }) => rows),
    mayBeShort: isShort || have.hidden?.bridges === true,
    notes: [
      ...hiddenNotes(have),
      ...views.flatMap(({ network, rows, use }) => nodeNotes(network, rows, use, have)),
    ],
  };
}
