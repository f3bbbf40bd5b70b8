/** `POST …/lxc/{vmid}/migrate`. See pve-container API2/LXC.pm, LXC/Migrate.pm and guest-common AbstractMigrate.pm. */
import {
  checkContainerLock,
  findContainer,
  hasNicProblem,
  loadContainer,
  lockContainer,
} from '../guest/containers.ts';
import { isRunning, noteChange } from '../guest/guest-view.ts';
import { die, errorText, paramError } from '../pve-error.ts';
import type { Call, Handlers, Sim } from '../sim.ts';
import type { GuestState, VolumeState } from '../state.ts';
import type { TaskContext } from '../tasks/running-task.ts';
import { textArg, type JobArgs, type Worker } from '../tasks/tasks.ts';
import { addVolume, checkEnabled, storageOf } from '../guest/volumes.ts';
import { markStarted } from './qemu-power.ts';
import { bringDown, NOT_STOPPED } from './lxc-power.ts';
import { landingStorage, parseStorageMap, type StorageMap } from './storage-map.ts';
import { without } from '../without.ts';

interface MountPoint {
  readonly key: string;
  /** LXC/Config.pm classify_mountpoint. */
  readonly type: 'volume' | 'bind' | 'device';
  readonly source: string;
  readonly shared: boolean;
}

/** Those that nothing uses any more among them (foreach_volume_full, include_unused). */
function mountPoints(config: GuestState['config']): MountPoint[] {
  return Object.entries(config).flatMap(([key, value]): MountPoint[] => {
    if (!/^(?:rootfs|mp\d+|unused\d+)$/.test(key)) return [];
    const [first = '', ...options] = value.split(',');
    const source = first.replace(/^volume=/, '');
    const type = source.startsWith('/dev/') ? 'device' : source.startsWith('/') ? 'bind' : 'volume';
    return [{ key, type, source, shared: options.includes('shared=1') }];
  });
}

function volumesOf(config: GuestState['config']): MountPoint[] {
  return mountPoints(config).filter(({ type }) => type === 'volume');
}

const storageIdOf = ({ source }: MountPoint): string => source.slice(0, source.indexOf(':'));

/** API2/LXC.pm, check_storage_access_migrate. */
function needStorageAccess({ sim, user }: Call, id: string, target: string): void {
  const { content } = checkEnabled(sim, id, target);
  sim.rights.need(user, `/storage/${id}`, 'Datastore.AllocateSpace');
  if (!content.includes('rootdir')) die(`storage '${id}' does not support CT rootdirs`);
}

function checkMap(call: Call, vmid: number, target: string): string | undefined {
  const wanted = call.params.optText('target-storage');
  if (wanted === undefined) return undefined;
  const map = parseStorageMap(wanted, 'target-storage');
  if (!map.identity) call.sim.rights.need(call.user, `/vms/${vmid}`, 'VM.Config.Disk');
  for (const id of map.pairs.values()) needStorageAccess(call, id, target);
  if (map.fallback !== undefined) needStorageAccess(call, map.fallback, target);
  return wanted;
}

function migrate(call: Call): unknown {
  const { sim, params, node } = call;
  const target = params.text('target');
  if (target === node) throw paramError({ target: 'target is local node.' });
  if (!sim.world.nodes.has(target)) die(`no such cluster node '${target}'`);
  const guest = loadContainer(sim, node, params.number('vmid'));
  if (isRunning(guest) && !params.flag('online') && !params.flag('restart')) {
    die("can't migrate running container without --online or --restart");
  }
  const map = checkMap(call, guest.vmid, target);
  const managed = sim.world.haResources.has(`ct:${guest.vmid}`);
  const args = {
    ...{ vmid: guest.vmid, target, restart: params.flag('restart'), online: params.flag('online') },
    ...{ timeout: params.optNumber('timeout') ?? 180, targetStorage: map ?? null },
  };
  return call.startTask(
    managed ? 'hamigrate' : 'vzmigrate',
    String(guest.vmid),
    managed ? 'ha-migrate' : 'lxc-migrate',
    args,
  );
}

interface Journey {
  readonly guest: GuestState;
  readonly target: string;
  readonly map: StorageMap | undefined;
  readonly restart: boolean;
}

/** prepare: what it looks at before the container is touched. */
function checkBefore(sim: Sim, { guest, target, map, restart }: Journey, online: boolean): void {
  checkContainerLock(guest);
  if (isRunning(guest)) {
    if (online) die('lxc live migration is currently not implemented');
    if (!restart) die('running container can only be migrated in restart mode');
  }
  for (const point of mountPoints(guest.config)) {
    if (point.type !== 'volume') {
      if (!point.shared) die(`cannot migrate local ${point.type} mount point '${point.key}'`);
      continue;
    }
    const here = checkEnabled(sim, storageIdOf(point), guest.node);
    if (!here.content.includes('rootdir'))
      die(`content type 'rootdir' is not available on storage '${here.storage}'`);
    const there = checkEnabled(sim, landingStorage(map, here), target);
    if (!there.content.includes('rootdir'))
      die(`${point.source}: content type 'rootdir' is not available on storage '${there.storage}'`);
  }
}

function problemBefore(sim: Sim, journey: Journey, online: boolean): string | undefined {
  try {
    checkBefore(sim, journey, online);
  } catch (error) {
    return errorText(error);
  }
  const { online: isUp } = sim.world.node(journey.target);
  return isUp ? undefined : "Can't connect to destination address using public key";
}

/** phase1: what it finds out when the container is down already. */
function volumeProblems(sim: Sim, guest: GuestState): [volid: string, why: string][] {
  const problems = new Map<string, string>();
  const isLocal = (point: MountPoint): boolean => !storageOf(sim, storageIdOf(point)).shared;
  for (const { config } of guest.snapshots)
    for (const point of volumesOf(config).filter(isLocal)) {
      const { type } = storageOf(sim, storageIdOf(point));
      if (type !== 'zfspool' && type !== 'btrfs')
        problems.set(point.source, 'non-migratable snapshot exists');
    }
  for (const point of volumesOf(guest.config).filter(isLocal)) {
    const { type } = storageOf(sim, storageIdOf(point));
    const parent = sim.world.volume(point.source, guest.node)?.parent;
    if (problems.has(point.source)) continue;
    if (!['dir', 'zfspool', 'lvmthin', 'lvm', 'btrfs'].includes(type))
      problems.set(point.source, `storage type '${type}' not supported`);
    else if (parent !== undefined) problems.set(point.source, `clone of '${parent}'`);
  }
  return [...problems].sort(([a], [b]) => (a < b ? -1 : 1));
}

interface Copy {
  readonly key: string;
  readonly volume: VolumeState;
}

function copiesOf(sim: Sim, guest: GuestState): Copy[] {
  return volumesOf(guest.config).flatMap(({ key, source }) => {
    const volume = sim.world.volume(source, guest.node);
    return volume && !storageOf(sim, volume.storage).shared ? [{ key, volume }] : [];
  });
}

function moveVolumes(sim: Sim, { guest, target, map }: Journey): void {
  for (const { key, volume } of copiesOf(sim, guest)) {
    const from = storageOf(sim, volume.storage);
    const storage = storageOf(sim, landingStorage(map, from));
    sim.world.removeVolume(volume.volid, guest.node);
    const name = volume.volid.slice(volume.volid.indexOf(':'));
    const { size, format } = volume;
    const volid = storage.type === from.type ? `${storage.storage}${name}` : undefined;
    const moved = addVolume(sim, { storage, node: target, vmid: guest.vmid, size, format, volid });
    const value = guest.config[key] ?? '';
    guest.config = { ...guest.config, [key]: value.replace(volume.volid, moved.volid) };
  }
}

const isDown = (task: TaskContext): boolean => task.done('stopped');

async function transfer(sim: Sim, task: TaskContext, journey: Journey): Promise<void> {
  const { guest, target } = journey;
  const problems = volumeProblems(sim, guest);
  for (const [volid, why] of problems) task.log(`can't migrate local volume '${volid}': ${why}`);
  if (problems.length > 0) {
    task.log("ERROR: can't migrate CT - check log");
    abort(task, "can't migrate CT - check log");
  }
  const bytes = copiesOf(sim, guest).reduce((sum, { volume }) => sum + volume.size, 0);
  const seconds = sim.latency.migrate_s + (bytes / 1024 ** 3) * sim.latency.migrate_s_per_gib;
  await task.wait('transfer', seconds * 1000);
  task.once('moved', () => {
    noteChange(sim, guest);
    moveVolumes(sim, journey);
    guest.config = without(guest.config, 'lock');
    sim.world.moveGuest(guest, target);
  });
}

/** final_cleanup of what did not leave: whoever was shut down for it is started again where it is. */
async function comeBack(sim: Sim, task: TaskContext, guest: GuestState): Promise<void> {
  guest.config = without(guest.config, 'lock');
  if (!isDown(task)) return;
  task.log('start container on source node');
  await task.wait('restart', sim.latency.start_s * 1000);
  if (hasNicProblem(sim, guest)) task.log(`ERROR: startup for container '${guest.vmid}' failed`);
  else task.once('restarted', () => markStarted(sim, guest));
}

/** `pct start` over there; a failure of it is none of the move. */
async function startThere(sim: Sim, task: TaskContext, { guest, target }: Journey): Promise<void> {
  task.log('start container on target node');
  await task.wait('start', sim.latency.start_s * 1000);
  if (hasNicProblem(sim, guest)) {
    const command = `/usr/bin/ssh -o 'HostKeyAlias=${target}' root@${target} pct start ${guest.vmid}`;
    task.log(`startup for container '${guest.vmid}' failed`);
    task.log(`ERROR: command '${command}' failed: exit code 255`);
    task.log('ERROR: migration finished with problems (duration 00:00:05)');
    die('migration problems');
  }
  task.once('started', () => markStarted(sim, guest));
}

/** prepare; ends it before anything of the container is touched, or when it does not go down. */
async function goDown(sim: Sim, task: TaskContext, journey: Journey, args: JobArgs): Promise<void> {
  const { guest } = journey;
  await task.wait('connect', 300);
  const problem = problemBefore(sim, journey, args['online'] === true);
  if (problem !== undefined) abort(task, problem);
  if (!isRunning(guest)) return;
  task.log(`shutdown CT ${guest.vmid}`);
  try {
    await bringDown(sim, task, guest, { timeout: Number(args['timeout']), kill: false });
  } catch (error) {
    if (errorText(error) === NOT_STOPPED) abort(task, NOT_STOPPED);
    throw error;
  }
}

async function leave(sim: Sim, task: TaskContext, journey: Journey, args: JobArgs): Promise<void> {
  const { guest, target } = journey;
  if (!isDown(task)) await goDown(sim, task, journey, args);
  task.log(
    `starting migration of CT ${guest.vmid} to node '${target}' (10.0.0.${sim.world.node(target).id})`,
  );
  guest.config = { ...guest.config, lock: 'migrate' };
  try {
    await transfer(sim, task, journey);
  } catch (error) {
    await comeBack(sim, task, guest);
    throw error;
  }
}

function abort(task: TaskContext, why: string): never {
  task.log(`ERROR: migration aborted (duration 00:00:01): ${why}`);
  return die('migration aborted');
}

export function lxcMigrateWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    const { targetStorage } = args;
    const map = typeof targetStorage === 'string' ? parseStorageMap(targetStorage) : undefined;
    const target = textArg(args, 'target');
    await task.locked(lockContainer(sim, task.node, vmid), async () => {
      const guest = task.done('moved') ? sim.world.guests.get(vmid) : findContainer(sim, task.node, vmid);
      if (!guest)
        return abort(task, `Configuration file 'nodes/${task.node}/lxc/${vmid}.conf' does not exist`);
      const journey: Journey = { guest, target, map, restart: args['restart'] === true };
      if (!task.done('moved')) await leave(sim, task, journey, args);
      if (isDown(task)) await startThere(sim, task, journey);
    });
  };
}

export const lxcMigrateHandlers: Handlers = {
  'POST /nodes/{node}/lxc/{vmid}/migrate': migrate,
};
