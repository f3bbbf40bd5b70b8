/** Claims VMIDs for a stand: new comment and new members in one write. Never moves an id out of another pool. */
import { PveError } from '../../proxmox/errors.ts';
import { attempt } from '../retry.ts';
import { StepError } from '../step-error.ts';
import type { Handler } from '../types.ts';

/** The id that PVE names in its refusal (pve-manager API2/Pool.pm); nothing was written. */
function refusedVmid(
  error: unknown,
): { readonly vmid: number; readonly pool: string | undefined } | undefined {
  if (!(error instanceof PveError)) return undefined;
  const own = /VM (\d+) is already a pool member/.exec(error.text);
  if (own) return { vmid: Number(own[1]), pool: undefined };
  const other = /VM (\d+) belongs already to pool '([^']*)'/.exec(error.text);
  return other ? { vmid: Number(other[1]), pool: other[2] ?? '' } : undefined;
}

export const updatePool: Handler<'pool.update'> = (step, io) => {
  let vmids = step.addVmids;
  const claim = async (): Promise<'done'> => {
    for (;;) {
      try {
        await io.pve.updatePool(step.pool, { comment: step.comment, addVmids: vmids }, io.signal);
        return 'done';
      } catch (error) {
        const refused = refusedVmid(error);
        if (refused === undefined || !vmids.includes(refused.vmid)) throw error;
        if (refused.pool !== undefined) {
          throw new StepError(
            'VMID_TAKEN',
            `VMID ${refused.vmid}, planned for pool ${step.pool}, belongs to pool ${refused.pool} by now`,
            { hint: 'run the command again: the stand gets other numbers', cause: error },
          );
        }
        // The claim of a run that was killed is still there: the rest of the list is what is missing.
        vmids = vmids.filter((vmid) => vmid !== refused.vmid);
      }
    }
  };
  return attempt(io, {
    id: step.id,
    act: claim,
    // All or nothing: with the comment, the members are there too.
    look: async () => {
      const pools = await io.pve.pools(io.signal);
      const mine = pools.find(({ pool }) => pool === step.pool);
      return mine?.comment.trim() === step.comment.trim() ? 'done' : 'absent';
    },
  });
};
