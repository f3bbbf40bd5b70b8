/** Bridges of stands that move: made on the target before, removed from the source after; one reload each. */
import { addTo } from '../../../group.ts';
import type { MarkedNetwork } from '../../cluster/stand-networks.ts';
import { planArrival } from '../../network/arrival.ts';
import {
  applyRemovals,
  isYoung,
  LONGEST_MAKING_SECONDS,
  planRemovals,
  stayingText,
  type Leaving,
} from '../../network/removal.ts';
import { putIntoForce, type ForceFrame } from '../../network/steps.ts';
import type { NetworkApply, NetworkEdit, NetworkRemoval } from '../../document/network-steps.ts';
import { stepId } from '../../document/step.ts';
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

interface Prepared {
  readonly edits: NetworkEdit[];
  /** Node → bridges that have to be up. */
  readonly up: Map<string, string[]>;
  readonly waits: Map<string, string[]>;
  readonly planned: Map<string, PlannedBridge[]>;
}

function prepareOn(stand: Stand, to: string, world: World, out: Prepared): void {
  const key = standKey(stand);
  const own = world.standVmids.get(key) ?? [];
  for (const row of bridgesToHave(stand, to, world)) {
    const { iface } = row.info;
    const { edit, waits } = planArrival(row, { to, stand, own, now: world.have.now }, world.hosts);
    if (edit) out.edits.push(edit);
    if (waits.length > 0) addTo(out.up, to, iface);
    for (const id of waits) addTo(out.waits, key, id);
    addTo(out.planned, key, { node: to, iface, alias: row.net });
  }
}

function prepare(stands: readonly MovedStand[], world: World): Prepared {
  const prepared: Prepared = { edits: [], up: new Map(), waits: new Map(), planned: new Map() };
  for (const { stand, to } of stands) for (const node of to) prepareOn(stand, node, world, prepared);
  return prepared;
}

interface Leftover extends Leaving {
  /** Migrations that must have succeeded. */
  readonly vmids: readonly number[];
}

function leftover(
  { node, info }: MarkedNetwork,
  { user }: Stand,
  { reason, vmids }: Pick<Leftover, 'reason' | 'vmids'>,
): Leftover {
  return {
    ...{ node, info, user, reason, vmids },
    leaves: (vmid) => vmids.includes(vmid),
    dependsOn: vmids.map((vmid) => stepId('vm.migrate', vmid)),
  };
}

function ofMoved({ stand, to, vmids }: MovedStand, world: World): Leftover[] {
  return (world.standBridges.get(standKey(stand)) ?? [])
    .filter(({ node }) => !to.includes(node))
    .map((row) => leftover(row, stand, { vmids, reason: `its stand is then on ${to.join(', ')}` }));
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
      .filter(
        ({ info }) => !isYoung(info, world.have.now, Math.max(world.config.cooldown, LONGEST_MAKING_SECONDS)),
      )
      .map((row) =>
        leftover(row, stand, { vmids: [], reason: `left by an earlier run; its stand is on ${home}` }),
      );
  });
}

interface Removal {
  readonly deletes: readonly NetworkRemoval[];
  readonly needs: readonly string[];
  readonly warnings: readonly string[];
}

/** Whoever is on the nodes has to be read first; of one that is off nobody is. */
function removals(leftovers: readonly Leftover[], world: World): Removal {
  const isKnown = ({ node }: Leftover): boolean => world.bridgeUseNodes.has(node);
  const isOn = ({ node }: Leftover): boolean => world.nodes.get(node)?.online === true;
  const { steps, staying } = planRemovals(leftovers.filter(isKnown), {
    networks: world.have.networks,
    bridgeGuests: world.bridgeGuests,
  });
  const kept = new Map(staying.map(({ one, why }) => [one, stayingText(why)]));
  return {
    deletes: steps,
    needs: leftovers.flatMap((one) => (!isKnown(one) && isOn(one) ? [one.node] : [])),
    warnings: leftovers.flatMap((one) => {
      const why = kept.get(one) ?? (isKnown(one) || isOn(one) ? undefined : 'the node is offline');
      return why === undefined ? [] : [`bridge ${one.info.iface} on ${one.node} stays: ${why}`];
    }),
  };
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
  const frameOf: ForceFrame = ({ node, edits }) => ({
    reason: 'once, for all that go',
    ...(new Set(edits.map(({ user }) => user)).size === 1 ? { dependsOn: edits.map(({ id }) => id) } : {}),
    ...(reloadedBefore.has(node) ? { key: `${node}/removal` } : {}),
  });
  return applyRemovals(deletes, world.have.networks, frameOf, (node) => !reloadedBefore.has(node));
}

export function planStandNetwork(moves: readonly ChosenMove[], world: World): StandNetwork {
  const stands = movedStands(moves, world);
  const prepared = prepare(stands, world);
  const reloads = putIntoForce(prepared, () => ({ reason: 'once, for all stands that come here' }));
  const moved = new Set(stands.map(({ stand }) => standKey(stand)));
  const leftovers = [...stands.flatMap((stand) => ofMoved(stand, world)), ...ofSettled(world, moved)].sort(
    (a, b) => compareNatural(a.node, b.node) || compareNatural(a.info.iface, b.info.iface),
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
