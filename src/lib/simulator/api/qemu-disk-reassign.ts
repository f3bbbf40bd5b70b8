/** Handing a disk over to another machine. See qemu-server API2/Qemu.pm move_vm_disk with `target-vmid`. Copies nothing. */
import { applyChange } from '../guest/config-change.ts';
import {
  checkLock,
  digestOf,
  isInSnapshot,
  isUnusedKey,
  loadGuest,
  parseDrive,
  printDrive,
  type Drive,
} from '../guest/guest-config.ts';
import { isRunning, isTemplate, noteChange } from '../guest/guest-view.ts';
import { bootOrder, printBootOrder } from '../guest/option-rules.ts';
import { rootUser } from '../access/permissions.ts';
import { die, paramError } from '../pve-error.ts';
import type { Release } from '../tasks/locks.ts';
import type { TaskContext } from '../tasks/running-task.ts';
import { lockGuest, needWritable, type Call, type Sim } from '../sim.ts';
import type { GuestState } from '../state.ts';
import { textArg, type JobArgs, type Worker } from '../tasks/tasks.ts';
import { addVolume, canRename, checkEnabled } from '../guest/volumes.ts';
import { without } from '../without.ts';

/** Tools.pm assert_if_modified. */
export function checkUnmodified(guest: GuestState, digest: string, prefix = ''): void {
  if (digest !== '' && digest !== digestOf(guest))
    die(`${prefix}detected modified configuration - file changed by other user? Try again.`);
}

interface Reassignment {
  readonly vmid: number;
  readonly disk: string;
  readonly targetVmid: number;
  readonly targetDisk: string;
  /** Empty: whatever it is. */
  readonly digest: string;
  readonly targetDigest: string;
}

const jobOf = (args: JobArgs): Reassignment => ({
  vmid: Number(args['vmid']),
  disk: textArg(args, 'disk'),
  targetVmid: Number(args['targetVmid']),
  targetDisk: textArg(args, 'targetDisk'),
  digest: textArg(args, 'digest'),
  targetDigest: textArg(args, 'targetDigest'),
});

/** $load_and_check_reassign_configs. */
function checkReassignment(sim: Sim, node: string, job: Reassignment): { source: GuestState; drive: Drive } {
  const { vmid, disk, targetVmid, targetDisk } = job;
  const other = sim.world.guests.get(targetVmid) ?? die(`could not find target VM ${targetVmid}`);
  const from = sim.world.guests.get(vmid) ?? die(`could not find VM ${vmid}`);
  if (from.node !== other.node) die(`Both VMs need to be on the same node (${from.node} != ${other.node})`);
  const source = loadGuest(sim, node, vmid);
  checkLock(source);
  const target = loadGuest(sim, node, targetVmid);
  checkLock(target);
  if (isTemplate(source) || isTemplate(target)) die("Can't move disks from or to template VMs");
  checkUnmodified(source, job.digest, `VM ${vmid}: `);
  checkUnmodified(target, job.targetDigest, `VM ${targetVmid}: `);
  const value = source.config[disk] ?? die(`Disk '${disk}' for VM '${vmid}' does not exist`);
  if (target.config[targetDisk] !== undefined)
    die(`Target disk key '${targetDisk}' is already in use for VM '${targetVmid}'`);
  const drive = parseDrive(sim.contract, disk, value);
  if (drive.isCdrom && !drive.isCloudInit) die("CD drive contents can't be moved to another VM");
  if (isInSnapshot(sim.contract, source, drive.file)) die("Can't move disk used by a snapshot to another VM");
  if (!canRename(checkEnabled(sim, drive.storage, node)))
    die('Storage does not support moving of this disk to another VM');
  if (isRunning(source) && !isUnusedKey(disk))
    die('Cannot move disk to another VM while the source VM is running - detach first');
  return { source, drive };
}

/** rename_volume: a linked clone keeps its base. */
function renameVolume(sim: Sim, node: string, drive: Drive, vmid: number): string {
  const volume = sim.world.volume(drive.file, node) ?? die(`volume '${drive.file}' does not exist`);
  const storage = checkEnabled(sim, drive.storage, node);
  sim.world.removeVolume(drive.file, node);
  const { size, format, parent } = volume;
  return addVolume(sim, { storage, node, vmid, size, format, base: parent }).volid;
}

/** An order that is left without devices is lost at the next reading. */
function leaveBootOrder(task: TaskContext, source: GuestState, disk: string): void {
  const order = bootOrder(source.config['boot']);
  if (!order.includes(disk)) return;
  task.log(`removing disk '${disk}' from boot order config`);
  const boot = printBootOrder(order.filter((one) => one !== disk));
  source.config = boot === '' ? without(source.config, 'boot') : { ...source.config, boot };
}

function reassign(sim: Sim, task: TaskContext, job: Reassignment): void {
  const { source, drive } = checkReassignment(sim, task.node, job);
  const { disk, targetDisk, targetVmid, vmid } = job;
  const target = loadGuest(sim, task.node, targetVmid);
  task.log(`reassign disk '${disk}' from VM '${vmid}' as '${targetDisk}' to VM '${targetVmid}'`);
  const volid = renameVolume(sim, task.node, drive, targetVmid);
  // Renamed first: a file that cannot be written goes on naming a volume that is gone.
  needWritable(sim, task.node, vmid);
  noteChange(sim, source);
  leaveBootOrder(task, source, disk);
  source.config = without(source.config, disk);
  task.log(`removing disk '${disk}' from VM '${vmid}' config`);
  if (isUnusedKey(targetDisk)) target.config = { ...target.config, [targetDisk]: volid };
  else
    applyChange(sim, target, { set: { [targetDisk]: printDrive(drive, volid) }, remove: [], force: false });
}

export function reassignDiskWorker(sim: Sim): Worker {
  return async (task, args) => {
    const job = jobOf(args);
    const lock = (vmid: number): Promise<Release> => lockGuest(sim, task.node, vmid, 'exclusive', 10_000);
    await task.locked(lock(job.vmid), () =>
      task.locked(lock(job.targetVmid), async () => {
        await task.wait('rename', sim.latency.config_write_ms);
        task.once('reassigned', () => reassign(sim, task, job));
      }),
    );
  };
}

export function startReassign(call: Call, vmid: number, disk: string, targetVmid: number): string {
  const { sim, params, user, node } = call;
  if (user !== rootUser) sim.rights.need(user, `/vms/${targetVmid}`, 'VM.Config.Disk');
  if (targetVmid === vmid)
    throw paramError({ 'target-vmid': 'must be different than source VMID to reassign disk' });
  const targetDisk = params.optText('target-disk') ?? disk;
  const args = {
    ...{ vmid, disk, targetVmid, targetDisk },
    digest: params.text('digest'),
    targetDigest: params.text('target-digest'),
  };
  const { drive } = checkReassignment(sim, node, jobOf(args));
  sim.rights.need(user, `/storage/${drive.storage}`, 'Datastore.AllocateSpace');
  const id = `${vmid}-${disk}>${targetVmid}-${targetDisk}`;
  return call.startTask('qmmove', id, 'reassign-disk', args);
}
