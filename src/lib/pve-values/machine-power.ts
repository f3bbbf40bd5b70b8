/** How a machine is: what PVE's list, its monitor and its lock say together. One word for plans, steps, status and summaries. */

import { LOCK } from './guest-kinds.ts';

/** `suspending`: its memory is being written, by a run that may be gone. */
export type MachinePower = 'running' | 'paused' | 'suspended' | 'suspending' | 'stopped' | 'unknown';

interface Told {
  readonly status: string;
  readonly monitor?: string;
  readonly lock?: string;
}

export function machinePower({ status, monitor, lock }: Told): MachinePower {
  if (status === 'stopped') return lock === LOCK.suspended ? 'suspended' : 'stopped';
  if (status !== 'running') return 'unknown';
  if (lock === LOCK.suspending) return 'suspending';
  return monitor === 'paused' || monitor === 'suspended' ? 'paused' : 'running';
}
