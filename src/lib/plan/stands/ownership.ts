/**
 * Whose is the guest at a VMID that is claimed, for a stand or for a copy of a template: the one verdict, asked by every
 * planner and, right before a write, by every handler. Decides from what PVE protects (claims in pools that count, membership, seals); notes, names and tags, which
 * students write, prove nothing, except in claims of 0.1.0, which had nothing better.
 */
import { frozenSince, type Claim, type KeptMac, type PoolMark } from '../../marks/pool.ts';
import { parseReplicaMark } from '../../marks/replica.ts';
import { sealHash } from '../../marks/seal.ts';
import { isToldFinished, ownVmMark, parseVmMark } from '../../marks/vm.ts';
import { isCloneLock, LOCK, mayBeMachine, type GuestKind } from '../../pve-values/guest-kinds.ts';

/**
 * - `missing`: made once, and gone: it is made anew.
 * - `open`: reserved, and nothing is there yet.
 * - `in-flight`: a clone is under way there; whose it is, its seal tells at its end.
 * - `unjoined`: a clone of ours that has not joined its pool yet, or has with its clone and is not made.
 * - `ours`: made, and a member of the pool that claims it.
 * - `left-pool`: made, and somebody took it out of its pool: an administrator's will.
 * - `foreign`: somebody else's.
 * - `unsealed`: without the seal, where a machine is made in a place that its student reaches: it may be ours, with other notes.
 * - `zombie`: what a removal or clone of ours left, or is about to take away.
 * - `away`: on a node that is offline.
 * - `unreadable`: its configuration would tell, and cannot be read.
 * - `doubtful`: a member at an id that 0.1.0 claimed, and nothing shows whether it was made by us.
 *
 * Only `ours` and `unjoined` are ever written to.
 */
export type Verdict =
  | 'missing'
  | 'open'
  | 'in-flight'
  | 'unjoined'
  | 'ours'
  | 'left-pool'
  | 'foreign'
  | 'unsealed'
  | 'zombie'
  | 'away'
  | 'unreadable'
  | 'doubtful';

/** What a claim says of one VMID; `unstated`: it is of 0.1.0, which wrote no states. */
export interface ClaimedId {
  readonly vmid: number;
  readonly state: 'reserved' | 'made' | 'unstated';
  /** Machine by its claim; 0.1.0 wrote none. */
  readonly machine?: string;
  /** Hashes of the seals that a reserved one may carry. */
  readonly seals: readonly string[];
  /** Of a reserved one: its clone is made in the pool, and is a member of it from its end on. */
  readonly joinsAtOnce?: true;
  /** Of a reserved one that is made anew: what its cards had. */
  readonly macs?: readonly KeptMac[];
}

export interface Evidence {
  readonly id: ClaimedId;
  /** The pool that claims it, and whose marks count. */
  readonly pool: string;
  /** What PVE lists at the VMID. */
  readonly guest:
    | {
        readonly type: GuestKind;
        readonly pool?: string | undefined;
        readonly lock?: string | undefined;
      }
    | undefined;
  /** Is its node offline? */
  readonly isAway: boolean;
  /** Its configuration; absent: not read, or not readable. */
  readonly values: Readonly<Record<string, string>> | undefined;
  /**
   * Told for ids that 0.1.0 claimed. Has the user access to the pool, or had it before it was frozen? Of a copy of a template:
   * is it a finished one?
   */
  readonly isHandedOut: boolean;
  /** Is any clone under way? Absent: not known, so that one may be. */
  readonly isCloning?: boolean;
}

/** Of every id that the claim names. */
export function claimedIds(claim: Claim): ClaimedId[] {
  const unnamed = claim.unnamed.map((vmid): ClaimedId => ({ vmid, state: 'unstated', seals: [] }));
  const named = claim.joinsAtOnce
    ? claim.machines.map((one): ClaimedId => ({ ...one, joinsAtOnce: true }))
    : claim.machines;
  return [...named, ...unnamed].sort((a, b) => a.vmid - b.vmid);
}

function carriesSeal({ id, values }: Evidence): boolean {
  const notes = values?.['description'] ?? '';
  return [parseVmMark(notes)?.seal, parseReplicaMark(notes)?.seal].some(
    (seal) => seal !== undefined && id.seals.includes(sealHash(seal, id.vmid)),
  );
}

function ofLocked(lock: string, evidence: Evidence): Verdict | undefined {
  const { id, pool, guest, values, isCloning } = evidence;
  // The configuration of a clone under way is a placeholder until its first disk is done (qemu-server, clone_vm).
  if (isCloneLock(lock)) return isCloning === false ? 'zombie' : 'in-flight';
  if (lock !== LOCK.destroyed) return undefined;
  if (guest?.pool === pool || id.state !== 'reserved') return 'zombie';
  if (values === undefined) return 'unreadable';
  // PVE empties the configuration before its last phase (qemu-server, destroy_vm): what was there took its seal along.
  // Whose it was nobody can tell any more, nor use: it is told with the command that clears it, and never written to.
  const isEmptied = (values['description'] ?? '').trim() === '';
  return isEmptied || carriesSeal(evidence) ? 'zombie' : withoutSeal(evidence);
}

/**
 * Notes are its student's to write in two places: in the pool, where clones are made in it, and, of a machine that is made
 * anew, until the former one is gone. What has no seal there is most likely ours, or was made there by that student, who
 * keeps nobody else out; a further machine would be one for whoever edits notes. Elsewhere it is a stranger's.
 */
function withoutSeal({ id, pool, guest }: Evidence): Verdict {
  const isMember = guest?.pool === pool;
  const isInReach = id.macs !== undefined || (isMember && id.joinsAtOnce === true);
  return isInReach ? 'unsealed' : 'foreign';
}

/**
 * What joins its pool is made in the same write, so that one that is still reserved and a member was made there by the
 * pool's own user, who may have read the seal of a clone before it. Where others could read it, too, the claim says that
 * its clones are made in the pool (cluster/seal-risk.ts): then only who may make machines there can have made it.
 */
function ofReserved(evidence: Evidence): Verdict {
  const { id, pool, guest, isCloning } = evidence;
  const isMember = guest?.pool === pool;
  if (isMember && id.joinsAtOnce !== true) return withoutSeal(evidence);
  if (evidence.values === undefined) return 'unreadable';
  if (!carriesSeal(evidence)) return withoutSeal(evidence);
  if (isMember || id.joinsAtOnce !== true) return 'unjoined';
  // PVE unlocks a clone before it brings it into its pool (qemu-server, clone_vm), and may wait for user.cfg in between.
  return isCloning === false ? 'zombie' : 'in-flight';
}

function ofUnstated({ id, pool, guest, values, isHandedOut }: Evidence): Verdict {
  if (guest?.pool !== pool) return 'left-pool';
  if (isHandedOut) return 'ours';
  if (values === undefined) return 'unreadable';
  return ownVmMark(id.vmid, values) ? 'ours' : 'doubtful';
}

export function verdictOn(evidence: Evidence): Verdict {
  const { id, pool, guest, isAway, values } = evidence;
  if (!guest) return id.state === 'made' ? 'missing' : 'open';
  // Members of another pool were put there by somebody who may.
  if (!mayBeMachine(guest) || (guest.pool !== undefined && guest.pool !== pool)) return 'foreign';
  if (isAway) return 'away';
  const lock = values?.['lock'] ?? guest.lock;
  const locked = lock === undefined ? undefined : ofLocked(lock, evidence);
  if (locked) return locked;
  if (id.state === 'made') return guest.pool === pool ? 'ours' : 'left-pool';
  return id.state === 'reserved' ? ofReserved(evidence) : ofUnstated(evidence);
}

/**
 * Was it made in this pool by the pool's own user, or may it have been? `verdict`: of the claim of the pool that names its VMID;
 * undefined: none does. It is removed only where that was asked for by name.
 */
export function isOfPoolUser(
  pool: string,
  guest: { readonly pool?: string | undefined },
  verdict: Verdict | undefined,
): boolean {
  const isNotOurs = verdict === undefined || verdict === 'foreign' || verdict === 'unsealed';
  return guest.pool === pool && isNotOurs;
}

/**
 * Asked of what 0.1.0 claimed: has the user access to the pool, or had it before it was frozen? `acls`: rights of users, by
 * `path subject`.
 */
export function isHandedOut(
  mark: Pick<PoolMark, 'claims'> | undefined,
  { pool, user }: { readonly pool: string; readonly user: string },
  acls: { readonly has: (entry: string) => boolean },
): boolean {
  return frozenSince(mark) !== undefined || acls.has(`/pool/${pool} ${user}`);
}

/** May it be written to? */
export function isWritable(verdict: Verdict): verdict is 'ours' | 'unjoined' {
  return verdict === 'ours' || verdict === 'unjoined';
}

/** Left by a clone or a removal, whatever the claim says. */
const HALF_DONE: ReadonlySet<Verdict> = new Set(['in-flight', 'unjoined', 'unsealed', 'zombie']);

/**
 * Did a run of ours begin it, or its removal, and not finish? Undefined: that cannot be told. Of what 0.1.0 claimed, which
 * wrote no states, its notes tell.
 */
export function isUnfinished(
  { vmid, state }: Pick<ClaimedId, 'vmid' | 'state'>,
  verdict: Verdict,
  values: Evidence['values'],
): boolean | undefined {
  if (verdict === 'foreign') return false;
  if (HALF_DONE.has(verdict)) return true;
  if (state === 'unstated') {
    const isFinished = isToldFinished(vmid, values);
    return isFinished === undefined ? undefined : !isFinished;
  }
  if (state === 'made') return false;
  return verdict === 'open' ? true : undefined;
}
