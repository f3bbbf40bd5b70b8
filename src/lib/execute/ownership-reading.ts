/** One reading of pools, members and guests, as the verdict takes it (ask-ownership.ts). Judges nothing. */
import type { PoolInfo, PoolRight, PoolWriter, UserInfo } from '../inventory/types.ts';
import { parsePoolComment } from '../marks/pool.ts';
import { parseReplicaPool } from '../marks/replica.ts';
import { claimedIds, type ClaimedId } from '../plan/stands/ownership.ts';
import type { PveApi, ResourceRow } from '../proxmox/types.ts';

/** `pool`: undefined also when this run has taken it out. */
type ListedGuest = Omit<ResourceRow, 'pool'> & { readonly pool?: string | undefined };

export interface Reading {
  readonly at: number;
  /** Pool → its comment. */
  readonly comments: Map<string, string>;
  /** Pool → who else may write it. */
  readonly delegated: ReadonlyMap<string, PoolWriter>;
  readonly writers: Pick<PoolReading, 'poolWriters'>;
  readonly guests: Map<number, ListedGuest>;
  readonly offline: ReadonlySet<string>;
}

/** Pools, and who else may write them. */
interface PoolReading {
  readonly pools: readonly PoolInfo[];
  readonly poolWriters: readonly (PoolRight | PoolWriter)[];
}

export type Users = readonly Pick<UserInfo, 'userid' | 'groups' | 'comment'>[];

/** What it reads of the cluster: pools with what tells whether they count. */
export interface OwnershipReads extends Pick<PveApi, 'pool' | 'resources' | 'guestConfig'> {
  readonly users: (signal: AbortSignal) => Promise<Users>;
  readonly pools: (signal: AbortSignal) => Promise<PoolReading>;
  /** Whatever is written there, believed or not. */
  readonly comments: PveApi['pools'];
  /** What planning read of all this a moment ago. */
  readonly kept?: {
    /** Before its first request. */
    readonly at: number;
    readonly pools: PoolReading & { readonly users: Users };
    readonly rows: readonly ResourceRow[];
  };
}

export function evidenceReading(
  at: number,
  { pools, ...writers }: PoolReading,
  rows: readonly ResourceRow[],
): Reading {
  return {
    at,
    writers,
    comments: new Map(pools.map(({ pool, comment }) => [pool, comment])),
    delegated: new Map(
      pools.flatMap(({ pool, delegated }) => (delegated === undefined ? [] : [[pool, delegated]])),
    ),
    guests: new Map(rows.flatMap((row) => (row.vmid === undefined ? [] : [[row.vmid, row]]))),
    offline: new Set(
      rows.flatMap(({ type, node, status }) =>
        type === 'node' && status !== 'online' && node ? [node] : [],
      ),
    ),
  };
}

export function claimedId(comment: string, vmid: number): ClaimedId | undefined {
  for (const claim of parsePoolComment(comment).claims) {
    if (claim.vmids.includes(vmid)) return claimedIds(claim).find((id) => id.vmid === vmid);
  }
  return parseReplicaPool(comment).claims.find((claim) => claim.vmid === vmid);
}
