/** Cuts a VM's power. A VM that is stopped, or gone, is left as it is. */
import { attempt, awaitTask } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler } from '../../types.ts';
import { outliveTasks } from '../outlive-tasks.ts';
import { unlessGone } from './gone.ts';
import { patiently } from './lock.ts';

const POLL_MS = 2000;
/** HA's managers look at their lists every 10 s; the node's one may be busy with other VMs first. */
const HA_PATIENCE_MS = 180_000;
/** HA takes about 10 s. A wish that it is told in the middle of a migration is lost (HA/Manager.pm, next_state_migrate_relocate). */
const HA_AGAIN_MS = 20_000;

export const stopVm: Handler<'vm.stop'> = (step, io) => {
  const { node, vmid } = step;
  const isStopped = async () => (await io.pve.vmStatus(node, vmid, io.signal)).status === 'stopped';
  const send = async () => {
    await io.ownership.assertOursNow(step);
    await awaitTask(io, await io.pve.stopVm(node, vmid, io.signal));
    return io.clock.now();
  };
  /** Under HA the task ends as soon as the wish is noted. */
  const untilStopped = async (begun: number) => {
    let sent = begun;
    while (!(await isStopped())) {
      const now = io.clock.now();
      if (now - begun > HA_PATIENCE_MS)
        throw new StepError('STILL_RUNNING', `VM ${vmid} on ${node} was told to stop, but runs on`, {
          hint: 'if HA manages it, see Datacenter → HA; then run again',
        });
      if (now - sent > HA_AGAIN_MS) sent = await send();
      await io.clock.sleep(POLL_MS, io.signal);
    }
  };
  const stop = async () => {
    if (await isStopped()) return 'already-done';
    const sent = await send();
    if (!(await isStopped())) await io.stepAside(() => untilStopped(sent));
    return 'done';
  };
  return attempt(io, {
    id: step.id,
    act: () => unlessGone(step, io, () => patiently({ node, vmid, seconds: step.lockWaitSeconds }, io, stop)),
    // Each try begins with the look.
    look: async () => {
      await outliveTasks(io, node, { type: 'qmstop', vmid });
      return 'absent';
    },
  });
};
