/** Which bridges go with the selected stands: ours, and named by no guest that stays. */
import { isAdoptableName } from '../../pve-values/bridge-name.ts';
import { nameIn } from '../../pve-values/guest-flags.ts';
import { parseRemovedBridge } from '../../pve-values/removed-bridge.ts';
import { addTo } from '../../group.ts';
import type { NetworkApply, NetworkRemoval } from '../document/network-steps.ts';
import { stepId } from '../document/step.ts';
import type { Inventory, NodeNetwork, PendingRow } from '../../inventory/types.ts';
import { ownCards } from '../../config/lab/device-profiles.ts';
import { standNetworks, type StandName } from '../cluster/stand-networks.ts';
import { findNicShifts } from '../stands/nic-shift.ts';
import { nicShiftOf } from '../stands/spec.ts';
import { ledByCard } from '../network/led-to.ts';
import { bridgeObstacle } from '../network/may-go.ts';
import { obstacleHint } from '../network/may-go-text.ts';
import type { CleanupContext } from './context.ts';
import type { PlannedRemoval } from './users.ts';
import { ownVmMark } from '../../marks/vm.ts';
import { compareNatural } from '../../order.ts';
import { unreachable } from '../network/node-draft.ts';
import {
  applyRemovals,
  isYoung,
  planRemovals,
  stayingText,
  type Leaving,
  type Staying,
} from '../network/removal.ts';
import { stagedRefusal } from '../network/foreign-pending.ts';
import type { PlannedBridge, Refusal } from '../document/plan.ts';

export interface BridgeRemoval {
  readonly steps: readonly NetworkRemoval[];
  readonly reloads: readonly NetworkApply[];
  /** User → bridges that go. */
  readonly planned: ReadonlyMap<string, readonly PlannedBridge[]>;
  readonly notes: ReadonlyMap<string, readonly string[]>;
  /** User → why bridges that should go stay in this run, which ends "partial". */
  readonly refused: ReadonlyMap<string, Refusal>;
  /** Those of them whose claims are to be kept: until what they tell of is gone the next cleanup finds it by them. */
  readonly bound: ReadonlySet<string>;
}

interface Candidate extends Leaving {
  readonly user: string;
  readonly alias: string;
}

/** Is this bridge of a stand among those selected? */
function isSelected(mark: StandName, planned: readonly PlannedRemoval[]): boolean {
  return planned.some(({ stand }) => stand.user === mark.user && (stand.labs?.has(mark.lab) ?? true));
}

/** Labs that users still have after the cleanup, as `lab user`. */
function remainingStands(planned: readonly PlannedRemoval[], context: CleanupContext): Set<string> {
  const touched = new Map(
    planned.flatMap(({ stand, removal }) => (stand.mark ? [[stand.pool, removal]] : [])),
  );
  return new Set(
    [...context.index.marks].flatMap(([pool, mark]) =>
      (touched.get(pool)?.left ?? mark.claims).map((claim) => `${claim.lab} ${mark.user ?? ''}`),
    ),
  );
}

function marked(planned: readonly PlannedRemoval[], context: CleanupContext): Candidate[] {
  const { now } = context.have;
  const { minAgeSeconds } = context.options;
  const orphansOnly = context.selection.by === 'orphans';
  const living = orphansOnly ? remainingStands(planned, context) : new Set<string>();
  return standNetworks(context.have.networks).flatMap((one): Candidate[] => {
    const { lab, user, net, node, info } = one;
    if (!isSelected(one, planned)) return [];
    if (orphansOnly && (isYoung(info, now, minAgeSeconds) || living.has(`${lab} ${user}`))) return [];
    return [{ user, node, info, alias: net, reason: 'no guest names it any more' }];
  });
}

/**
 * The staged removal of a bridge such as the older tool made, and that no guest names: with `--adopt` it is what a killed
 * cleanup left. Otherwise it is somebody else's. The VMs that led to it went before it.
 */
function withAdoptedEdits(
  have: Inventory,
  goes: (vmid: number) => boolean,
  context: CleanupContext,
): Inventory {
  const { selection, index } = context;
  const range = selection.by === 'stands' ? selection.bridgeRange : undefined;
  const isAdopted = (node: string, { iface, change, text }: PendingRow): boolean => {
    const was = change === 'removed' ? parseRemovedBridge(text) : undefined;
    if (!was || was.hasMore) return false;
    const guests = index.bridgeGuests.on(node, iface, goes);
    const facts = { iface, ...was, addresses: [], gateways: [], above: [] };
    const isLedTo = ledByCard(iface, range, have);
    return bridgeObstacle({ to: 'remove-adopted', isLedTo, guests }, facts) === undefined;
  };
  return {
    ...have,
    networks: have.networks.map((network) => ({
      ...network,
      pending: network.pending.map((row) => (isAdopted(network.node, row) ? { ...row, ours: true } : row)),
    })),
  };
}

/** How far the cards of the stand's machines stand behind ours, of those that a takeover has marked. */
function settledShifts({ stand }: PlannedRemoval, { index }: CleanupContext): Map<string, number> {
  const vmids = stand.claims.flatMap((claim) => claim.vmids);
  return new Map(
    vmids.flatMap((vmid) => {
      const mark = ownVmMark(vmid, index.configs.get(vmid)?.values);
      return mark ? [[mark.machine, nicShiftOf(mark.spec)] as const] : [];
    }),
  );
}

/** `node bridge` that the lab's own networks lead to, from the VMs that are taken over. */
function ledTo(planned: readonly PlannedRemoval[], context: CleanupContext): Set<string> {
  const { selection, index } = context;
  const machines = selection.by === 'stands' ? (selection.labMachines ?? []) : [];
  return new Set(
    planned.flatMap((one) => {
      const vms = [...one.removal.adopted].flatMap((vmid) => {
        const config = index.configs.get(vmid);
        const machine = machines.find(({ name }) => name === nameIn(config?.values));
        return config && machine ? [{ config, machine }] : [];
      });
      const values = new Map(vms.map(({ config, machine }) => [machine.name, config.values]));
      const shifts = findNicShifts({ machines }, values, settledShifts(one, context));
      return vms.flatMap(({ config, machine }) =>
        ownCards(machine, config.values, shifts.get(machine.name) ?? 0).map(
          ({ bridge }) => `${config.node} ${bridge}`,
        ),
      );
    }),
  );
}

/** Unmarked `vmbr1000`+ that VMs adopted by this plan name, and later none that stays: made by the older Python tool. */
function adopted(planned: readonly PlannedRemoval[], context: CleanupContext): Candidate[] {
  if (!context.options.adopt) return [];
  const ownerByVm = new Map<number, string>();
  for (const { stand, removal } of planned) {
    for (const vmid of removal.adopted) ownerByVm.set(vmid, stand.user);
  }
  const { index, have, selection } = context;
  const led = ledTo(planned, context);
  const range = selection.by === 'stands' ? selection.bridgeRange : undefined;
  return have.networks.flatMap(({ node, bridges }) =>
    bridges.flatMap((info): Candidate[] => {
      const { iface, comments } = info;
      if (!isAdoptableName(iface) || comments !== '') return [];
      const { naming } = index.bridgeGuests.on(node, iface);
      const user = naming.map((vmid) => ownerByVm.get(vmid)).find((owner) => owner !== undefined);
      if (user === undefined) return [];
      const reason = 'no mark; adopted: a network of the lab leads to it, and only VMs removed here name it';
      const isLedTo = led.has(`${node} ${iface}`) && ledByCard(iface, range, have);
      return [{ user, node, info, alias: '', isLedTo, reason }];
    }),
  );
}

/** Of a bridge that nobody marked a claim tells nothing: it is not kept for one that others led us to. */
function keepsClaim(why: Staying): boolean {
  return why.code !== 'obstacle' || why.obstacle.code !== 'led-by-others';
}

/** The way out, where a bridge of ours should go and cannot; all other obstacles only spare the bridge. */
function refusalOf(why: Staying, { node, info: { iface } }: Candidate): Refusal | undefined {
  const stays = `bridge ${iface} on ${node} stays`;
  const then = 'then run cleanup again';
  if (why.code === 'network-unread') return unreachable({ node });
  if (why.code === 'staged-by-others') {
    const refused = stagedRefusal(why.staged, then);
    return { ...refused, message: `${stays}: ${refused.message}` };
  }
  if (why.code !== 'obstacle') return undefined;
  const { obstacle } = why;
  switch (obstacle.code) {
    case 'guests-unread':
    case 'guests-unreadable':
    case 'guests-hidden':
      return {
        code: obstacle.code === 'guests-hidden' ? 'GUESTS_HIDDEN' : 'GUESTS_UNREADABLE',
        message: `${stays}: ${stayingText(why)}`,
        hint: `${obstacleHint(obstacle, { node, iface })}, ${then}`,
      };
    case 'led-by-others':
      return {
        code: 'ADOPT_BRIDGE',
        message: `${stays}: ${stayingText(why)}`,
        // Once the VMs are gone nothing leads there any more.
        hint: `if nobody needs it, remove ${iface} in ${node} → System → Network; where bridge_range of the lab file says which numbers are stands', cleanup does that by itself`,
      };
    default:
      return undefined;
  }
}

/** A network that is not read has bridges that nobody counted; of a node that is off, its claims are not kept for ever. */
function unreadNetwork({ nodes, networks }: Inventory): NodeNetwork | undefined {
  const online = new Set(nodes.flatMap(({ name, online: isOn }) => (isOn ? [name] : [])));
  return networks.find(({ node, readable }) => !readable && online.has(node));
}

/** All that the selected stands have, in natural order of node and name. */
function candidatesOf(
  planned: readonly PlannedRemoval[],
  leaves: (vmid: number) => boolean,
  context: CleanupContext,
): Candidate[] {
  const { bridgeGuests } = context.index;
  return [...marked(planned, context), ...adopted(planned, context)]
    .sort((a, b) => compareNatural(a.node, b.node) || compareNatural(a.info.iface, b.info.iface))
    .map((one) => ({
      ...one,
      leaves,
      dependsOn: bridgeGuests.users(one.node, one.info.iface).map((vmid) => stepId('vm.delete', vmid)),
    }));
}

export function planCleanupBridges(
  planned: readonly PlannedRemoval[],
  context: CleanupContext,
): BridgeRemoval {
  const removed = new Set(planned.flatMap(({ removal }) => [...removal.removed]));
  const leaves = (vmid: number): boolean => removed.has(vmid);
  const have = context.options.adopt ? withAdoptedEdits(context.have, leaves, context) : context.have;
  const { networks } = have;
  const { bridgeGuests } = context.index;
  const { steps, going, staying } = planRemovals(candidatesOf(planned, leaves, context), {
    networks,
    bridgeGuests,
  });
  const goes = new Map<string, PlannedBridge[]>();
  for (const { user, node, info, alias } of going) addTo(goes, user, { node, iface: info.iface, alias });
  const notes = new Map<string, string[]>();
  const refused = new Map<string, Refusal>();
  const bound = new Set<string>();
  // One is told; what keeps a claim goes before what does not.
  const refuse = (user: string, refusal: Refusal, isBound: boolean): void => {
    if (!refused.has(user) || (isBound && !bound.has(user))) refused.set(user, refusal);
    if (isBound) bound.add(user);
  };
  for (const { one, why } of staying) {
    const { user, node, info } = one;
    const refusal = refusalOf(why, one);
    if (refusal) refuse(user, refusal, keepsClaim(why));
    else addTo(notes, user, `bridge ${info.iface} on ${node} stays: ${stayingText(why)}`);
  }
  const unread = unreadNetwork(have);
  if (unread) for (const { stand } of planned) refuse(stand.user, unreachable(unread), true);
  const reloads = applyRemovals(steps, networks, ({ edits }) => ({
    reason: edits.length > 0 ? 'once, for all of them' : 'an earlier run staged this and did not apply it',
  }));
  return { steps, reloads, planned: goes, notes, refused, bound };
}
