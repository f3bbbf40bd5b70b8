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

export const stopVm: Handler<'vm.stop'> = (step, io) => {
  const { node, vmid } = step;
  const isStopped = async () => (await io.pve.vmStatus(node, vmid, io.signal)).status === 'stopped';
  const untilStopped = async () => {
    const begun = io.clock.now();
    do {
      if (io.clock.now() - begun > HA_PATIENCE_MS)
        throw new StepError('STILL_RUNNING', `VM ${vmid} on ${node} was told to stop, but runs on`, {
          hint: 'if HA manages it, see Datacenter → HA; then run again',
        });
      await io.clock.sleep(POLL_MS, io.signal);
    } while (!(await isStopped()));
  };
  const stop = async () => {
    if (await isStopped()) return 'already-done';
    await io.ownership.assertOursNow(step);
    await awaitTask(io, await io.pve.stopVm(node, vmid, io.signal));
    // Under HA the task ends as soon as the wish is noted.
    if (!(await isStopped())) await io.stepAside(untilStopped);
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
