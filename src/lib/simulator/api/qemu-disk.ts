/** `PUT …/unlink` and `POST …/move_disk`. See qemu-server API2/Qemu.pm unlink, move_vm_disk. Changes drives alone. */
import { addUnused } from '../guest/config-change.ts';
import {
  checkLock,
  isInSnapshot,
  isUnusedKey,
  loadGuest,
  parseDrive,
  printDrive,
  type Drive,
} from '../guest/guest-config.ts';
import { isRunning, isTemplate, noteChange, printSize } from '../guest/guest-view.ts';
import { die, errorText, paramError } from '../pve-error.ts';
import type { TaskContext } from '../tasks/running-task.ts';
import { lockGuest, needWritable, type Call, type Handlers, type Sim } from '../sim.ts';
import type { GuestState } from '../state.ts';
import { textArg, type JobArgs, type Worker } from '../tasks/tasks.ts';
import { addVolume, checkEnabled, keptFormat, linkedChildren, underStorageLock } from '../guest/volumes.ts';
import { put as putConfig } from './qemu-config.ts';
import { checkUnmodified, startReassign } from './qemu-disk-reassign.ts';
import { convert } from './qemu-lifecycle.ts';
import { without } from '../without.ts';

/** update_vm with another name for its `delete`. */
const unlink = (call: Call): Promise<null> =>
  putConfig({ ...call, params: call.params.renamed('idlist', 'delete') });

interface Move {
  readonly vmid: number;
  readonly disk: string;
  readonly storage: string;
  readonly format: string | undefined;
  readonly remove: boolean;
  /** Empty: whatever it is. */
  readonly digest: string;
}

const moveOf = (args: JobArgs): Move => ({
  vmid: Number(args['vmid']),
  disk: textArg(args, 'disk'),
  storage: textArg(args, 'storage'),
  format: typeof args['format'] === 'string' ? args['format'] : undefined,
  remove: args['remove'] === true,
  digest: textArg(args, 'digest'),
});

interface Moving {
  readonly guest: GuestState;
  readonly drive: Drive;
  readonly inSnapshot: boolean;
}

/** $load_and_check_move: before the fork, and again under the lock. */
function checkMove(sim: Sim, node: string, move: Move): Moving {
  const { disk, storage: id } = move;
  const guest = loadGuest(sim, node, move.vmid);
  checkLock(guest);
  checkUnmodified(guest, move.digest);
  const drive = parseDrive(sim.contract, disk, guest.config[disk] ?? die(`disk '${disk}' does not exist`));
  if (drive.isCdrom && !drive.isCloudInit) die("you can't move a cdrom");
  const oldFormat = sim.world.volume(drive.file, node)?.format;
  if (drive.storage === id && (move.format === undefined || move.format === oldFormat))
    die("you can't move to the same storage with same format");
  if (!checkEnabled(sim, id, node).content.includes('images'))
    throw paramError({ storage: `storage '${id}' does not support vm images` });
  const inSnapshot = isInSnapshot(sim.contract, guest, drive.file);
  if (inSnapshot && move.remove) die("you can't move a disk with snapshots and delete the source");
  return { guest, drive, inSnapshot };
}

async function copyDisk(sim: Sim, task: TaskContext, move: Move, moving: Moving): Promise<void> {
  const { guest, drive, inSnapshot } = moving;
  const { disk, vmid } = move;
  if (isRunning(guest) && disk === 'tpmstate0') die('cannot move TPM state while VM is running');
  if (inSnapshot) task.log('moving disk with snapshots, snapshots will not be moved!');
  const source = sim.world.volume(drive.file, task.node) ?? die(`volume '${drive.file}' does not exist`);
  const storage = checkEnabled(sim, move.storage, task.node);
  task.log(`create full clone of drive ${disk} (${drive.file})`);
  const format = keptFormat(storage, move.format ?? source.format);
  await underStorageLock(sim, task, storage.storage, 'allocate', () => {
    const wanted = { storage, node: task.node, vmid, size: source.size, format };
    task.remember('volid', () => addVolume(sim, wanted).volid);
  });
  await task.wait('copy', (source.size / 1024 ** 3) * sim.latency.full_clone_s_per_gib * 1000);
}

function putMoved(sim: Sim, task: TaskContext, move: Move, { guest, drive }: Moving): void {
  const { disk } = move;
  const volid = task.remember('volid', () => '');
  const size = printSize(sim.world.volume(volid, task.node)?.size ?? 0);
  needWritable(sim, task.node, move.vmid);
  noteChange(sim, guest);
  const plain = { ...drive, options: without(drive.options, 'format') };
  const moved = isUnusedKey(disk) ? volid : printDrive(plain, volid, drive.isCloudInit ? {} : { size });
  guest.config = { ...guest.config, [disk]: moved };
  if (!move.remove) {
    const key = addUnused(guest, drive.file);
    task.log(`adding source volume '${drive.file}' as '${key}' to config`);
  }
  if (isTemplate(guest)) convert(sim, guest, disk);
}

/** What cannot be freed stays behind; the task is well none the less. */
async function freeSource(sim: Sim, task: TaskContext, { file, storage }: Drive): Promise<void> {
  task.log(`removing source volume '${file}' after successful copy`);
  if (linkedChildren(sim, file).length > 0) {
    task.log(`base volume '${file.slice(file.indexOf(':') + 1)}' is still in use by linked cloned`);
    return;
  }
  await underStorageLock(sim, task, storage, 'free', () => sim.world.removeVolume(file, task.node), 0.3);
}

async function moveLocked(sim: Sim, task: TaskContext, move: Move): Promise<void> {
  const moving = checkMove(sim, task.node, move);
  task.log(
    `copying volume '${moving.drive.file}' from current storage '${moving.drive.storage}' to target storage '${move.storage}'`,
  );
  try {
    await copyDisk(sim, task, move, moving);
    task.once('moved', () => putMoved(sim, task, move, moving));
  } catch (error) {
    if (task.done('volid'))
      sim.world.removeVolume(
        task.remember('volid', () => ''),
        task.node,
      );
    die(`storage migration failed: ${errorText(error)}`);
  }
  if (move.remove) await freeSource(sim, task, moving.drive);
}

export function moveDiskWorker(sim: Sim): Worker {
  return async (task, args) => {
    const move = moveOf(args);
    await task.locked(lockGuest(sim, task.node, move.vmid, 'exclusive', 10_000), async () => {
      if (!task.done('moved')) await moveLocked(sim, task, move);
    });
  };
}

function moveDisk(call: Call): unknown {
  const { sim, params, user, node } = call;
  const vmid = params.number('vmid');
  const disk = params.text('disk');
  const storage = params.optText('storage');
  const targetVmid = params.optNumber('target-vmid');
  if ((storage === undefined) === (targetVmid === undefined)) {
    const text =
      storage === undefined
        ? "both 'storage' and 'target-vmid' missing, either needs to be set"
        : "either set 'storage' or 'target-vmid', but not both";
    throw paramError({ 'target-vmid': text, storage: text });
  }
  if (targetVmid !== undefined) return startReassign(call, vmid, disk, targetVmid);
  sim.rights.need(user, `/storage/${storage ?? ''}`, 'Datastore.AllocateSpace');
  const args = {
    ...{ vmid, disk, storage: storage ?? '', remove: params.flag('delete') },
    format: params.optText('format') ?? null,
    digest: params.text('digest'),
  };
  checkMove(sim, node, moveOf(args));
  return call.startTask('qmmove', String(vmid), 'move-disk', args);
}

export const qemuDiskHandlers: Handlers = {
  'PUT /nodes/{node}/qemu/{vmid}/unlink': unlink,
  'POST /nodes/{node}/qemu/{vmid}/move_disk': moveDisk,
};
