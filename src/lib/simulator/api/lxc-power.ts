/** `…/lxc/{vmid}/status/*`. See pve-container API2/LXC/Status.pm and LXC.pm vm_start, vm_stop. */
import {
  checkContainerLock,
  findContainer,
  hasNicProblem,
  loadContainer,
  lockContainer,
} from '../guest/containers.ts';
import { isRunning, isTemplate } from '../guest/guest-view.ts';
import { crmState } from '../ha-manager.ts';
import { isToken, ownerOf } from '../access/permissions.ts';
import { die, paramError } from '../pve-error.ts';
import type { TaskContext } from '../tasks/running-task.ts';
import type { Call, Handlers, Sim } from '../sim.ts';
import type { GuestState } from '../state.ts';
import type { JobArgs, Worker } from '../tasks/tasks.ts';
import { markStarted, markStopped } from './qemu-power.ts';
import { needRootFor } from './qemu-rights.ts';

const runs = ({ sim, node, params }: Call): boolean => {
  const guest = findContainer(sim, node, params.number('vmid'));
  return guest !== undefined && isRunning(guest);
};

/** What calls refuse at once; that a container exists at all they leave to the task, or to it not running. */
function needRunning(call: Call, type = 'CT'): number {
  const vmid = call.params.number('vmid');
  if (!runs(call)) die(`${type} ${vmid} not running`);
  return vmid;
}

function needStopped(call: Call): number {
  const vmid = call.params.number('vmid');
  if (runs(call)) die(`CT ${vmid} already running`);
  return vmid;
}

/** HA/Config.pm vm_is_ha_managed: `ignored` is as if it were not. */
function isManaged({ sim }: Call, vmid: number): boolean {
  const resource = sim.world.haResources.get(`ct:${vmid}`);
  return resource !== undefined && resource.state !== 'ignored';
}

/** The task that passes a request on to the manager, if that has the container in its care. */
function requested(
  call: Call,
  vmid: number,
  how: { readonly action: 'start' | 'stop'; readonly hard?: boolean; readonly timeout?: number },
): string | undefined {
  if (!isManaged(call, vmid)) return undefined;
  const sid = `ct:${vmid}`;
  const resource = call.sim.world.haResources.get(sid);
  if (resource && crmState(resource) === 'error')
    die(`service '${sid}' in error state, must be disabled and fixed first`);
  return call.startTask(`ha${how.action}`, String(vmid), 'ha-request', { sid, ...how });
}

function start(call: Call): unknown {
  needRootFor(call, 'skiplock');
  const vmid = needStopped(call);
  const request = requested(call, vmid, { action: 'start' });
  if (request !== undefined) return request;
  return call.startTask('vzstart', String(vmid), 'lxc-start', {
    vmid,
    skiplock: call.params.flag('skiplock'),
  });
}

/** GuestHelpers.pm abort_guest_tasks: those of others need Sys.Modify. */
function shutdownsOf({ sim, node, user }: Call, vmid: number): string[] {
  const all = sim.rights.has(user, `/nodes/${node}`, 'Sys.Modify');
  const isOwn = (owner: string): boolean => owner === user || (!isToken(user) && ownerOf(owner) === user);
  return sim.tasks
    .active(node)
    .filter((task) => task.type === 'vzshutdown' && task.id === String(vmid) && (all || isOwn(task.user)))
    .map((task) => task.upid);
}

function stop(call: Call): unknown {
  const { params } = call;
  needRootFor(call, 'skiplock');
  const vmid = needRunning(call);
  const overrule = params.flag('overrule-shutdown');
  if (overrule && isManaged(call, vmid))
    throw paramError({ 'overrule-shutdown': 'Not applicable for HA resources.' });
  const request = requested(call, vmid, { action: 'stop', hard: true });
  if (request !== undefined) return request;
  const overruled = overrule ? shutdownsOf(call, vmid) : [];
  const args = { vmid, skiplock: params.flag('skiplock'), overruled };
  return call.startTask('vzstop', String(vmid), 'lxc-stop', args);
}

function shutdown(call: Call): unknown {
  const { params } = call;
  const vmid = needRunning(call);
  const timeout = params.optNumber('timeout') ?? 60;
  const request = requested(call, vmid, { action: 'stop', timeout });
  if (request !== undefined) return request;
  const args = { vmid, timeout, forceStop: params.flag('forceStop') };
  return call.startTask('vzshutdown', String(vmid), 'lxc-shutdown', args);
}

function reboot(call: Call): unknown {
  // Its text names a VM.
  const vmid = needRunning(call, 'VM');
  const timeout = call.params.optNumber('timeout') ?? 60;
  return call.startTask('vzreboot', String(vmid), 'lxc-reboot', { vmid, timeout });
}

function suspend(call: Call): unknown {
  const vmid = needRunning(call);
  return call.startTask('vzsuspend', String(vmid), 'lxc-suspend', { vmid });
}

function resume(call: Call): unknown {
  const vmid = needStopped(call);
  return call.startTask('vzresume', String(vmid), 'lxc-resume', { vmid });
}

async function bringUp(sim: Sim, task: TaskContext, guest: GuestState): Promise<void> {
  const problem = hasNicProblem(sim, guest);
  await task.wait('start', sim.latency.start_s * 1000);
  if (problem) die(`startup for container '${guest.vmid}' failed`);
  task.once('started', () => markStarted(sim, guest));
}

export const NOT_STOPPED = 'container did not stop';

/** vm_stop without kill: lxc-stop waits its time, and who may not kill waits that time and 5 s once more. */
export async function bringDown(
  sim: Sim,
  task: TaskContext,
  guest: GuestState,
  { timeout, kill }: { readonly timeout: number; readonly kill: boolean },
): Promise<void> {
  const needed = sim.latency.shutdown_s;
  const patience = kill ? timeout : 2 * timeout + 5;
  await task.wait('shutdown', Math.min(needed, patience) * 1000);
  if (needed > patience && !kill) die(NOT_STOPPED);
  task.once('stopped', () => markStopped(sim, guest));
}

/** lxc-stop's own, where nobody says. */
const timeoutOf = ({ timeout }: JobArgs): number => (typeof timeout === 'number' ? timeout : 60);

type Work = (sim: Sim, task: TaskContext, guest: GuestState, args: JobArgs) => Promise<void>;

/** A worker that holds the container's lock while it works. */
const locked =
  (work: Work) =>
  (sim: Sim): Worker =>
  async (task, args) => {
    const vmid = Number(args['vmid']);
    await task.locked(lockContainer(sim, task.node, vmid), () =>
      work(sim, task, loadContainer(sim, task.node, vmid), args),
    );
  };

export const startContainerWorker = locked(async (sim, task, guest, args) => {
  if (isTemplate(guest)) die("you can't start a CT if it's a template");
  if (args['skiplock'] !== true) checkContainerLock(guest, 'mounted');
  if (!isRunning(guest)) await bringUp(sim, task, guest);
});

const killContainerWorker = locked(async (sim, task, guest, args) => {
  if (args['skiplock'] !== true) checkContainerLock(guest, 'mounted');
  if (!isRunning(guest)) return;
  await task.wait('stop', sim.latency.stop_s * 1000);
  task.once('stopped', () => markStopped(sim, guest));
});

/** Shutdowns hold the lock that a stop needs: they are ended before. */
export const stopContainerWorker =
  (sim: Sim): Worker =>
  async (task, args) => {
    const overruled = Array.isArray(args['overruled']) ? args['overruled'].map(String) : [];
    for (const upid of overruled) sim.tasks.stop(upid);
    if (overruled.length > 0) task.log(`overruled vzshutdown tasks: ${overruled.join(', ')}`);
    await killContainerWorker(sim)(task, args);
  };

export const shutdownContainerWorker = locked(async (sim, task, guest, args) => {
  if (task.done('stopped')) return;
  checkContainerLock(guest);
  if (!isRunning(guest)) return;
  await bringDown(sim, task, guest, { timeout: timeoutOf(args), kill: args['forceStop'] === true });
});

export const rebootContainerWorker = locked(async (sim, task, guest, args) => {
  if (!isRunning(guest) && !task.done('stopped')) return;
  if (!task.done('stopped')) await bringDown(sim, task, guest, { timeout: timeoutOf(args), kill: true });
  await bringUp(sim, task, guest);
});

const checkpoint = 'lxc-checkpoint';

/** CRIU writes the processes to disk and ends them. */
export const suspendContainerWorker = locked(async (sim, task, guest) => {
  if (task.done('suspended')) return;
  checkContainerLock(guest);
  await task.wait('suspend', sim.latency.stop_s * 1000);
  task.once('suspended', () => {
    markStopped(sim, guest);
    guest.checkpointed = true;
  });
});

/** Takes no lock (vm_resume). */
export function resumeContainerWorker(sim: Sim): Worker {
  return async (task, args) => {
    if (task.done('resumed')) return;
    const vmid = Number(args['vmid']);
    await task.wait('resume', sim.latency.start_s * 1000);
    const guest = findContainer(sim, task.node, vmid);
    if (guest?.checkpointed !== true || isRunning(guest))
      die(`command '${checkpoint} -n ${vmid} -r --foreground -D /var/lib/vz/dump' failed: exit code 1`);
    task.once('resumed', () => {
      markStarted(sim, guest);
      guest.checkpointed = undefined;
    });
  };
}

export const lxcPowerHandlers: Handlers = {
  'POST /nodes/{node}/lxc/{vmid}/status/start': start,
  'POST /nodes/{node}/lxc/{vmid}/status/stop': stop,
  'POST /nodes/{node}/lxc/{vmid}/status/shutdown': shutdown,
  'POST /nodes/{node}/lxc/{vmid}/status/reboot': reboot,
  'POST /nodes/{node}/lxc/{vmid}/status/suspend': suspend,
  'POST /nodes/{node}/lxc/{vmid}/status/resume': resume,
};
