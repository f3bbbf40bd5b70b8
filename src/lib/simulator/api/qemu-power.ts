/** `…/status/*`. See qemu-server API2/Qemu.pm and QemuServer.pm vm_start, vm_stop. */
import { applyPending } from '../guest/config-change.ts';
import { checkLock, findGuest, loadGuest } from '../guest/guest-config.ts';
import { isRunning, isTemplate, noteChange } from '../guest/guest-view.ts';
import { crmState, requestStart, requestStop } from '../ha-manager.ts';
import { firstNicProblem } from '../network/network-check.ts';
import { die } from '../pve-error.ts';
import { processOn } from '../guest/qemu-version.ts';
import { cpuProblemOn } from '../guest/host-resources.ts';
import { prepareStart } from '../guest/start-check.ts';
import { lockGuest, needQuorum, type Call, type Handlers, type Sim } from '../sim.ts';
import type { GuestState } from '../state.ts';
import type { TaskContext } from '../tasks/running-task.ts';
import { textArg, type Worker } from '../tasks/tasks.ts';
import {
  checkSavable,
  allocateState,
  checkStateRoom,
  dropState,
  isHibernated,
  stateSeconds,
  stateStorage,
} from '../guest/vmstate.ts';
import { needRootFor } from './qemu-rights.ts';

export function markStarted(sim: Sim, guest: GuestState): void {
  noteChange(sim, guest);
  guest.runningSince = sim.clock.now();
  guest.pid = sim.world.nextPid++;
  guest.process = processOn(sim, guest.node, guest.config);
  guest.paused = false;
  guest.halted = undefined;
}

/** The process is gone; what is pending stays so. */
function markQuit(sim: Sim, guest: GuestState): void {
  noteChange(sim, guest);
  guest.runningSince = undefined;
  guest.pid = undefined;
  guest.process = undefined;
  guest.paused = false;
  guest.halted = undefined;
  guest.agentProcesses = undefined;
}

export function markStopped(sim: Sim, guest: GuestState): void {
  markQuit(sim, guest);
  applyPending(sim, guest);
}

/** QemuServer.pm vm_start: `suspended` is no obstacle, the machine resumes and its saved memory goes. */
async function start(sim: Sim, task: TaskContext, vmid: number, skiplock: boolean): Promise<void> {
  const guest = loadGuest(sim, task.node, vmid);
  if (isTemplate(guest)) die("you can't start a vm if it's a template");
  const resumes = isHibernated(guest);
  if (!skiplock && !resumes) checkLock(guest);
  if (isRunning(guest)) die(`VM ${vmid} already running`);
  applyPending(sim, guest);
  prepareStart(sim, task.node, vmid, guest.config);
  const problem = firstNicProblem(sim, task.node, guest.config);
  if (problem?.early === true) {
    task.log(problem.text);
    die(problem.text);
  }
  if (resumes) task.log('Resuming suspended VM');
  await task.wait('start', (sim.latency.start_s + (resumes ? stateSeconds(sim, guest) : 0)) * 1000);
  const text = problem?.text ?? cpuProblemOn(sim, task.node, guest.config);
  if (text !== undefined) {
    task.log(text);
    die('start failed: QEMU exited with code 1');
  }
  task.once('started', () => {
    markStarted(sim, guest);
    if (!resumes) return;
    task.log('Resumed VM, removing state');
    dropState(sim, guest, 'lock');
  });
}

export function startWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    await task.locked(lockGuest(sim, task.node, vmid, 'exclusive', 10_000), async () => {
      if (task.done('started')) return;
      await start(sim, task, vmid, args['skiplock'] === true);
    });
  };
}

export function stopWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    await task.locked(lockGuest(sim, task.node, vmid, 'exclusive', 10_000), async () => {
      const guest = findGuest(sim, task.node, vmid);
      // QemuServer.pm _do_vm_stop: nothing to stop comes before the lock.
      if (!isRunning(guest)) return;
      if (args['skiplock'] !== true) checkLock(guest);
      await task.wait('stop', sim.latency.stop_s * 1000);
      task.once('stopped', () => markStopped(sim, guest));
    });
  };
}

/** The guest takes its time; what it does not manage within the timeout fails or is forced. */
export function shutdownWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    await task.locked(lockGuest(sim, task.node, vmid, 'exclusive', 10_000), async () => {
      const guest = findGuest(sim, task.node, vmid);
      if (!isRunning(guest) && !task.done('stopped')) return;
      if (args['skiplock'] !== true) checkLock(guest);
      const needed = guest.habits?.deaf === true ? Infinity : sim.latency.shutdown_s;
      const timeout = typeof args['timeout'] === 'number' ? args['timeout'] : 60;
      await task.wait('shutdown', Math.min(needed, timeout) * 1000);
      if (needed > timeout && args['forceStop'] !== true) die('VM quit/powerdown failed - got timeout');
      task.once('stopped', () => markStopped(sim, guest));
      if (args['reboot'] === true) await start(sim, task, vmid, true);
    });
  };
}

/** HA-managed machines: the task ends when the request is queued; the manager acts later. */
export function haRequestWorker(sim: Sim): Worker {
  return async (task, args) => {
    await task.wait('queue', 200);
    const sid = textArg(args, 'sid');
    const timeout = typeof args['timeout'] === 'number' ? args['timeout'] : null;
    task.once('requested', () => {
      if (args['action'] === 'start') requestStart(sim, sid);
      else requestStop(sim, sid, { hard: args['hard'] === true, timeout, forceStop: true });
    });
  };
}

function power(type: string, kind: string, action: 'start' | 'stop'): (call: Call) => unknown {
  return (call) => {
    const { params, sim } = call;
    needRootFor(call, 'skiplock');
    if (type === 'qmstart') needQuorum(sim);
    const vmid = params.number('vmid');
    const resource = sim.world.haResources.get(`vm:${vmid}`);
    // `ignored` is as if it were not managed.
    if (resource && resource.state !== 'ignored') {
      if (crmState(resource) === 'error')
        die(`service 'vm:${vmid}' in error state, must be disabled and fixed first`);
      return call.startTask(action === 'start' ? 'hastart' : 'hastop', String(vmid), 'ha-request', {
        sid: `vm:${vmid}`,
        action,
        hard: type === 'qmstop',
        timeout: params.optNumber('timeout') ?? null,
      });
    }
    // A machine that is not there is the task's to find.
    const guest = sim.world.guests.get(vmid);
    const isPaused = guest?.node === call.node && guest.paused;
    if (type === 'qmshutdown' && isPaused && !params.flag('forceStop')) die('VM is paused - cannot shutdown');
    return call.startTask(type, String(vmid), kind, {
      vmid,
      skiplock: params.flag('skiplock'),
      forceStop: params.flag('forceStop'),
      timeout: params.optNumber('timeout') ?? null,
    });
  };
}

/** Calls that only make sense on a running machine refuse at once. */
function onRunning(
  type: string,
  kind: string,
  extra: Readonly<Record<string, boolean>>,
): (call: Call) => unknown {
  return (call) => {
    needRootFor(call, 'skiplock');
    const guest = findGuest(call.sim, call.node, call.params.number('vmid'));
    if (!isRunning(guest)) die(`VM ${guest.vmid} not running`);
    const timeout = call.params.optNumber('timeout') ?? null;
    return call.startTask(type, String(guest.vmid), kind, { vmid: guest.vmid, timeout, ...extra });
  };
}

/** reset, suspend, resume: short work on the process. */
export function signalWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    await task.locked(lockGuest(sim, task.node, vmid, 'exclusive', 10_000), async () => {
      const guest = loadGuest(sim, task.node, vmid);
      if (args['skiplock'] !== true) checkLock(guest);
      if (!isRunning(guest)) die(`VM ${vmid} not running`);
      await task.wait('signal', 300);
      noteChange(sim, guest);
      if (args['pause'] === true) guest.paused = true;
      if (args['resume'] === true) {
        guest.paused = false;
        // The write is tried again; KVM's failures take a reset.
        if (guest.halted === 'io-error') guest.halted = undefined;
      }
      if (args['reset'] === true) guest.halted = undefined;
    });
  };
}

/** Suspend to disk, see API2/Qemu.pm vm_suspend; without `todisk` the machine only pauses. */
function suspend(call: Call): unknown {
  const { sim, params, user } = call;
  needRootFor(call, 'skiplock');
  const guest = findGuest(call.sim, call.node, call.params.number('vmid'));
  const { vmid } = guest;
  if (!isRunning(guest)) die(`VM ${vmid} not running`);
  if (!params.flag('todisk'))
    return call.startTask('qmsuspend', String(vmid), 'signal', { vmid, pause: true });
  if (sim.world.haResources.has(`vm:${vmid}`)) die('Cannot suspend HA managed VM to disk');
  sim.rights.need(user, `/vms/${vmid}`, 'VM.Config.Disk');
  const storage = params.optText('statestorage') ?? stateStorage(sim, guest);
  sim.rights.need(user, `/storage/${storage}`, 'Datastore.AllocateSpace');
  const args = { vmid, storage, skiplock: params.flag('skiplock') };
  return call.startTask('qmsuspend', String(vmid), 'hibernate', args);
}

/** QemuServer.pm vm_suspend: the flock is held at both ends only, `lock: suspending` stands in between. */
export function hibernateWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    const lock = (): ReturnType<typeof lockGuest> => lockGuest(sim, task.node, vmid, 'exclusive', 10_000);
    await task.locked(lock(), () => {
      task.once('suspending', () => {
        const guest = loadGuest(sim, task.node, vmid);
        if (args['skiplock'] !== true) checkLock(guest);
        checkSavable(guest);
        const day = new Date(sim.clock.now()).toISOString().slice(0, 10);
        const vmstate = allocateState(sim, guest, `suspend-${day}`, textArg(args, 'storage'));
        guest.config = { ...guest.config, lock: 'suspending', vmstate };
      });
      return Promise.resolve();
    });
    const guest = loadGuest(sim, task.node, vmid);
    try {
      await task.wait('save', stateSeconds(sim, guest) * 1000);
      checkStateRoom(sim, guest);
    } catch (error) {
      // The lock stays, to tell that something went wrong.
      dropState(sim, guest);
      throw error;
    }
    await task.locked(lock(), () => {
      if (guest.config['lock'] !== 'suspending') die('lock changed unexpectedly');
      task.once('suspended', () => {
        markQuit(sim, guest);
        guest.config = { ...guest.config, lock: 'suspended' };
      });
      return Promise.resolve();
    });
  };
}

/** API2/Qemu.pm vm_resume: on a hibernated machine it is a start. */
function resume(call: Call): unknown {
  needRootFor(call, 'skiplock');
  const guest = findGuest(call.sim, call.node, call.params.number('vmid'));
  const { vmid } = guest;
  const skiplock = call.params.flag('skiplock');
  if (isHibernated(guest)) return call.startTask('qmresume', String(vmid), 'start', { vmid, skiplock });
  if (!isRunning(guest)) die(`VM ${vmid} not running`);
  return call.startTask('qmresume', String(vmid), 'signal', { vmid, resume: true, skiplock });
}

export const qemuPowerHandlers: Handlers = {
  'POST /nodes/{node}/qemu/{vmid}/status/start': power('qmstart', 'start', 'start'),
  'POST /nodes/{node}/qemu/{vmid}/status/stop': power('qmstop', 'stop', 'stop'),
  'POST /nodes/{node}/qemu/{vmid}/status/shutdown': power('qmshutdown', 'shutdown', 'stop'),
  'POST /nodes/{node}/qemu/{vmid}/status/reboot': onRunning('qmreboot', 'shutdown', { reboot: true }),
  'POST /nodes/{node}/qemu/{vmid}/status/reset': onRunning('qmreset', 'signal', { reset: true }),
  'POST /nodes/{node}/qemu/{vmid}/status/suspend': suspend,
  'POST /nodes/{node}/qemu/{vmid}/status/resume': resume,
};
