/**
 * How a machine of a stand is removed, and what keeps it from that: the same for every command that removes some. Whose it
 * is, is decided in ownership.ts; which ones are meant, by the command.
 */
import { isCloneLock, LOCK, toldKind } from '../../pve-values/guest-kinds.ts';
import { isProtected, isTemplate } from '../../pve-values/guest-flags.ts';
import type { GuestInfo, Inventory, RunningTask, VmConfig } from '../../inventory/types.ts';
import { sortedUnique } from '../../order.ts';
import { allVolumes } from '../../pve-values/volumes.ts';
import { holdHint, holdOn, sayHold, seesTasks, type Hold } from '../cluster/locks.ts';
import { storageLocks } from '../cluster/storage-locks.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import { makeStep, type Step, type StepOf } from '../document/step.ts';
import { oursAt } from '../document/steps/place.ts';
import { adoptedBecause } from './adopt.ts';
import type { Verdict } from './ownership.ts';
import { unsealedRefusal } from './state-refusals.ts';
import { protectedBecause } from './protected-accounts.ts';

export interface RemovalOptions {
  /** Also remove VMs with the protection flag. */
  readonly forceProtected: boolean;
  /** How long a backup, snapshot or migration of a VM is waited for. */
  readonly lockWaitSeconds: number;
}

export interface Fate {
  readonly guest: GuestInfo;
  readonly config: VmConfig | undefined;
  /** Undefined: it goes. */
  readonly stays?: Refusal;
}

/** Out of its pool. A clone that never got in there has lost its lock. */
function zombie(guest: GuestInfo, lock: string | undefined, tasks: readonly RunningTask[]): Refusal {
  const hold = lock === LOCK.destroyed ? holdOn(guest, lock, tasks) : undefined;
  if (hold?.kind === 'operation') {
    return {
      code: 'VM_LOCKED',
      message: `VM ${guest.vmid} on ${guest.node} ${sayHold(hold)}`,
      hint: `${holdHint(guest, hold)}, then run again`,
    };
  }
  const rest: Hold = { kind: 'removed' };
  return {
    code: 'ZOMBIE_VM',
    message: `VM ${guest.vmid} on ${guest.node} ${hold ? sayHold(hold) : 'is the rest of a failed clone'}; only root can remove it`,
    hint: `${holdHint(guest, rest)}, then run again`,
  };
}

/** Why a VM whose verdict is this stays, whatever it is otherwise. */
function refusalOf(
  { guest, config }: Omit<Fate, 'stays'>,
  { verdict, pool }: { readonly verdict: Verdict; readonly pool: string },
  tasks: readonly RunningTask[],
): Refusal | undefined {
  const { vmid, node, name } = guest;
  switch (verdict) {
    case 'left-pool':
      return {
        code: 'LEFT_POOL',
        message: `VM ${vmid} (${name ?? 'no name'}) on ${node} is in no pool any more: somebody took it out of pool ${pool}`,
        hint: `put VM ${vmid} back into pool ${pool}, or remove it by hand, then run again`,
      };
    case 'zombie': {
      // In our pool its removal is tried: a root@pam ticket can, and the handler says so for all others.
      if (guest.pool === pool) return undefined;
      return zombie(guest, config?.values['lock'] ?? guest.lock, tasks);
    }
    case 'away':
    case 'unreadable':
      return unreadable(guest);
    case 'unsealed':
      return unsealedRefusal(guest);
    case 'doubtful':
      return {
        code: 'UNMARKED_VM',
        message: `VM ${vmid} (${name ?? 'no name'}) on ${node} stands at an id that pool ${pool} has claimed, but carries no mark of ours: it may be somebody else's`,
        hint: `take it out of pool ${pool}; or, if it is the student's, remove it by hand, or with --adopt where it is called like a machine of the lab`,
      };
    default:
      return undefined;
  }
}

function unreadable({ vmid, node }: GuestInfo): Refusal {
  return {
    code: 'VM_UNREADABLE',
    message: `VM ${vmid} on ${node} cannot be read`,
    hint: `see that node ${node} is online, then run again`,
  };
}

/**
 * What the student or an administrator made of it. That it was made a template keeps nobody from removing it: its student
 * can do that to any machine, and the claim knows which one it is. PVE itself refuses while linked clones hang on it, before
 * anything is removed (qemu-server, destroy_vm).
 */
export function obstacle(
  guest: GuestInfo,
  config: VmConfig | undefined,
  options: RemovalOptions,
): Refusal | undefined {
  if (!config) return unreadable(guest);
  if (!isProtected(config.values) || options.forceProtected) return undefined;
  return {
    code: 'PROTECTED',
    message: `VM ${guest.vmid} (${guest.name ?? 'no name'}) on ${guest.node} is protected: its student or an administrator set the protection flag`,
    hint: 'add --force-protected to remove it all the same',
  };
}

/** What becomes of a guest at a claimed id; `verdict`: whose it is, and not somebody else's. */
export function fateOf(
  { guest, config }: Omit<Fate, 'stays'>,
  by: { readonly verdict: Verdict; readonly pool: string },
  { options, tasks }: { readonly options: RemovalOptions; readonly tasks: readonly RunningTask[] },
): Fate {
  const isDead = by.verdict === 'zombie' && guest.pool === by.pool;
  const stays =
    refusalOf({ guest, config }, by, tasks) ?? (isDead ? undefined : obstacle(guest, config, options));
  return { guest, config, ...(stays ? { stays } : {}) };
}

/** Of one that goes, under a lock that nobody seems to hold: its removal waits for that, most likely in vain. */
export function staleNote({ guest, config }: Fate, have: Pick<Inventory, 'tasks' | 'rights'>): string[] {
  const lock = config?.values['lock'] ?? guest.lock;
  if (lock === undefined || isCloneLock(lock) || !seesTasks(have)) return [];
  const hold = holdOn(guest, lock, have.tasks);
  if (hold.kind !== 'stale') return [];
  return [`VM ${guest.vmid} on ${guest.node} ${sayHold(hold)}: ${holdHint(guest, hold)}`];
}

/** By what it is removed: a claim; its name, with `--adopt`; membership, with `--include-members`; being left unfinished. */
export type Whose = 'ours' | 'adopted' | 'member' | 'half-made';

export interface Removal {
  readonly fate: Fate;
  readonly whose: Whose;
}

/** What the steps of a removal have in common. */
export interface RemovalFrame {
  readonly user: string;
  readonly pool: string;
  /** Why the machines that are ours go. */
  readonly because: string;
  /** Steps that must have ended before. */
  readonly after: readonly string[];
  /** Steps that must have succeeded before. */
  readonly dependsOn?: readonly string[];
  readonly index: ClusterView;
  readonly options: RemovalOptions;
}

/** Of the storages that its disks are on. Where its snapshots keep their memory is not read. */
function locksOf({ guest, config }: Fate, { storages }: ClusterView): { readonly locks?: readonly string[] } {
  if (!config) return {};
  const owned = allVolumes(config.values).filter(({ kind }) => kind !== 'iso');
  return {
    locks: storageLocks(
      owned.map(({ storage }) => storage),
      guest.node,
      storages,
    ),
  };
}

function removeVm({ fate, whose }: Removal, of: RemovalFrame): Step[] {
  const { vmid, name } = fate.guest;
  const { user, pool, after, index } = of;
  const { lockWaitSeconds } = of.options;
  const as = {
    ...(whose === 'adopted' ? { adopted: true as const } : {}),
    ...(whose === 'member' ? { member: true as const } : {}),
    ...(whose === 'half-made' ? { halfMade: true as const } : {}),
  };
  const vm = { ...oursAt(fate.guest, pool), ...as, lockWaitSeconds };
  const steps: Step[] = [];
  const frame = (reason: string) => ({
    user,
    reason,
    after,
    dependsOn: steps.length === 0 ? (of.dependsOn ?? []) : steps.slice(-1).map(({ id }) => id),
  });
  if (fate.guest.status !== 'stopped') {
    steps.push(makeStep('vm.stop', String(vmid), frame('it runs; a shutdown could wait for ever'), vm));
  }
  if (fate.guest.ha)
    steps.push(
      makeStep('ha.remove', String(vmid), frame('HA would start it again'), {
        vmid,
        ...toldKind(fate.guest),
        ...{ pool, ...as },
      }),
    );
  if (isProtected(fate.config?.values)) {
    steps.push(makeStep('vm.unprotect', String(vmid), frame('--force-protected'), vm));
  }
  const why = {
    ours: of.because,
    'half-made': of.because,
    adopted: adoptedBecause(pool, name ?? '?'),
    member: 'made in the pool by hand; --include-members',
  }[whose];
  steps.push(
    makeStep('vm.delete', String(vmid), frame(why), {
      ...vm,
      ...locksOf(fate, index),
    }),
  );
  return steps;
}

function isOfTemplate({ fate }: Removal): boolean {
  return isTemplate(fate.config?.values);
}

/**
 * Its user may have made linked clones of a machine that was made a template: PVE removes no base that has some, so that
 * clones go first.
 */
export function removeVms(removals: readonly Removal[], of: RemovalFrame): Step[] {
  const isDelete = ({ kind }: Step): boolean => kind === 'vm.delete';
  const first = removals.filter((one) => !isOfTemplate(one)).flatMap((one) => removeVm(one, of));
  const clones = first.filter(isDelete).map(({ id }) => id);
  const last = removals.filter(isOfTemplate).flatMap((one) => removeVm(one, of));
  return [
    ...first,
    ...last.map((step) =>
      isDelete(step) ? { ...step, after: sortedUnique([...step.after, ...clones]) } : step,
    ),
  ];
}

/** Why rights on a pool or a VM go before its VMs do. */
export const REVOKED_FIRST = 'first, so that nobody restarts a VM on its way out';

interface RevokeFrame {
  readonly index: ClusterView;
  readonly caller: string | undefined;
  readonly dependsOn?: readonly string[];
}

/** Who may make VMs in the pool may share the rights on them with others; all of these end with the VM. */
export function revokeOnVms(
  { user, pool }: { readonly user: string; readonly pool: string },
  vmids: readonly number[],
  { index, caller, ...frame }: RevokeFrame,
): StepOf<'acl.revoke'>[] {
  return vmids
    .flatMap((vmid) => index.vmRights.get(`/vms/${vmid}`) ?? [])
    .filter(({ type, subject }) => type === 'user' && protectedBecause(subject, caller) === undefined)
    .map((right) =>
      makeStep(
        'acl.revoke',
        `${right.path} ${right.role}${right.subject === user ? '' : ` ${right.subject}`}`,
        { user, reason: REVOKED_FIRST, ...frame },
        { path: right.path, role: right.role, userid: right.subject, pool },
      ),
    );
}
