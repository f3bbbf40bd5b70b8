/** Makes VMs members of a pool of ours and says so in its comment: one write. Never takes one out of another pool. */
import type { PveApi } from '../../../proxmox/types.ts';
import { StepError } from '../../step-error.ts';
import type { StepIo, StepOutcome } from '../../types.ts';
import { pooledAlready } from '../../../proxmox/words.ts';

export type Pool = NonNullable<Awaited<ReturnType<PveApi['pool']>>>;

export function poolChanged(pool: string, what: string): StepError {
  return new StepError('NOT_OURS', `pool ${pool} was changed meanwhile: ${what}`, {
    hint: 'run the command again: it plans anew from what is there',
  });
}

export async function bringIn(
  pool: string,
  present: Pool,
  { comment, vmids }: { readonly comment: string; readonly vmids: readonly number[] },
  io: StepIo,
): Promise<StepOutcome> {
  const members = new Set(present.vmids);
  const addVmids = vmids.filter((vmid) => !members.has(vmid));
  if (addVmids.length === 0 && comment.trim() === present.comment.trim()) return 'already-done';
  try {
    await io.pve.updatePool(pool, { comment, addVmids }, io.signal);
  } catch (error) {
    const refused = pooledAlready(error);
    if (refused?.pool === undefined) throw error;
    throw poolChanged(pool, `VM ${refused.vmid} was put into pool ${refused.pool}`);
  }
  io.ownership.wrote(pool, comment, { members: addVmids });
  return 'done';
}
