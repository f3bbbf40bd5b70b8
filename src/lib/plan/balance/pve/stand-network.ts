/** Bridges of stands that move: made on the target before, removed from the source after; one reload each. */
import { addTo } from '../../../group.ts';
import type { MarkedNetwork } from '../../cluster/stand-networks.ts';
import { foreignRows, stagedRemovalsByNode } from '../../network/foreign-pending.ts';
import { bridgeObstacle } from '../../network/may-go.ts';
import { obstacleText } from '../../network/may-go-text.ts';
import { changeNetwork, forceId, makeNetwork, putIntoForce, removeNetwork } from '../../network/steps.ts';
import { isInForce } from '../../network/view.ts';
import type { NetworkApply, NetworkEdit, NetworkRemoval } from '../../document/network-steps.ts';
import { stepId } from '../../document/step.ts';
import { isOlder, markTime, sinceOf } from '../../../marks/time.ts';
import { compareNatural, compareText, sortedUnique } from '../../../order.ts';
import type { PlannedBridge } from '../../document/plan.ts';
import type { ChosenMove } from '../core/draft.ts';
import { standKey, type Stand } from '../core/types.ts';
import type { World } from './world.ts';

export interface StandNetwork {
  /** Edits and reloads, targets first. */
  readonly before: readonly (NetworkEdit | NetworkApply)[];
  readonly after: readonly (NetworkRemoval | NetworkApply)[];
  /** `lab user` → what its migrations wait for. */
  readonly waits: ReadonlyMap<string, readonly string[]>;
  /** `lab user` → bridges it has on its new node. */
  readonly planned: ReadonlyMap<string, readonly PlannedBridge[]>;
  /** Nodes whose guests' NICs have to be known before a bridge may go. */
  readonly needs: readonly string[];
  readonly warnings: readonly string[];
}

interface MovedStand {
  readonly stand: Stand;
  /** More than one only when parts of it that share no network move apart. */
  readonly to: readonly string[];
  readonly vmids: readonly number[];
}

function movedStands(moves: readonly ChosenMove[], world: World): MovedStand[] {
  const stands = new Map<string, { stand: Stand; to: string[]; vmids: number[] }>();
  for (const { unit, to } of moves) {
    for (const stand of unit.stands) {
      const key = standKey(stand);
      const entry = stands.get(key) ?? { stand, to: [], vmids: [] };
      if (!entry.to.includes(to)) entry.to.push(to);
      for (const vmid of unit.vmids) {
        const own = world.stands.get(vmid);
        if (own && standKey(own) === key) entry.vmids.push(vmid);
      }
      stands.set(key, entry);
    }
  }
  return [...stands].sort(([a], [b]) => compareText(a, b)).map(([, entry]) => entry);
}

/** The stand's bridges as they are elsewhere, one per name. */
function bridgesToHave(stand: Stand, to: string, world: World): MarkedNetwork[] {
  const rows = (world.standBridges.get(standKey(stand)) ?? []).filter(({ node }) => node !== to);
  return [...new Map(rows.map((row) => [row.info.iface, row])).values()].sort((a, b) =>
    compareNatural(a.info.iface, b.info.iface),
  );
}

/** Under the same name: numbers are given out cluster-wide, and the NICs name them. */
function editFor(
  row: MarkedNetwork,
  { stand, to }: { stand: Stand; to: string },
  world: World,
): NetworkEdit | undefined {
  const { iface, vlanAware } = row.info;
  const there = world.hosts.bridges.get(to)?.get(iface);
  const frame = {
    user: stand.user,
    reason: `for network ${row.net} of the stand that comes from ${row.node}`,
  };
  if (!there) {
    const mark = { kind: 'stand', lab: stand.lab, user: stand.user, net: row.net } as const;
    const own = world.standVmids.get(standKey(stand)) ?? [];
    return makeNetwork({ node: to, iface, vlanAware, mark, since: markTime(world.have.now), own }, frame);
  }
  if (!vlanAware || there.vlanAware) return undefined;
  return changeNetwork({ node: to, info: there }, { vlanAware: true }, frame);
}

interface Prepared {
  readonly edits: NetworkEdit[];
  /** Node → bridges that have to be up. */
  readonly up: Map<string, string[]>;
  readonly waits: Map<string, string[]>;
  readonly planned: Map<string, PlannedBridge[]>;
}

function prepareOn(stand: Stand, to: string, world: World, out: Prepared): void {
  const key = standKey(stand);
  for (const row of bridgesToHave(stand, to, world)) {
    const { iface } = row.info;
    const edit = editFor(row, { stand, to }, world);
    const there = world.hosts.bridges.get(to)?.get(iface);
    const isUp = !edit && there !== undefined && isInForce(there, world.hosts.networks.get(to));
    if (edit) out.edits.push(edit);
    if (!isUp) {
      addTo(out.up, to, iface);
      for (const id of [...(edit ? [edit.id] : []), forceId(to)]) addTo(out.waits, key, id);
    }
    addTo(out.planned, key, { node: to, iface, alias: row.net });
  }
}

function prepare(stands: readonly MovedStand[], world: World): Prepared {
  const prepared: Prepared = { edits: [], up: new Map(), waits: new Map(), planned: new Map() };
  for (const { stand, to } of stands) for (const node of to) prepareOn(stand, node, world, prepared);
  return prepared;
}

interface Leftover {
  readonly row: MarkedNetwork;
  readonly stand: Stand;
  readonly reason: string;
  /** Migrations that must have succeeded. */
  readonly vmids: readonly number[];
}

function ofMoved({ stand, to, vmids }: MovedStand, world: World): Leftover[] {
  return (world.standBridges.get(standKey(stand)) ?? [])
    .filter(({ node }) => !to.includes(node))
    .map((row) => ({ row, stand, vmids, reason: `its stand is then on ${to.join(', ')}` }));
}

/** What a run that was killed left behind: the stand is elsewhere, with a bridge of that name. Younger ones may be in the making. */
function ofSettled(world: World, moved: ReadonlySet<string>): Leftover[] {
  const nodes = new Map<string, { stand: Stand; on: Set<string>; isBusy: boolean }>();
  for (const [vmid, stand] of world.stands) {
    const key = standKey(stand);
    const guest = world.guests.get(vmid);
    if (!guest || moved.has(key) || !world.standBridges.has(key)) continue;
    const entry = nodes.get(key) ?? { stand, on: new Set(), isBusy: false };
    entry.on.add(guest.node);
    entry.isBusy ||= guest.lock !== undefined || world.history.of.get(vmid)?.busy !== undefined;
    nodes.set(key, entry);
  }
  return [...nodes].flatMap(([key, { stand, on, isBusy }]): Leftover[] => {
    const [home] = on;
    const rows = world.standBridges.get(key) ?? [];
    if (on.size !== 1 || isBusy || home === undefined) return [];
    const atHome = new Set(
      rows.filter(({ node, info }) => node === home && info.active).map(({ info }) => info.iface),
    );
    return rows
      .filter(({ node, info }) => node !== home && atHome.has(info.iface))
      .filter(({ info }) =>
        isOlder(sinceOf(info.comments), Math.max(world.config.cooldown, 3600), world.have.now),
      )
      .map((row) => ({ row, stand, vmids: [], reason: `left by an earlier run; its stand is on ${home}` }));
  });
}

interface Removal {
  readonly deletes: NetworkRemoval[];
  readonly needs: Set<string>;
  readonly warnings: string[];
}

function reasonToStay({ row, vmids }: Leftover, world: World): string | undefined {
  const { node, info } = row;
  const network = world.hosts.networks.get(node);
  if (network?.readable !== true) return 'the network of the node cannot be read';
  const guests = world.bridgeGuests.on(node, info.iface, (vmid) => vmids.includes(vmid));
  const obstacle = bridgeObstacle({ to: 'remove', guests }, info);
  if (obstacle) return obstacleText(obstacle);
  return foreignRows(network).length > 0 ? 'network changes that are not ours are staged there' : undefined;
}

function removals(leftovers: readonly Leftover[], world: World): Removal {
  const out: Removal = { deletes: [], needs: new Set(), warnings: [] };
  for (const leftover of leftovers) {
    const { row, stand, vmids, reason } = leftover;
    const { node, info } = row;
    const isKnown = world.bridgeUseNodes.has(node);
    const stays = isKnown ? reasonToStay(leftover, world) : undefined;
    if (!isKnown && world.nodes.get(node)?.online === true) out.needs.add(node);
    else if (!isKnown) out.warnings.push(`bridge ${info.iface} on ${node} stays: the node is offline`);
    if (stays !== undefined) out.warnings.push(`bridge ${info.iface} on ${node} stays: ${stays}`);
    if (!isKnown || stays !== undefined) continue;
    const dependsOn = vmids.map((vmid) => stepId('vm.migrate', vmid));
    out.deletes.push(removeNetwork({ node, info }, { user: stand.user, reason, dependsOn }));
  }
  return out;
}

/**
 * A node that also takes stands is reloaded once before, for those, and once at the end. The reload of several stands'
 * removals goes ahead when one of them failed; that of one stand is skipped with it.
 */
function reloadsAfter(
  deletes: readonly NetworkRemoval[],
  reloadedBefore: ReadonlySet<string>,
  world: World,
): NetworkApply[] {
  const goesOn = new Set(deletes.map(({ node }) => node));
  const gone = stagedRemovalsByNode(world.hosts.networks.values());
  for (const node of reloadedBefore) if (!goesOn.has(node)) gone.delete(node);
  return putIntoForce({ edits: deletes, gone }, ({ node, edits }) => ({
    reason: 'once, for all that go',
    ...(new Set(edits.map(({ user }) => user)).size === 1 ? { dependsOn: edits.map(({ id }) => id) } : {}),
    ...(reloadedBefore.has(node) ? { key: `${node}/removal` } : {}),
  }));
}

export function planStandNetwork(moves: readonly ChosenMove[], world: World): StandNetwork {
  const stands = movedStands(moves, world);
  const prepared = prepare(stands, world);
  const reloads = putIntoForce(prepared, () => ({ reason: 'once, for all stands that come here' }));
  const moved = new Set(stands.map(({ stand }) => standKey(stand)));
  const leftovers = [...stands.flatMap((stand) => ofMoved(stand, world)), ...ofSettled(world, moved)].sort(
    (a, b) => compareNatural(a.row.node, b.row.node) || compareNatural(a.row.info.iface, b.row.info.iface),
  );
  const { deletes, needs, warnings } = removals(leftovers, world);
  const reloadedBefore = new Set(reloads.map(({ node }) => node));
  return {
    before: [...prepared.edits, ...reloads],
    after: [...deletes, ...reloadsAfter(deletes, reloadedBefore, world)],
    waits: prepared.waits,
    planned: prepared.planned,
    needs: sortedUnique(needs),
    warnings,
  };
}
