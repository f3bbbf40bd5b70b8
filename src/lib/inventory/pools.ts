/** Reads pools with what decides whether their marks count: the only place that reads the comments of pools for that. */
import type { PveApi, ResourceRow } from '../proxmox/types.ts';
import { isPoolMarked } from '../marks/pool.ts';
import { REPLICA_POOL } from '../marks/replica.ts';
import { delegatedGaps, findWriters, tellDelegated } from './delegated.ts';
import { unlessForbidden } from './forbidden.ts';
import { sealReaders } from './seal-readers.ts';
import type { Gap, AclEntry, PoolInfo, PoolRight, PoolWriter, Rights, UserInfo } from './types.ts';

/** Who reads, and whom it trusts. */
export interface ReadContext {
  readonly pve: PveApi;
  /** Aborts all requests. */
  readonly hard?: AbortSignal;
  /** `user@realm`, or `user@realm!token`. */
  readonly caller?: string;
  /** Accounts whose writing of pools counts as ours, besides the caller. */
  readonly operators?: readonly string[];
  /** Keeps what was read of pools and guests for who comes next. */
  readonly readings?: { now(): number; keep(reading: KeptReading): void };
}

export interface PoolReading {
  readonly pools: readonly PoolInfo[];
  readonly poolWriters: readonly (PoolRight | PoolWriter)[];
  readonly memberWriters: readonly PoolWriter[];
  readonly sealReaders: readonly string[];
  readonly users: readonly UserInfo[];
  readonly acls: readonly AclEntry[];
  /** Role → its privileges. */
  readonly rolePrivileges: Readonly<Record<string, readonly string[]>>;
  /** What the caller may do. */
  readonly rights: Rights;
}

export interface KeptReading {
  /** Before its first request; of the clock. */
  readonly at: number;
  readonly pools: PoolReading;
  readonly rows: readonly ResourceRow[];
}

/** What is read already. */
export interface KnownRights {
  readonly rights?: Promise<Rights>;
  readonly roles?: ReturnType<PveApi['roles']>;
  readonly users?: ReturnType<PveApi['users']>;
}

/** `gap` hears what could not be read. */
export async function readPools(
  { pve, hard: signal, caller, operators = [] }: ReadContext,
  gap: (gap: Gap) => () => void,
  known: KnownRights = {},
): Promise<PoolReading> {
  const readRoles = (): ReturnType<PveApi['roles']> =>
    unlessForbidden(
      pve.roles(signal),
      [],
      gap({ kind: 'roles-unread', text: 'the list of roles cannot be read' }),
    );
  const [written, users, acls, knownRoles, rights] = await Promise.all([
    pve.pools(signal),
    known.users ?? pve.users(signal),
    unlessForbidden(
      pve.acls(signal),
      [],
      gap({ kind: 'acls-unread', text: 'the access control list cannot be read' }),
    ),
    known.roles ?? readRoles(),
    known.rights ?? pve.permissions(signal),
  ]);
  const names = new Set(knownRoles.map(({ role }) => role));
  // One that was made since: whoever has it would be taken for one who may all.
  const isOld = known.roles !== undefined && acls.some(({ role }) => !names.has(role));
  const roles = isOld ? await readRoles() : knownRoles;
  const rolePrivileges = Object.fromEntries(roles.map(({ role, privileges }) => [role, privileges]));
  const lists = { acls, roles: rolePrivileges, users, pools: written, rights };
  const trust = { caller, operators };
  const { poolWriters, memberWriters } = findWriters(lists, trust);
  const pools = tellDelegated(written, poolWriters);
  const gaps = [
    ...delegatedGaps(written, pools, ({ comment }) => isPoolMarked(comment), 'stands-delegated'),
    // The name is ours, whatever somebody has made of the comment.
    ...delegatedGaps(written, pools, ({ pool }) => pool === REPLICA_POOL, 'copies-delegated'),
  ];
  for (const one of gaps) gap(one)();
  return {
    pools,
    poolWriters,
    memberWriters,
    sealReaders: sealReaders(lists, trust),
    users,
    acls,
    rolePrivileges,
    rights,
  };
}
