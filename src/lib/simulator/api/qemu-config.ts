/** `PUT` and `POST …/config`, `PUT …/resize`. See qemu-server API2/Qemu.pm update_vm_api. */
import { checkTags } from '../guest/tag-rights.ts';
import { applyChange, type ConfigChange } from '../guest/config-change.ts';
import { splitList } from '../contract/formats.ts';
import { specOf } from '../contract/validate.ts';
import {
  checkLock,
  completeNet,
  digestOf,
  isDriveKey,
  isNetKey,
  loadGuest,
  normalizeTags,
  parseDrive,
  printDrive,
} from '../guest/guest-config.ts';
import { noteChange, parseSize, printSize } from '../guest/guest-view.ts';
import { die, errorText, paramError } from '../pve-error.ts';
import { checkBalloon, checkSshKeys } from '../guest/option-rules.ts';
import { randomUuid, sha1 } from '../access/secrets.ts';
import { lockGuest, lockStorage, withLock, type Call, type Handlers, type Sim } from '../sim.ts';
import type { GuestConfig, GuestState } from '../state.ts';
import { checkHookscript } from '../guest/start-check.ts';
import { textArg, type Worker } from '../tasks/tasks.ts';
import { isHibernated } from '../guest/vmstate.ts';
import { storageOf } from '../guest/volumes.ts';
import {
  checkBridges,
  checkDriveAccess,
  checkModifyRights,
  needForDrive,
  needRootFor,
} from './qemu-rights.ts';

const notOptions = new Set([
  'node',
  'vmid',
  'delete',
  'revert',
  'digest',
  'skiplock',
  'force',
  'background_delay',
  'import-working-storage',
]);

/** The options among the parameters, as they will be stored. Draws MACs for NICs that come without. */
export function optionsFrom(call: Call, extra: ReadonlySet<string> = new Set()): GuestConfig {
  const { sim, params } = call;
  const set: GuestConfig = {};
  checkSshKeys(params.optText('sshkeys'));
  for (const name of params.names()) {
    if (notOptions.has(name) || extra.has(name)) continue;
    const text = params.text(name);
    if (isNetKey(name)) set[name] = completeNet(sim, text);
    else if (name === 'tags') set[name] = normalizeTags(text);
    // Comment lines are read back without trailing white space (QemuServer.pm parse_vm_config).
    else if (name === 'description') set[name] = text.trimEnd();
    else if (name === 'vmgenid' && text === '1') set[name] = randomUuid(sim.world);
    else if (name === 'cipassword' && text !== '' && !/^\$(?:5|6|y|2[aby])\$/.test(text))
      set[name] = `$5$${sha1(text).slice(0, 8)}$${sha1(text)}`;
    else set[name === 'cdrom' ? 'ide2' : name] = name === 'cdrom' ? `${text},media=cdrom` : text;
  }
  return set;
}

function knownKeys(call: Call, list: string, set: Readonly<GuestConfig>): string[] {
  const spec = call.sim.contract.endpoints.get('PUT /nodes/{node}/qemu/{vmid}/config');
  return splitList(call.params.text(list)).map((key) => {
    const known = spec && specOf(spec.params, key) !== undefined && !notOptions.has(key);
    if (known !== true && key !== 'vmstate') throw paramError({ [list]: `unknown option '${key}'` });
    if (set[key] !== undefined) {
      throw paramError({ [list]: `you can't use '-${key}' and -${list} ${key}' at the same time` });
    }
    return key;
  });
}

function changeFrom(call: Call): ConfigChange {
  const { sim, user, params } = call;
  needRootFor(call, 'skiplock');
  const set = optionsFrom(call);
  const remove = knownKeys(call, 'delete', set);
  const revert = knownKeys(call, 'revert', set);
  if (Object.keys(set).length + remove.length + revert.length === 0) die('no options specified');
  const guest = loadGuest(sim, call.node, params.number('vmid'));
  const where = { vmid: guest.vmid };
  checkModifyRights(sim, user, where, [...Object.keys(set), ...remove, ...revert], set);
  for (const key of [...Object.keys(set), ...remove]) {
    const old = guest.config[key];
    if (isDriveKey(key) && old !== undefined) needForDrive(sim, user, where, key, old);
  }
  if (set['tags'] !== undefined || remove.includes('tags'))
    checkTags(sim, user, guest.config['tags'] ?? '', set['tags'] ?? '');
  checkBridges(sim, user, Object.entries(set));
  const touched = [...Object.keys(set), ...remove].filter(
    (key) => isNetKey(key) && guest.config[key] !== undefined,
  );
  checkBridges(
    sim,
    user,
    touched.map((key) => [key, guest.config[key] ?? ''] as const),
  );
  for (const [key, value] of Object.entries(set))
    if (isDriveKey(key) && value !== '') checkDriveAccess(sim, user, guest.vmid, key, value);
  if (set['hookscript'] !== undefined) checkHookscript(sim, call.node, set['hookscript']);
  return { set, remove, force: params.flag('force') };
}

function checkState(call: Call, guest: GuestState): void {
  const { params } = call;
  const digest = params.optText('digest');
  if (digest !== undefined && digest !== digestOf(guest))
    die('checksum mismatch (file change by other user?)');
  const discards = splitList(params.text('delete')).includes('vmstate');
  if (!params.flag('skiplock') && !(discards && isHibernated(guest))) checkLock(guest);
}

function checkChange(call: Call, guest: GuestState, change: ConfigChange): void {
  checkState(call, guest);
  checkBalloon(guest, change);
}

const allocates = (value: string): boolean => /^[^:,]+:(?:\d+(?:\.\d+)?|cloudinit)(?:,|$)/.test(value);

/** Takes the lock of each storage that a new volume goes to; this is what makes PUT slow. */
async function waitForStorage(sim: Sim, node: string, change: ConfigChange): Promise<void> {
  for (const [key, value] of Object.entries(change.set)) {
    if (!isDriveKey(key) || !allocates(value)) continue;
    const storage = value.slice(0, value.indexOf(':'));
    storageOf(sim, storage);
    await withLock(lockStorage(sim, node, storage), () => sim.clock.sleep(sim.latency.storage_lock_s * 1000));
  }
}

/** AbstractConfig.pm lock_config: 10 s for writers, while clones hold a template's lock shared. */
const configLock = (call: Call): ReturnType<typeof lockGuest> =>
  lockGuest(call.sim, call.node, call.params.number('vmid'), 'exclusive', 10_000);

export async function put(call: Call): Promise<null> {
  const { sim } = call;
  const change = changeFrom(call);
  await withLock(configLock(call), async () => {
    const guest = loadGuest(sim, call.node, call.params.number('vmid'));
    checkChange(call, guest, change);
    await waitForStorage(sim, call.node, change);
    await sim.clock.sleep(sim.latency.config_write_ms);
    applyChange(sim, guest, change, splitList(call.params.text('revert')));
  });
  return null;
}

async function post(call: Call): Promise<unknown> {
  const { sim, params } = call;
  const change = changeFrom(call);
  const upid = await withLock(configLock(call), async () => {
    const guest = loadGuest(sim, call.node, params.number('vmid'));
    checkChange(call, guest, change);
    await sim.clock.sleep(sim.latency.config_write_ms);
    return call.startTask('qmconfig', String(guest.vmid), 'configure', {
      vmid: guest.vmid,
      set: change.set,
      remove: change.remove,
      revert: splitList(params.text('revert')),
      force: change.force,
    });
  });
  const delay = params.optNumber('background_delay');
  if (delay === undefined) return upid;
  const deadline = sim.clock.after(delay * 1000);
  while (sim.tasks.isRunning(upid) && sim.clock.now() < deadline) await sim.clock.sleep(250);
  if (sim.tasks.isRunning(upid)) return upid;
  const { exitstatus = '' } = sim.tasks.get(upid) ?? {};
  return exitstatus === 'OK' || exitstatus.startsWith('WARNINGS') ? null : die(exitstatus);
}

export function configureWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    // Written by post() above.
    const change: ConfigChange = {
      set: args['set'] as GuestConfig,
      remove: args['remove'] as readonly string[],
      force: args['force'] === true,
    };
    await task.locked(lockGuest(sim, task.node, vmid, 'exclusive', 10_000), async () => {
      await waitForStorage(sim, task.node, change);
      await task.wait('write', sim.latency.config_write_ms);
      try {
        const guest = loadGuest(sim, task.node, vmid);
        applyChange(sim, guest, change, args['revert'] as readonly string[]);
      } catch (error) {
        die(errorText(error));
      }
    });
  };
}

function resizeGuest(sim: Sim, node: string, vmid: number, key: string, sizeText: string): void {
  const guest = loadGuest(sim, node, vmid);
  const value = guest.config[key] ?? die(`disk '${key}' does not exist`);
  const drive = parseDrive(sim.contract, key, value);
  if (drive.isCdrom) die("you can't resize a cdrom");
  const volume = sim.world.volume(drive.file, node) ?? die(`volume '${drive.file}' does not exist`);
  const size = sizeText.startsWith('+') ? volume.size + parseSize(sizeText.slice(1)) : parseSize(sizeText);
  if (size < volume.size) die('shrinking disks is not supported');
  noteChange(sim, guest);
  sim.world.resizeVolume(volume, size);
  guest.config = { ...guest.config, [key]: printDrive(drive, drive.file, { size: printSize(size) }) };
}

/** null on 7.4, a task since 8.0. */
async function resize(call: Call): Promise<unknown> {
  const { sim, params, node } = call;
  needRootFor(call, 'skiplock');
  const guest = loadGuest(sim, node, params.number('vmid'));
  checkState(call, guest);
  const disk = params.text('disk');
  if (guest.config[disk] === undefined) die(`disk '${disk}' does not exist`);
  const args = { vmid: guest.vmid, disk, size: params.text('size') };
  if (sim.facts.major > 7) return call.startTask('resize', String(guest.vmid), 'resize', args);
  await withLock(configLock(call), async () => {
    await sim.clock.sleep(sim.latency.config_write_ms);
    resizeGuest(sim, node, guest.vmid, disk, args.size);
  });
  return null;
}

export function resizeWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    await task.locked(lockGuest(sim, task.node, vmid, 'exclusive', 10_000), async () => {
      await task.wait('resize', sim.latency.config_write_ms);
      task.once('resized', () =>
        resizeGuest(sim, task.node, vmid, textArg(args, 'disk'), textArg(args, 'size')),
      );
    });
  };
}

export const qemuConfigHandlers: Handlers = {
  'PUT /nodes/{node}/qemu/{vmid}/config': put,
  'POST /nodes/{node}/qemu/{vmid}/config': post,
  'PUT /nodes/{node}/qemu/{vmid}/resize': resize,
};
