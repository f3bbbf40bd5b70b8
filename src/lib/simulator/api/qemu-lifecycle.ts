/** Creating, destroying and converting guests. See qemu-server API2/Qemu.pm create_vm, destroy_vm, template. */
import { realizeDrive } from '../guest/config-change.ts';
import {
  checkLock,
  checkProtection,
  drivesOf,
  isDriveKey,
  isUnusedKey,
  loadGuest,
  parseDrive,
  printDrive,
} from '../guest/guest-config.ts';
import { isRunning, isTemplate, noteBirth, noteChange } from '../guest/guest-view.ts';
import { dropHaResource } from '../ha-manager.ts';
import { die, errorText, notModelled, permError } from '../pve-error.ts';
import { randomUuid } from '../access/secrets.ts';
import {
  lockGuest,
  lockUserConfig,
  needQuorum,
  needWritable,
  type Call,
  type Handlers,
  type Sim,
} from '../sim.ts';
import type { GuestConfig, GuestState } from '../state.ts';
import type { TaskContext } from '../tasks/running-task.ts';
import type { Worker } from '../tasks/tasks.ts';
import { isHibernated } from '../guest/vmstate.ts';
import { canBeTemplate, linkedChildren, storageOf, underStorageLock } from '../guest/volumes.ts';
import { optionsFrom } from './qemu-config.ts';
import { markStarted } from './qemu-power.ts';
import {
  checkBridges,
  checkDriveAccess,
  checkModifyRights,
  needOnGuest,
  needRootFor,
} from './qemu-rights.ts';
import { without } from '../without.ts';

const notForConfig = new Set([
  'archive',
  'bwlimit',
  'force',
  'ha-managed',
  'live-restore',
  'pool',
  'start',
  'storage',
  'unique',
]);

function checkCreate(call: Call, vmid: number): void {
  const { sim, user, params } = call;
  const pool = params.optText('pool');
  if (pool !== undefined) sim.rights.needPool(pool);
  if (sim.facts.major === 9 && params.flag('start')) needOnGuest(sim, user, { vmid, pool }, 'VM.PowerMgmt');
  const allowed =
    sim.rights.has(user, `/vms/${vmid}`, 'VM.Allocate') ||
    (pool !== undefined && sim.rights.has(user, `/pool/${pool}`, 'VM.Allocate'));
  if (!allowed) throw permError();
}

function checkUnused(sim: Sim, vmid: number): void {
  const existing = sim.world.guests.get(vmid);
  if (!existing) return;
  const kind = existing.type === 'lxc' ? 'CT' : 'VM';
  die(`unable to create VM ${vmid} - ${kind} ${vmid} already exists on node '${existing.node}'`);
}

function create(call: Call): unknown {
  const { sim, params, user } = call;
  const vmid = params.number('vmid');
  needQuorum(sim);
  if (params.has('archive')) throw notModelled('restoring from an archive');
  checkCreate(call, vmid);
  const options = optionsFrom(call, notForConfig);
  const pool = params.optText('pool');
  for (const [key, value] of Object.entries(options))
    if (isDriveKey(key)) checkDriveAccess(sim, user, vmid, key, value);
  checkModifyRights(sim, user, { vmid, pool }, Object.keys(options), options);
  checkBridges(sim, user, Object.entries(options));
  checkUnused(sim, vmid);
  const args = { vmid, options, pool: pool ?? null, start: params.flag('start') };
  return call.startTask('qmcreate', String(vmid), 'create', args);
}

export function createWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    // Written by create() above.
    const options = args['options'] as GuestConfig;
    const { pool } = args;
    await task.locked(lockGuest(sim, task.node, vmid, 'exclusive', 1_000), async () => {
      task.once('placed', () => {
        if (sim.world.guests.has(vmid)) die(`unable to create VM ${vmid}: config file already exists`);
        const guest: GuestState = {
          vmid,
          type: 'qemu',
          node: task.node,
          config: { lock: 'create' },
          snapshots: [],
          pending: {},
          pendingDelete: [],
          paused: false,
          load: 0.05,
        };
        sim.world.addGuest(guest);
        noteBirth(sim, guest);
      });
      try {
        await fillNew(sim, task, vmid, options);
      } catch (error) {
        sim.world.removeGuest(vmid);
        die(`unable to create VM ${vmid} - ${errorText(error)}`);
      }
      try {
        await joinAtBirth(sim, task, vmid, pool);
      } catch (error) {
        sim.world.removeGuest(vmid);
        throw error;
      }
    });
    if (args['start'] !== true) return;
    await task.wait('start', sim.latency.start_s * 1000);
    task.once('started', () => markStarted(sim, loadGuest(sim, task.node, vmid)));
  };
}

async function joinAtBirth(sim: Sim, task: TaskContext, vmid: number, pool: unknown): Promise<void> {
  if (typeof pool !== 'string' || task.done('pooled')) return;
  await lockUserConfig(sim, `can't add VM ${vmid} to pool '${pool}'`, () => {
    task.once('pooled', () => sim.world.addToPool(pool, vmid));
  });
}

async function fillNew(sim: Sim, task: TaskContext, vmid: number, options: GuestConfig): Promise<void> {
  const config: GuestConfig = {};
  for (const [key, value] of Object.entries(options)) {
    if (!isDriveKey(key)) {
      config[key] = value;
      continue;
    }
    const { storage } = parseDrive(sim.contract, key, value);
    if (storage === '') config[key] = value;
    else {
      const label = `disk-${key}`;
      await underStorageLock(sim, task, storage, label, () => {
        task.remember(`${label}-value`, () => realizeDrive(sim, task.node, vmid, key, value));
      });
      config[key] = task.remember(`${label}-value`, () => value);
    }
  }
  await task.wait('write', sim.latency.config_write_ms);
  task.once('written', () => {
    const guest = loadGuest(sim, task.node, vmid);
    // Since 9 tags are asked for on the machine alone, which is in no pool yet (GuestHelpers.pm assert_tag_permissions).
    if (sim.facts.major === 9 && options['tags'] !== undefined)
      sim.rights.need(task.user, `/vms/${vmid}`, 'VM.Config.Options');
    noteChange(sim, guest);
    const uuid = `uuid=${randomUuid(sim.world)}`;
    const empty = Object.keys(config).filter((key) => config[key] === '');
    const made: GuestConfig = { smbios1: uuid, vmgenid: randomUuid(sim.world), ...config };
    guest.config = without(made, ...empty);
  });
}

/** destroy_vm's $early_checks. */
function checkDestroy(sim: Sim, guest: GuestState, purge: boolean): void {
  const { vmid } = guest;
  checkProtection(guest, `VM ${vmid}`);
  if (!purge && sim.world.haResources.has(`vm:${vmid}`)) {
    die(`unable to remove VM ${vmid} - used in HA resources and purge parameter not set.`);
  }
  if (isRunning(guest)) die(`VM ${vmid} is running - destroy failed`);
}

function destroy(call: Call): unknown {
  const { sim, params } = call;
  needRootFor(call, 'skiplock');
  const guest = loadGuest(sim, call.node, params.number('vmid'));
  const purge = params.flag('purge');
  checkDestroy(sim, guest, purge);
  const skiplock = params.flag('skiplock');
  return call.startTask('qmdestroy', String(guest.vmid), 'destroy', { vmid: guest.vmid, purge, skiplock });
}

/** Volume ids that go with a machine: its drives, unused disks, cloud-init; not its ISO images. */
function ownVolumes(sim: Sim, guest: GuestState): string[] {
  const drives = drivesOf(sim.contract, guest.config).filter((drive) => !drive.isCdrom || drive.isCloudInit);
  const unused = Object.entries(guest.config).filter(([key]) => isUnusedKey(key));
  // Memory of the machine itself, when it is hibernated, and of its snapshots.
  const states = [guest.config['vmstate'], ...guest.snapshots.map((one) => one.config['vmstate'])];
  const all = [
    ...states.filter((volid) => volid !== undefined),
    ...drives.map((drive) => drive.file),
    ...unused.map(([, value]) => value.split(',')[0] ?? value),
  ];
  return all.filter((volid) => sim.world.volume(volid, guest.node) !== undefined);
}

async function freeDisks(sim: Sim, task: TaskContext, guest: GuestState): Promise<void> {
  for (const volid of ownVolumes(sim, guest)) {
    const storage = volid.slice(0, volid.indexOf(':'));
    try {
      await underStorageLock(
        sim,
        task,
        storage,
        `free-${volid}`,
        () => sim.world.removeVolume(volid, task.node),
        0.3,
      );
    } catch (error) {
      task.warn(`Could not remove disk '${volid}', check manually: ${errorText(error)}`);
    }
  }
}

async function destroyLocked(
  sim: Sim,
  task: TaskContext,
  vmid: number,
  purge: boolean,
  skiplock: boolean,
): Promise<void> {
  const guest = loadGuest(sim, task.node, vmid);
  if (!task.done('checked')) {
    checkDestroy(sim, guest, purge);
    if (!skiplock && !isHibernated(guest)) checkLock(guest);
    if (isTemplate(guest)) {
      const base = ownVolumes(sim, guest).find((volid) => linkedChildren(sim, volid).length > 0);
      if (base !== undefined) die(`base volume '${base}' is still in use by linked cloned`);
    }
  }
  await task.wait('destroy', sim.latency.destroy_s * 1000);
  task.once('checked', () => undefined);
  await freeDisks(sim, task, guest);
  // The disks are gone before user.cfg is asked for: losing that lock leaves a machine that only root can remove.
  needWritable(sim, task.node, vmid);
  task.once('zombie', () => {
    noteChange(sim, guest);
    guest.config = { lock: 'destroyed' };
    guest.snapshots = [];
  });
  if (!task.done('access')) {
    await lockUserConfig(sim, `access permissions cleanup for VM ${vmid} failed`, () => {
      task.once('access', () => {
        sim.world.acl.delete(`/vms/${vmid}`);
        sim.world.leavePool(vmid);
      });
    });
  }
  if (purge) dropHaResource(sim.world, `vm:${vmid}`, true);
  sim.world.removeGuest(vmid);
}

export function destroyWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    await task.locked(lockGuest(sim, task.node, vmid, 'exclusive', 10_000), () =>
      destroyLocked(sim, task, vmid, args['purge'] === true, args['skiplock'] === true),
    );
  };
}

function checkTemplate(guest: GuestState): void {
  checkLock(guest);
  if (guest.snapshots.length > 0) die('unable to create template, because VM contains snapshots');
  if (isTemplate(guest)) die("you can't convert a template to a template");
  if (isRunning(guest)) die("you can't convert a VM to template if VM is running");
}

function template(call: Call): unknown {
  const { sim, params } = call;
  const guest = loadGuest(sim, call.node, params.number('vmid'));
  const disk = params.optText('disk');
  if (disk !== undefined && guest.config[disk] === undefined) die(`disk '${disk}' does not exist`);
  checkTemplate(guest);
  return call.startTask('qmtemplate', String(guest.vmid), 'template', {
    vmid: guest.vmid,
    disk: disk ?? null,
  });
}

/** template_create: volumes that cannot be base images are silently left as they are. */
export function convert(sim: Sim, guest: GuestState, only: string | undefined): void {
  needWritable(sim, guest.node, guest.vmid);
  noteChange(sim, guest);
  const config: GuestConfig = { ...guest.config, template: '1' };
  for (const drive of drivesOf(sim.contract, guest.config)) {
    const volume = sim.world.volume(drive.file, guest.node);
    if (drive.isCdrom || !volume || (only !== undefined && only !== drive.key)) continue;
    if (!canBeTemplate(storageOf(sim, drive.storage))) continue;
    const volid = drive.file
      .replace(/vm-(\d+-[^/]*)$/, 'base-$1')
      .replace(/:base-\d+-[^/]*\/base-/, ':base-');
    sim.world.removeVolume(drive.file, guest.node);
    sim.world.addVolume({ ...volume, volid });
    config[drive.key] = printDrive(drive, volid);
  }
  guest.config = config;
}

export function templateWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    await task.locked(lockGuest(sim, task.node, vmid, 'exclusive', 10_000), async () => {
      if (task.done('converted')) return;
      checkTemplate(loadGuest(sim, task.node, vmid));
      await task.wait('convert', sim.latency.template_s * 1000);
      task.once('converted', () => {
        const { disk } = args;
        convert(sim, loadGuest(sim, task.node, vmid), typeof disk === 'string' ? disk : undefined);
      });
    });
  };
}

export const qemuLifecycleHandlers: Handlers = {
  'POST /nodes/{node}/qemu': create,
  'DELETE /nodes/{node}/qemu/{vmid}': destroy,
  'POST /nodes/{node}/qemu/{vmid}/template': template,
};
