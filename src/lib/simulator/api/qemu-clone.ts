/** `POST …/clone`. See qemu-server API2/Qemu.pm clone_vm: early checks, then everything again inside the task. */
import {
  checkLock,
  drivesOf,
  findGuest,
  isDriveKey,
  isNetKey,
  isUnusedKey,
  loadGuest,
  macPrefix,
  parseNet,
  printDrive,
  printNet,
  type Drive,
} from '../guest/guest-config.ts';
import { isRunning, isTemplate, noteBirth, noteChange, printSize } from '../guest/guest-view.ts';
import { Params, type ParamValue } from '../contract/params.ts';
import { checkCpuModelAccess, checkMappingAccess } from '../guest/host-resources.ts';
import { PveError, die, errorText, paramError } from '../pve-error.ts';
import { randomMac, randomUuid } from '../access/secrets.ts';
import {
  lockGuest,
  lockUserConfig,
  needQuorum,
  needWritable,
  type Call,
  type Handlers,
  type Sim,
} from '../sim.ts';
import type { GuestConfig, GuestState, Json } from '../state.ts';
import type { TaskContext } from '../tasks/running-task.ts';
import type { JobArgs, Worker } from '../tasks/tasks.ts';
import {
  addVolume,
  canLink,
  checkEnabled,
  cloudInitVolid,
  storageLog,
  storageOf,
  underStorageLock,
} from '../guest/volumes.ts';
import { checkBridges } from './qemu-rights.ts';

const lockTimeoutMs = 1_000;

interface CloneJob {
  readonly vmid: number;
  readonly newid: number;
  readonly target: string | undefined;
  readonly params: Params;
  readonly running: boolean;
}

interface CloneDisk {
  readonly drive: Drive;
  readonly full: boolean;
}

interface ClonePlan {
  readonly old: Readonly<GuestConfig>;
  readonly disks: readonly CloneDisk[];
}

function jobOf(args: JobArgs): CloneJob {
  // The arguments were validated by the contract before the job was written.
  const values = args['params'] as Readonly<Record<string, ParamValue>>;
  const params = new Params(new Map(Object.entries(values)));
  const target = args['target'];
  return {
    vmid: params.number('vmid'),
    newid: params.number('newid'),
    target: typeof target === 'string' ? target : undefined,
    params,
    running: args['running'] === true,
  };
}

function checkTargetStorage(sim: Sim, node: string, job: CloneJob): void {
  const storage = job.params.optText('storage');
  if (storage === undefined) return;
  checkEnabled(sim, storage, node);
  if (job.target === undefined) return;
  checkEnabled(sim, storage, job.target);
  if (!storageOf(sim, storage).shared) die(`can't clone to non-shared storage '${storage}'`);
}

/** Whether every volume is shared: an ISO and the cloud-init drive count as well. */
function checkStorageAccess(sim: Sim, user: string, job: CloneJob, drives: readonly Drive[]): boolean {
  let shared = true;
  for (const drive of drives) {
    if (drive.file === '' || drive.file === 'none') continue;
    if (drive.file === 'cdrom') {
      sim.rights.need(user, '/', 'Sys.Console');
      continue;
    }
    if (!storageOf(sim, drive.storage).shared) shared = false;
    if (drive.isCdrom && !drive.isCloudInit) continue;
    const id = job.params.optText('storage') ?? drive.storage;
    sim.rights.need(user, `/storage/${id}`, 'Datastore.AllocateSpace');
    if (sim.facts.major > 7 && !storageOf(sim, id).content.includes('images')) {
      throw paramError({ storage: `storage '${id}' does not support vm images` });
    }
  }
  return shared;
}

function checkLinks(sim: Sim, disks: readonly CloneDisk[]): void {
  for (const { drive, full } of disks) {
    if (full || canLink(storageOf(sim, drive.storage), drive.file)) continue;
    const where = sim.facts.major === 7 ? `drive '${drive.key}'` : `'${drive.file}' (${drive.key})`;
    die(`Linked clone feature is not supported for ${where}`);
  }
}

function checkNewId(sim: Sim, node: string, newid: number): void {
  if (sim.world.guests.get(newid)?.node === node)
    die(`unable to create VM ${newid}: config file already exists`);
}

/** clone_vm's $load_and_check, run before the fork and again under the locks. */
function loadAndCheck(sim: Sim, user: string, node: string, job: CloneJob): ClonePlan {
  const { params } = job;
  const pool = params.optText('pool');
  if (pool !== undefined) sim.rights.needPool(pool);
  if (job.target !== undefined && !sim.world.nodes.has(job.target))
    die(`no such cluster node '${job.target}'`);
  checkTargetStorage(sim, node, job);
  needQuorum(sim);
  const guest = loadGuest(sim, node, job.vmid);
  checkLock(guest);
  if (isRunning(guest) !== job.running) die('unexpected state change');
  const snapname = params.optText('snapname');
  const snapshot = guest.snapshots.find((one) => one.name === snapname);
  if (snapname !== undefined && !snapshot) die(`snapshot '${snapname}' does not exist`);
  const full = params.flag('full', !isTemplate(guest));
  if (!full && params.has('storage')) die("parameter 'storage' not allowed for linked clones");
  if (!full && params.has('format')) die("parameter 'format' not allowed for linked clones");
  const old = snapshot?.config ?? guest.config;
  const drives = drivesOf(sim.contract, old);
  const shared = checkStorageAccess(sim, user, job, drives);
  const { vmstatestorage } = old;
  if (vmstatestorage !== undefined)
    sim.rights.need(user, `/storage/${vmstatestorage}`, 'Datastore.AllocateSpace');
  checkMappingAccess(sim, user, old);
  checkBridges(sim, user, Object.entries(old));
  checkCpuModelAccess(sim, user, old);
  if (job.target !== undefined && !shared)
    die(`can't clone VM to node '${job.target}' (VM uses local storage)`);
  checkNewId(sim, node, job.newid);
  const disks = drives
    .filter((drive) => !drive.isCdrom || drive.isCloudInit)
    .map((drive) => ({ drive, full: full || drive.isCloudInit || drive.key === 'tpmstate0' }));
  checkLinks(sim, disks);
  return { old, disks };
}

function clone(call: Call): unknown {
  const { sim, params, user, node } = call;
  const guest = findGuest(sim, node, params.number('vmid'));
  const wanted = params.optText('target');
  const target = wanted === node || wanted === 'localhost' ? undefined : wanted;
  const values = Object.fromEntries(params.names().map((name) => [name, rawValue(params, name)]));
  const args: JobArgs = { params: values, target: target ?? null, running: isRunning(guest) };
  loadAndCheck(sim, user, node, jobOf(args));
  return call.startTask('qmclone', String(guest.vmid), 'clone', args);
}

function rawValue(params: Params, name: string): Json {
  return name === 'full' ? params.flag(name) : params.text(name);
}

/** Everything but drives is copied; what identifies a machine is drawn anew. */
function newConfig(sim: Sim, job: CloneJob, old: Readonly<GuestConfig>): GuestConfig {
  const config: GuestConfig = {};
  for (const [key, value] of Object.entries(old)) {
    if (isUnusedKey(key) || ['template', 'lock', 'vmstate'].includes(key)) continue;
    if (isNetKey(key)) {
      config[key] = printNet({
        ...parseNet(sim.contract, value),
        macaddr: randomMac(sim.world, macPrefix(sim)),
      });
    } else if (!isDriveKey(key) || /(?:^|,)media=cdrom/.test(value) || value.startsWith('none'))
      config[key] = value;
  }
  const uuid = `uuid=${randomUuid(sim.world)}`;
  const smbios = (config['smbios1'] ?? '')
    .split(',')
    .filter((part) => part !== '' && !part.startsWith('uuid='));
  config['smbios1'] = [uuid, ...smbios].join(',');
  if (config['vmgenid'] !== undefined) config['vmgenid'] = randomUuid(sim.world);
  config['name'] = job.params.optText('name') ?? `Copy-of-VM-${old['name'] ?? job.vmid}`;
  const description = job.params.optText('description');
  if (description !== undefined && description !== '') config['description'] = description.trimEnd();
  return config;
}

/** The placeholder is written atomically: a config of that number on another node makes it fail. */
function createPlaceholder(sim: Sim, task: TaskContext, job: CloneJob): void {
  const { newid, vmid } = job;
  const { agent, habits } = sim.world.guests.get(vmid) ?? {};
  const description = job.params.text('description').trimEnd();
  needWritable(sim, task.node, newid);
  if (sim.world.guests.has(newid)) {
    die(
      `close (rename) atomic file '/etc/pve/nodes/${task.node}/qemu-server/${newid}.conf' failed: File exists`,
    );
  }
  const guest: GuestState = {
    vmid: newid,
    type: 'qemu',
    node: task.node,
    // Where none is given, the comment line of the placeholder file reads back as its description.
    config: { lock: 'clone', description: description === '' ? ' qmclone temporary file' : description },
    snapshots: [],
    pending: {},
    pendingDelete: [],
    paused: false,
    load: 0.02 + (sim.world.random32() % 100) / 2000,
    ...(agent === undefined ? {} : { agent }),
    ...(habits === undefined ? {} : { habits }),
  };
  sim.world.addGuest(guest);
  noteBirth(sim, guest);
}

async function cloneDisk(sim: Sim, task: TaskContext, job: CloneJob, disk: CloneDisk): Promise<string> {
  const { drive, full } = disk;
  const storage = storageOf(sim, (full ? job.params.optText('storage') : undefined) ?? drive.storage);
  const label = `disk-${drive.key}`;
  const source = sim.world.volume(drive.file, task.node);
  const size = source?.size ?? 0;
  const volidLabel = `${label}-volid`;
  const common = { storage, node: task.node, vmid: job.newid, size, at: sim.clock.now() };
  await underStorageLock(sim, task, storage.storage, label, () => {
    task.remember(volidLabel, () => {
      if (drive.isCloudInit)
        return addVolume(sim, { ...common, volid: cloudInitVolid(storage, job.newid) }).volid;
      if (!full) return addVolume(sim, { ...common, base: drive.file, format: source?.format }).volid;
      return addVolume(sim, { ...common, format: job.params.optText('format') }).volid;
    });
  });
  const volid = task.remember(volidLabel, () => '');
  task.log(`create ${full ? 'full' : 'linked'} clone of drive ${drive.key} (${drive.file})`);
  // The log is what names the new disks: the task itself carries the id of the source.
  const said = storageLog(storage, drive.file, volid, full);
  if (said !== undefined) task.log(said);
  if (full && !drive.isCloudInit) {
    await task.wait(`${label}-copy`, (size / 1024 ** 3) * sim.latency.full_clone_s_per_gib * 1000);
  }
  return printDrive(drive, volid, drive.isCloudInit ? {} : { size: printSize(size) });
}

async function rollBack(
  sim: Sim,
  task: TaskContext,
  job: CloneJob,
  disks: readonly CloneDisk[],
): Promise<void> {
  await sim.clock.sleep(1_000);
  for (const { drive } of disks) {
    if (!task.done(`disk-${drive.key}-volid`)) continue;
    sim.world.removeVolume(
      task.remember(`disk-${drive.key}-volid`, () => ''),
      task.node,
    );
  }
  // Once moved, the configuration is out of reach of this clean-up.
  if (sim.world.guests.get(job.newid)?.node === task.node) sim.world.removeGuest(job.newid);
}

async function fill(sim: Sim, task: TaskContext, job: CloneJob, plan: ClonePlan): Promise<void> {
  // Drawn once: what has been read of it stays true after a reload.
  const drawn = task.remember('config', () => JSON.stringify(newConfig(sim, job, plan.old)));
  const config = JSON.parse(drawn) as GuestConfig;
  for (const disk of plan.disks) {
    config[disk.drive.key] = await cloneDisk(sim, task, job, disk);
    // The file is written after each disk: from the first on it has name and notes, and the lock until the end.
    task.once(`disk-${disk.drive.key}-written`, () => {
      const guest = sim.world.guests.get(job.newid);
      if (guest) guest.config = { ...config, lock: 'clone' };
    });
  }
  const lockedSeconds = plan.disks.length * sim.latency.storage_lock_s;
  await task.wait('finish', Math.max(0.2, sim.latency.linked_clone_s - lockedSeconds) * 1000);
  needWritable(sim, task.node, job.newid);
  task.once('written', () => {
    const guest = sim.world.guests.get(job.newid) ?? die(`VM ${job.newid} vanished`);
    noteChange(sim, guest);
    guest.config = config;
    if (job.target !== undefined) sim.world.moveGuest(guest, job.target);
  });
  const pool = job.params.optText('pool');
  if (pool === undefined || task.done('pooled')) return;
  await lockUserConfig(sim, `can't add VM ${job.newid} to pool '${pool}'`, () => {
    task.once('pooled', () => sim.world.addToPool(pool, job.newid));
  });
}

export function cloneWorker(sim: Sim): Worker {
  return async (task, args) => {
    const job = jobOf(args);
    const mode = job.running ? 'exclusive' : 'shared';
    // Between the early checks and the locks lies a fork: who asks at the same moment passes the checks as well.
    await sim.clock.sleep(0);
    await task.locked(lockGuest(sim, task.node, job.vmid, mode, lockTimeoutMs), () =>
      task.locked(lockGuest(sim, task.node, job.newid, 'exclusive', lockTimeoutMs), async () => {
        // After a reload the new machine is there already, and is ours.
        const plan = task.done('created')
          ? resumedPlan(sim, task, job)
          : loadAndCheck(sim, task.user, task.node, job);
        if (sim.facts.major === 9 && !task.done('created'))
          task.log(`creating a clone of VM ${job.vmid} with ID ${job.newid}`);
        task.once('created', () => createPlaceholder(sim, task, job));
        try {
          await fill(sim, task, job, plan);
        } catch (error) {
          await rollBack(sim, task, job, plan.disks);
          throw new PveError(500, `clone failed: ${errorText(error)}`);
        }
      }),
    );
  };
}

function resumedPlan(sim: Sim, task: TaskContext, job: CloneJob): ClonePlan {
  const guest = loadGuest(sim, task.node, job.vmid);
  const snapshot = guest.snapshots.find((one) => one.name === job.params.optText('snapname'));
  const old = snapshot?.config ?? guest.config;
  const full = job.params.flag('full', !isTemplate(guest));
  const disks = drivesOf(sim.contract, old)
    .filter((drive) => !drive.isCdrom || drive.isCloudInit)
    .map((drive) => ({ drive, full: full || drive.isCloudInit || drive.key === 'tpmstate0' }));
  return { old, disks };
}

export const qemuCloneHandlers: Handlers = { 'POST /nodes/{node}/qemu/{vmid}/clone': clone };
