/** What follows from the code of a step that failed. Must not say what stands in the way. */

/**
 * `final`: for this run. `again`: the command plans the stand again; `other-number`: under another VMID or bridge than the
 * one of the step, which somebody else has.
 */
type Follows = 'final' | 'again' | 'other-number';

const CODES = {
  BASE_IN_USE: 'final',
  BRIDGES_DOWN: 'final',
  BRIDGES_LEFT: 'final',
  BRIDGE_TAKEN: 'other-number',
  CLAIM_GONE: 'final',
  CLAIM_IN_USE: 'final',
  // A clone that failed has left its number free.
  CLONE_ENDED: 'again',
  CLONE_LEFT: 'final',
  CT_NOT_STARTED: 'final',
  DISK_LEFT: 'final',
  FOREIGN_PENDING_CHANGES: 'final',
  FROZEN: 'final',
  GUESTS_UNREADABLE: 'final',
  MIGRATE_FAILED: 'final',
  MIGRATION_FAILED: 'final',
  MIGRATION_TARGET: 'final',
  MIGRATION_TIMEOUT: 'final',
  NOT_OURS: 'final',
  NOT_SUSPENDED: 'final',
  NO_QUORUM: 'final',
  NO_SUCH_NODE: 'final',
  NO_SYSTEM_USER: 'final',
  PLANNING_LOCK_LOST: 'again',
  POOL_DELEGATED: 'final',
  POOL_NOT_EMPTY: 'final',
  POOL_TAKEN: 'again',
  PROTECTED: 'final',
  PROTECTED_ACCOUNT: 'final',
  RELOAD_FAILED: 'final',
  ROLE_TOO_WIDE: 'final',
  SECRET_MISSING: 'final',
  SHUTDOWN_IGNORED: 'final',
  SNAPSHOT_BRIDGE: 'final',
  SNAPSHOT_MISSING: 'final',
  SNAPSHOT_NOT_OURS: 'final',
  STEP_KIND: 'final',
  STILL_RUNNING: 'final',
  STILL_WAITING: 'final',
  USER_GONE: 'final',
  USER_TAKEN: 'final',
  USER_WRITES_POOL: 'final',
  VMID_TAKEN: 'other-number',
  VM_ELSEWHERE: 'final',
  VM_GONE: 'final',
  VM_HIBERNATED: 'final',
  VM_LOCKED: 'final',
  VM_MISPLACED: 'final',
  VM_MISSING: 'final',
  VM_MOVED: 'final',
  ZOMBIE_CLONE: 'final',
  ZOMBIE_VM: 'final',
} as const satisfies Readonly<Record<string, Follows>>;

/** Of a step that says itself why it failed. */
export type StepCode = keyof typeof CODES;

/** What the client throws, and defects, are final, too. */
export function followsFrom(code: string): Follows {
  return Object.hasOwn(CODES, code) ? CODES[code as StepCode] : 'final'; // own: it is one of its keys
}
