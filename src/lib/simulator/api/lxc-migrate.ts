/** `POST …/lxc/{vmid}/migrate`. See pve-container API2/LXC.pm and LXC/Migrate.pm. */
import { checkContainerLock, loadContainer, lockContainer } from '../guest/containers.ts';
import { isRunning, noteChange } from '../guest/guest-view.ts';
import { die, paramError } from '../pve-error.ts';
import type { Call, Handlers, Sim } from '../sim.ts';
import type { GuestState } from '../state.ts';
import { textArg, type Worker } from '../tasks/tasks.ts';
import { addVolume, storageOf } from '../guest/volumes.ts';
import { isOnNode } from './storage-view.ts';
import { without } from '../without.ts';

const volidOf = (value: string): string => value.split(',', 1)[0] ?? '';

/** Mount points by key; only the root file system is known to the simulator. */
function volumesOf(guest: GuestState): { readonly key: string; readonly volid: string }[] {
  const root = guest.config['rootfs'];
  return root === undefined ? [] : [{ key: 'rootfs', volid: volidOf(root) }];
}

function migrate(call: Call): unknown {
  const { sim, params, node } = call;
  const target = params.text('target');
  if (target === node) throw paramError({ target: 'target is local node.' });
  if (!sim.world.nodes.has(target)) die(`no such cluster node '${target}'`);
  const guest = loadContainer(sim, node, params.number('vmid'));
  checkContainerLock(guest);
  if (isRunning(guest) && !params.flag('online') && !params.flag('restart')) {
    die("can't migrate running container without --online or --restart");
  }
  const managed = sim.world.haResources.has(`ct:${guest.vmid}`);
  const args = { vmid: guest.vmid, target, restart: params.flag('restart') };
  return call.startTask(
    managed ? 'hamigrate' : 'vzmigrate',
    String(guest.vmid),
    managed ? 'ha-migrate' : 'lxc-migrate',
    args,
  );
}

function moveVolumes(sim: Sim, guest: GuestState, target: string): void {
  for (const { volid } of volumesOf(guest)) {
    const volume = sim.world.volume(volid, guest.node);
    if (!volume) continue;
    const storage = storageOf(sim, volume.storage);
    if (storage.shared) continue;
    sim.world.removeVolume(volid, guest.node);
    const { size, format } = volume;
    addVolume(sim, { storage, node: target, vmid: guest.vmid, size, format, volid });
  }
}

function obstacle(sim: Sim, guest: GuestState, target: string, restart: boolean): string | undefined {
  if (!sim.world.node(target).online) return "Can't connect to destination address using public key";
  if (isRunning(guest) && !restart) return 'lxc live migration is currently not implemented';
  for (const { volid } of volumesOf(guest)) {
    const storage = storageOf(sim, volid.slice(0, volid.indexOf(':')));
    if (storage.disabled || !isOnNode(storage, target))
      return `storage '${storage.storage}' is not available on node '${target}'`;
    if (!storage.shared && guest.snapshots.length > 0 && storage.type !== 'zfspool')
      return `can't migrate snapshot of local volume '${volid}'`;
  }
  return undefined;
}

export function lxcMigrateWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    const target = textArg(args, 'target');
    if (task.done('moved')) return;
    await task.locked(lockContainer(sim, task.node, vmid), async () => {
      const guest = loadContainer(sim, task.node, vmid);
      const problem = obstacle(sim, guest, target, args['restart'] === true);
      if (problem !== undefined) {
        task.log(`ERROR: ${problem}`);
        die('migration aborted');
      }
      const wasRunning = task.remember('running', () => String(isRunning(guest))) === 'true';
      const bytes = volumesOf(guest).reduce((sum, { volid }) => {
        const volume = sim.world.volume(volid, task.node);
        return sum + (volume && !storageOf(sim, volume.storage).shared ? volume.size : 0);
      }, 0);
      guest.config = { ...guest.config, lock: 'migrate' };
      try {
        if (wasRunning) await task.wait('shutdown', sim.latency.shutdown_s * 1000);
        const seconds = sim.latency.migrate_s + (bytes / 1024 ** 3) * sim.latency.migrate_s_per_gib;
        await task.wait('transfer', seconds * 1000);
        task.once('moved', () => {
          noteChange(sim, guest);
          moveVolumes(sim, guest, target);
          sim.world.moveGuest(guest, target);
          if (wasRunning) guest.runningSince = sim.clock.now();
        });
      } finally {
        guest.config = without(guest.config, 'lock');
      }
    });
  };
}

export const lxcMigrateHandlers: Handlers = {
  'POST /nodes/{node}/lxc/{vmid}/migrate': migrate,
};
