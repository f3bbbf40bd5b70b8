/** Turns chosen moves into steps, with the edges that keep every node below its limits in between. */
import { addTo } from '../../../group.ts';
import { isRunning } from '../core/load.ts';
import { makeStep, type Step, type StepOf } from '../../document/step.ts';
import { sortedUnique } from '../../../order.ts';
import type { PlannedStand, PlannedVm } from '../../document/plan.ts';
import { machineKind } from '../../../pve-values/guest-kinds.ts';
import { isAtLeast } from '../../../pve-values/version.ts';
import type { ChosenMove } from '../core/draft.ts';
import type { StandNetwork } from './stand-network.ts';
import { standKey } from '../core/types.ts';
import { storageMapOf } from '../core/world.ts';
import type { BalanceGuest } from '../../../inventory/balance-types.ts';
import type { StandRef, World } from './world.ts';

function hasLocalDisks(guest: BalanceGuest, world: World): boolean {
  return (world.facts.get(guest.vmid)?.volumes ?? []).some(
    ({ storage, kind }) => kind !== 'iso' && world.storages.get(`${guest.node} ${storage}`)?.shared === false,
  );
}

function migrate(
  guest: BalanceGuest,
  { to, reason }: ChosenMove,
  frame: { readonly world: World; readonly dependsOn: readonly string[] },
): StepOf<'vm.migrate'> {
  const { world, dependsOn } = frame;
  const { bandwidth, migrationTimeout, guests } = world.config;
  const stand = world.stands.get(guest.vmid);
  const user = stand?.user;
  const isContainer = guest.type === 'lxc';
  const online = isRunning(guest) && !isContainer;
  const storageMap = storageMapOf(guest.vmid, to, world);
  // Both ends have to know the option; PVE 8 answers 400 to it.
  const isNew = [guest.node, to].every((node) =>
    isAtLeast(world.nodes.get(node)?.pveVersion ?? world.have.version, 9),
  );
  return makeStep(
    'vm.migrate',
    String(guest.vmid),
    { reason, dependsOn, ...(user === undefined ? {} : { user }) },
    {
      node: guest.node,
      target: to,
      vmid: guest.vmid,
      ...(guests === 'ours' && stand ? { pool: stand.pool } : {}),
      ...(isContainer ? { container: { restart: isRunning(guest) } } : {}),
      online,
      withLocalDisks: online && hasLocalDisks(guest, world),
      ...(storageMap ? { storageMap } : {}),
      ha: guest.ha,
      ...(world.led.has(guest.vmid) ? { awaited: true } : {}),
      conntrack: online && isNew,
      ...(bandwidth === undefined ? {} : { bandwidth }),
      timeoutSeconds: migrationTimeout,
    },
  );
}

/**
 * The machines of a unit go one after another, each when the one before has arrived, so that a failure stops the rest;
 * what goes onto a node waits for what leaves it by an earlier move.
 */
function migrations(
  moves: readonly ChosenMove[],
  network: StandNetwork,
  world: World,
): StepOf<'vm.migrate'>[] {
  const leaving = new Map<string, string[]>();
  return moves.flatMap((move) => {
    const waits = [
      ...move.unit.stands.flatMap((stand) => network.waits.get(standKey(stand)) ?? []),
      ...(leaving.get(move.to) ?? []),
    ];
    let before: string | undefined;
    // HA waits for nobody. Where it fails, the rest of the unit stays.
    const isFree = ({ vmid }: BalanceGuest): number => Number(!world.led.has(vmid));
    const guests = move.unit.guests
      .flatMap(({ vmid }) => world.guests.get(vmid) ?? [])
      .sort((a, b) => isFree(a) - isFree(b));
    const steps = guests.map((guest) => {
      const dependsOn = [...waits, ...(before === undefined ? [] : [before])];
      const step = migrate(guest, move, { world, dependsOn });
      before = step.id;
      return step;
    });
    for (const step of steps) addTo(leaving, step.node, step.id);
    return steps;
  });
}

export function planSteps(moves: readonly ChosenMove[], network: StandNetwork, world: World): Step[] {
  return [...network.before, ...migrations(moves, network, world), ...network.after];
}

function plannedVm(guest: BalanceGuest, node: string): PlannedVm {
  return {
    vmid: guest.vmid,
    name: guest.name ?? '',
    node,
    state: 'complete',
    power: guest.status,
    ...machineKind(guest),
  };
}

/** The stands that are moved, wholly or in part, as they will be. */
export function plannedStands(
  moves: readonly ChosenMove[],
  network: StandNetwork,
  world: World,
): PlannedStand[] {
  const stands = new Map<string, { stand: StandRef; to: string }>();
  const going = new Map<number, string>();
  for (const { unit, to } of moves) {
    for (const vmid of unit.vmids) {
      const stand = world.stands.get(vmid);
      going.set(vmid, to);
      if (stand) stands.set(standKey(stand), { stand, to });
    }
  }
  const members = new Map<string, BalanceGuest[]>();
  for (const [vmid, stand] of world.stands) {
    const key = standKey(stand);
    const guest = world.guests.get(vmid);
    if (guest && stands.has(key)) addTo(members, key, guest);
  }
  return sortedUnique(stands.keys()).flatMap((key) => {
    const found = stands.get(key);
    if (!found) return [];
    const vms = (members.get(key) ?? [])
      .sort((a, b) => a.vmid - b.vmid)
      .map((guest) => plannedVm(guest, going.get(guest.vmid) ?? guest.node));
    const { user, pool } = found.stand;
    return [{ user, pool, node: found.to, vms, bridges: network.planned.get(key) ?? [], notes: [] }];
  });
}
