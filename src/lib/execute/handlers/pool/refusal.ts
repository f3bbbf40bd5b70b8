/** Why PVE took no new members into a pool. Pure. */
import { PveError } from '../../../proxmox/errors.ts';

/** The id that PVE names in its refusal (pve-manager API2/Pool.pm); nothing was written. */
export function refusedVmid(
  error: unknown,
): { readonly vmid: number; readonly pool: string | undefined } | undefined {
  if (!(error instanceof PveError)) return undefined;
  const own = /VM (\d+) is already a pool member/.exec(error.text);
  if (own) return { vmid: Number(own[1]), pool: undefined };
  const other = /VM (\d+) belongs already to pool '([^']*)'/.exec(error.text);
  return other ? { vmid: Number(other[1]), pool: other[2] ?? '' } : undefined;
}
