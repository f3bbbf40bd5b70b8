/** Which bridges go with the selected stands: ours, and named by no guest that stays. */
import { isAdoptableName } from '../../pve-values/bridge-name.ts';
import { nameIn } from '../../pve-values/guest-flags.ts';
import { parseRemovedBridge } from '../../pve-values/removed-bridge.ts';
import { addTo } from '../../group.ts';
import type { NetworkApply, NetworkRemoval } from '../document/network-steps.ts';
import { stepId } from '../document/step.ts';
import type { BridgeInfo, Inventory, NodeNetwork, PendingRow } from '../../inventory/types.ts';
import { ownCards } from '../../config/lab/device-profiles.ts';
import { standNetworks, type StandName } from '../cluster/stand-networks.ts';
import { findNicShifts } from '../stands/nic-shift.ts';
import { nicShiftOf } from '../stands/spec.ts';
import { ledByCard } from '../network/led-to.ts';
import { bridgeObstacle, type BridgeObstacle, type LedTo, type Wish } from '../network/may-go.ts';
import { obstacleHint, obstacleText } from '../network/may-go-text.ts';
import type { CleanupContext } from './context.ts';
import type { PlannedRemoval } from './users.ts';
import { isOlder, sinceOf } from '../../marks/time.ts';
import { ownVmMark } from '../../marks/vm.ts';
import { compareNatural } from '../../order.ts';
import { unreachable } from '../network/node-draft.ts';
import { putIntoForce, removeNetwork } from '../network/steps.ts';
import { pendingRefusal, stagedRemovalsByNode } from '../network/foreign-pending.ts';
import type { PlannedBridge, Refusal } from '../document/plan.ts';

export interface BridgeRemoval {
  readonly steps: readonly NetworkRemoval[];
  readonly reloads: readonly NetworkApply[];
  /** User → bridges that go. */
  readonly planned: ReadonlyMap<string, readonly PlannedBridge[]>;
  readonly notes: ReadonlyMap<string, readonly string[]>;
  /** User → why bridges that should go stay in this run, which ends "partial". */
  readonly refused: ReadonlyMap<string, Refusal>;
}

interface Candidate {
  readonly user: string;
  readonly node: string;
  readonly iface: string;
  readonly info: BridgeInfo;
  readonly alias: string;
  /** Without a mark. */
  readonly adopted: boolean;
  /** Of an adopted one: does a network of the lab lead to it? */
  readonly isLedTo: LedTo['isLedTo'];
  readonly reason: string;
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

function isOld(comment: string, { have, options }: CleanupContext): boolean {
  return isOlder(sinceOf(comment), options.minAgeSeconds, have.now);
}

function marked(planned: readonly PlannedRemoval[], context: CleanupContext): Candidate[] {
  const orphansOnly = context.selection.by === 'orphans';
  const living = orphansOnly ? remainingStands(planned, context) : new Set<string>();
  return standNetworks(context.have.networks).flatMap((one): Candidate[] => {
    const { lab, user, net, node, info } = one;
    if (!isSelected(one, planned)) return [];
    if (orphansOnly && (!isOld(info.comments, context) || living.has(`${lab} ${user}`))) return [];
    const reason = 'no guest names it any more';
    return [{ user, node, iface: info.iface, info, alias: net, adopted: false, isLedTo: false, reason }];
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
      return [{ user, node, iface, info, alias: '', adopted: true, isLedTo, reason }];
    }),
  );
}

/** The way out, where a bridge of ours should go and cannot; all other obstacles only spare the bridge. */
function refusalOf(
  obstacle: BridgeObstacle | undefined,
  { node, iface }: Candidate,
  networks: readonly NodeNetwork[],
): Refusal | undefined {
  const stays = `bridge ${iface} on ${node} stays`;
  const then = 'then run cleanup again';
  if (
    obstacle?.code === 'guests-unread' ||
    obstacle?.code === 'guests-unreadable' ||
    obstacle?.code === 'guests-hidden'
  ) {
    return {
      code: obstacle.code === 'guests-hidden' ? 'GUESTS_HIDDEN' : 'GUESTS_UNREADABLE',
      message: `${stays}: ${obstacleText(obstacle)}`,
      hint: `${obstacleHint(obstacle, { node, iface })}, ${then}`,
    };
  }
  if (obstacle?.code === 'led-by-others') {
    return {
      code: 'ADOPT_BRIDGE',
      message: `${stays}: ${obstacleText(obstacle)}`,
      // Once the VMs are gone nothing leads there any more.
      hint: `if nobody needs it, remove ${iface} in ${node} → System → Network; where bridge_range of the lab file says which numbers are stands', cleanup does that by itself`,
    };
  }
  const pending = pendingRefusal(
    networks.find((network) => network.node === node),
    then,
  );
  return obstacle || !pending ? undefined : { ...pending, message: `${stays}: ${pending.message}` };
}

/** A network that is not read has bridges that nobody counted; of a node that is off, its claims are not kept for ever. */
function unreadNetwork({ nodes, networks }: Inventory): NodeNetwork | undefined {
  const online = new Set(nodes.flatMap(({ name, online: isOn }) => (isOn ? [name] : [])));
  return networks.find(({ node, readable }) => !readable && online.has(node));
}

export function planCleanupBridges(
  planned: readonly PlannedRemoval[],
  context: CleanupContext,
): BridgeRemoval {
  const { bridgeGuests } = context.index;
  const removed = new Set(planned.flatMap(({ removal }) => [...removal.removed]));
  const have = context.options.adopt
    ? withAdoptedEdits(context.have, (vmid) => removed.has(vmid), context)
    : context.have;
  const steps: NetworkRemoval[] = [];
  const going = new Map<string, PlannedBridge[]>();
  const notes = new Map<string, string[]>();
  const refused = new Map<string, Refusal>();
  const candidates = [...marked(planned, context), ...adopted(planned, context)].sort(
    (a, b) => compareNatural(a.node, b.node) || compareNatural(a.iface, b.iface),
  );
  for (const candidate of candidates) {
    const { user, node, iface, info, alias, reason } = candidate;
    const guests = bridgeGuests.on(node, iface, (vmid) => removed.has(vmid));
    const wish: Wish = candidate.adopted
      ? { to: 'remove-adopted', isLedTo: candidate.isLedTo, guests }
      : { to: 'remove', guests };
    const obstacle = bridgeObstacle(wish, info);
    const refusal = refusalOf(obstacle, candidate, have.networks);
    if (refusal) {
      if (!refused.has(user)) refused.set(user, refusal);
    } else if (obstacle) {
      addTo(notes, user, `bridge ${iface} on ${node} stays: ${obstacleText(obstacle)}`);
    } else {
      const dependsOn = bridgeGuests.users(node, iface).map((vmid) => stepId('vm.delete', vmid));
      steps.push(removeNetwork({ node, info }, { user, reason, dependsOn }));
      addTo(going, user, { node, iface, alias });
    }
  }
  const unread = unreadNetwork(have);
  if (unread)
    for (const { stand } of planned)
      if (!refused.has(stand.user)) refused.set(stand.user, unreachable(unread));
  const reloads = putIntoForce({ edits: steps, gone: stagedRemovalsByNode(have.networks) }, ({ edits }) => ({
    reason: edits.length > 0 ? 'once, for all of them' : 'an earlier run staged this and did not apply it',
  }));
  return { steps, reloads, planned: going, notes, refused };
}
