/** Why a guest may not be moved at all, whatever the target: one named rule each. The first that speaks counts. */
import type { RejectionCode } from '../../document/balance-report.ts';
import { LOCK } from '../../../pve-values/guest-kinds.ts';
import { isLinkedClone, type Volume } from '../../../pve-values/volumes.ts';
import { memoryTies } from '../../../pve-values/sealed-memory.ts';
import { propertyRecord } from '../../../pve-values/property-string.ts';
import { isOlderVersion } from '../../../pve-values/version.ts';
import { movesSnapshots, storageTraits } from '../../../pve-values/storage-types.ts';
import { holdHint, holdOn, sayHold } from '../../cluster/locks.ts';
import type { BalanceGuest } from '../../../inventory/balance-types.ts';
import { isRunning } from '../core/load.ts';
import type { Obstacle, Purpose } from '../core/constraints.ts';
import * as core from '../core/rules/guest-rules.ts';
import { standKey } from '../core/types.ts';
import { bridgesOfGuest, sayGuest, type Unit, type World } from './world.ts';

type GuestRule = (guest: BalanceGuest, world: World, purpose: Purpose) => string | undefined;

function localVolumes(guest: BalanceGuest, world: World): { volume: Volume; type: string }[] {
  return (world.facts.get(guest.vmid)?.volumes ?? []).flatMap((volume) => {
    const storage = world.storages.get(`${guest.node} ${volume.storage}`);
    return storage?.shared === false ? [{ volume, type: storage.type }] : [];
  });
}

function foreign({ vmid }: BalanceGuest, { stands, config }: World): string | undefined {
  return stands.has(vmid) || config.guests === 'all' ? undefined : 'is not ours (`guests: all` moves it too)';
}

/** A container is stopped and started again to move. HA stops them by itself, and without being asked twice. */
function container({ type, ha }: BalanceGuest, { config }: World): string | undefined {
  if (type !== 'lxc') return undefined;
  if (config.containers === 'skip')
    return 'is a container; these cannot move live (`containers: restart` shuts them down for it)';
  return ha ? 'is a container under HA, which is left to it' : undefined;
}

/** pve-container LXC/Migrate.pm, prepare: `cannot migrate local bind mount point`. */
function hostMount({ vmid }: BalanceGuest, { facts }: World): string | undefined {
  const mount = facts.get(vmid)?.mounts.find(({ shared }) => !shared);
  return (
    mount && `has ${mount.path} of its host as ${mount.key} (\`shared=1\` there says that every node has it)`
  );
}

function locked(guest: BalanceGuest, { have, led }: World): string | undefined {
  const { vmid, lock } = guest;
  if (lock === undefined || lock === '' || (lock === LOCK.migrate && led.has(vmid))) return undefined;
  const hold = holdOn(guest, lock, have.tasks);
  return hold.kind === 'operation' ? sayHold(hold) : `${sayHold(hold)}: ${holdHint(guest, hold)}`;
}

function state({ status }: BalanceGuest): string | undefined {
  return status === 'running' || status === 'stopped'
    ? undefined
    : `is neither running nor stopped (${status})`;
}

function haManaged({ vmid, ha, node }: BalanceGuest, world: World): string | undefined {
  const { config, have, led, evacuated, nodes } = world;
  if (!ha || led.has(vmid)) return undefined;
  if (config.ha === 'skip' && evacuated.has(node) && nodes.get(node)?.maintenance === true)
    return `is managed by HA, which takes it off ${node}, being in maintenance, by itself`;
  if (config.ha === 'skip') return 'is managed by HA (`ha: follow` moves it through HA)';
  if (have.haUnread) return 'is managed by HA, of which not all can be read';
  return have.haAutoRebalance ? 'is managed by HA, which balances by itself (ha-auto-rebalance)' : undefined;
}

/** With whom it shares a network that ends at its node is not known. */
function networkUnread({ node }: BalanceGuest, { hosts: { networks } }: World): string | undefined {
  return networks.get(node)?.readable === false
    ? `is on ${node}, whose network cannot be read: it may be tied to others there`
    : undefined;
}

/** HA moves the members of a positive resource affinity along with each other. */
function haBundle({ vmid, ha }: BalanceGuest, { haRules, led }: World): string | undefined {
  const rule =
    ha && !led.has(vmid)
      ? haRules.get(vmid)?.find((one) => one.kind === 'resource-affinity' && one.affinity === 'positive')
      : undefined;
  return rule && rule.vmids.length > 1 ? `is tied to others by HA rule ${rule.name}` : undefined;
}

/** Templates are never moved; whoever empties a node wants the rest to go all the same. */
function madeTemplate(
  { vmid }: BalanceGuest,
  { stands, standBridges, standTemplates }: World,
  purpose: Purpose,
): string | undefined {
  const stand = stands.get(vmid);
  const key = stand && standKey(stand);
  const template = key !== undefined && standBridges.has(key) ? standTemplates.get(key) : undefined;
  if (template === undefined || (purpose !== 'load' && purpose !== 'rule')) return undefined;
  return `VM ${template} of its stand was made a template, and would be left behind`;
}

/** Those of mappings move with a guest that is off, to nodes that have them (QemuMigrate.pm). */
function passthrough(guest: BalanceGuest, { facts }: World): string | undefined {
  const devices = (facts.get(guest.vmid)?.devices ?? []).filter(
    ({ mapping }) => mapping === undefined || isRunning(guest),
  );
  return devices.length === 0
    ? undefined
    : `uses devices of its host: ${devices.map(({ text }) => text).join(', ')}`;
}

/** QemuMigrate.pm: a VNC clipboard is handed on since machine type 10.1, of which PVE 8 knows nothing. */
function notLive(guest: BalanceGuest, { facts, running }: World): string | undefined {
  const values = facts.get(guest.vmid)?.values ?? {};
  if (guest.type === 'lxc' || !isRunning(guest)) return undefined;
  const [sealed] = memoryTies(values);
  if (sealed !== undefined) return `has ${sealed}, and PVE moves such machines only when they are off`;
  if (propertyRecord(values['vga'] ?? '')['clipboard'] !== 'vnc') return undefined;
  const machine = running.get(guest.vmid)?.machine;
  return machine === undefined || isOlderVersion(machine, '10.1')
    ? 'has a VNC clipboard, which moves with machine type 10.1 and later only'
    : undefined;
}

/** qemu-server QemuMigrate.pm: `local cdrom image`. A cloud-init drive is copied. */
function localIso(guest: BalanceGuest, world: World): string | undefined {
  const iso = localVolumes(guest, world).find(({ volume }) => volume.kind === 'iso');
  return iso && `has an ISO of local storage ${iso.volume.storage} in ${iso.volume.key}`;
}

/** pve-storage: `can't migrate '<volume>' as it's a clone of '<base>'`, online and offline. */
function linkedClone(guest: BalanceGuest, world: World): string | undefined {
  const clone = localVolumes(guest, world).find(
    ({ volume, type }) => isLinkedClone(volume) && storageTraits(type).bindsClones,
  );
  if (!clone) return undefined;
  return `is a linked clone on local storage ${clone.volume.storage} (${clone.type}), which PVE cannot move`;
}

function keepsSnapshots(guest: BalanceGuest, volume: Volume, storage: string): boolean {
  if (guest.type === 'lxc') return storageTraits(storage).movesContainerSnapshots;
  return !isRunning(guest) && movesSnapshots(storage, volume.name);
}

/** Online: `online storage migration not possible if non-replicated snapshot exists`. Offline some formats can. */
function localSnapshots(guest: BalanceGuest, world: World): string | undefined {
  if (world.facts.get(guest.vmid)?.hasSnapshots !== true) return undefined;
  const stays = localVolumes(guest, world).find(
    ({ volume, type }) => volume.kind === 'disk' && !keepsSnapshots(guest, volume, type),
  );
  return stays && `has snapshots on local storage ${stays.volume.storage}`;
}

function localDisks(guest: BalanceGuest, world: World): string | undefined {
  if (world.config.localDisks) return undefined;
  const disk = localVolumes(guest, world).find(({ volume }) => volume.kind === 'disk');
  return disk && `has a disk on local storage ${disk.volume.storage} (local_disks: false)`;
}

/** Somebody's configuration cannot be read: it may be on any bridge. */
function unreadable(guest: BalanceGuest, world: World): string | undefined {
  return bridgesOfGuest(guest, world)?.includes('*') === true
    ? 'its configuration cannot be read'
    : undefined;
}

const GUEST_RULES: readonly (readonly [code: RejectionCode, rule: GuestRule])[] = [
  ['container', container],
  ['foreign', foreign],
  ['ignored', core.ignored],
  ['contradiction', core.contradicted],
  ['excluded', core.sourceExcluded],
  ['offline', core.sourceOffline],
  ['busy', core.busy],
  ['locked', locked],
  ['state', state],
  ['ha', haManaged],
  ['ha', haBundle],
  ['no-move', core.noMove],
  ['load-unknown', core.unknownLoad],
  ['network', networkUnread],
  ['template', madeTemplate],
  ['cooldown', core.cooldown],
  ['blacklist', core.blacklisted],
  ['veto', core.vetoed],
  ['unreadable', unreadable],
  ['passthrough', passthrough],
  ['not-live', notLive],
  ['host-mount', hostMount],
  ['local-iso', localIso],
  ['linked-clone', linkedClone],
  ['snapshots', localSnapshots],
  ['local-disks', localDisks],
];

/** Why this guest stays where it is. */
function guestObstacle(guest: BalanceGuest, world: World, purpose: Purpose): Obstacle | undefined {
  for (const [code, rule] of GUEST_RULES) {
    const text = rule(guest, world, purpose);
    if (text !== undefined) return { code, text };
  }
  return undefined;
}

/** Why the unit stays: the first of its guests that has to. */
export function unitObstacle(unit: Unit, world: World, purpose: Purpose): Obstacle | undefined {
  for (const guest of unit.guests) {
    const obstacle = guestObstacle(guest, world, purpose);
    if (obstacle)
      return unit.kind === 'guest' ? obstacle : { ...obstacle, text: `${sayGuest(guest)} ${obstacle.text}` };
  }
  return undefined;
}
