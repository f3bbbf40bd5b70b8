/** How a machine is: what PVE's list and its lock say together. One word for plans, commands and summaries. Pure. */
import type { GuestInfo } from '../../inventory/types.ts';

/** `suspending`: its memory is being written, by a run that may be gone. */
export type MachinePower = 'running' | 'paused' | 'suspended' | 'suspending' | 'stopped' | 'unknown';

export function machinePower({
  status,
  monitor,
  lock,
}: Pick<GuestInfo, 'status' | 'monitor' | 'lock'>): MachinePower {
  if (status === 'stopped') return lock === 'suspended' ? 'suspended' : 'stopped';
  if (status !== 'running') return 'unknown';
  if (lock === 'suspending') return 'suspending';
  return monitor === 'paused' || monitor === 'suspended' ? 'paused' : 'running';
}
