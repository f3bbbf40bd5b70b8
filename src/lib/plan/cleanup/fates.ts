/** Which VMs of a stand go, and why the others stay. Whose they are is decided in stands/ownership.ts. */
import type { GuestInfo, VmConfig } from '../../inventory/types.ts';
import { holdHint, holdOn, sayHold, type Hold } from '../cluster/locks.ts';
import { lookAlikes } from '../stands/adopt.ts';
import type { CleanupContext } from './context.ts';
import type { SelectedStand } from './selection.ts';
import type { Claim } from '../../marks/pool.ts';
import { parseVmMark } from '../../marks/vm.ts';
import type { Refusal } from '../document/plan.ts';
import { judgeClaimed } from '../stands/judge.ts';
import { claimedIds, type ClaimedId, type Verdict } from '../stands/ownership.ts';

export interface Fate {
  readonly guest: GuestInfo;
  readonly config: VmConfig | undefined;
  /** Undefined: it goes. */
  readonly stays?: Refusal;
}

/** The one verdict, of an id that a claim of this stand names. */
export function judge(id: ClaimedId, stand: SelectedStand, context: CleanupContext): Verdict {
  const isCloning = context.have.tasks.some(({ type }) => type === 'qmclone');
  return judgeClaimed(id, stand, context.index, isCloning);
}

/** Was it never finished? Of what 0.1.0 made its notes tell, of all else that it has not joined its pool. */
function isHalfMade(id: ClaimedId, verdict: Verdict, config: VmConfig | undefined): boolean {
  if (verdict === 'zombie' || verdict === 'in-flight' || verdict === 'unjoined') return true;
  const mark = parseVmMark(config?.values['description'] ?? '');
  return id.state === 'unstated' && mark?.vmid === id.vmid && mark.spec === undefined;
}

/** Out of its pool. A clone that never got in there has lost its lock. */
function zombie(guest: GuestInfo, lock: string | undefined, { have }: CleanupContext): Refusal {
  const hold = lock === 'destroyed' ? holdOn(guest, lock, have.tasks) : undefined;
  if (hold?.kind === 'operation') {
    return {
      code: 'VM_LOCKED',
      message: `VM ${guest.vmid} on ${guest.node} ${sayHold(hold)}`,
      hint: `${holdHint(guest, hold)}, then run cleanup again`,
    };
  }
  const rest: Hold = { kind: 'removed' };
  return {
    code: 'ZOMBIE_VM',
    message: `VM ${guest.vmid} on ${guest.node} ${hold ? sayHold(hold) : 'is the rest of a failed clone'}; only root can remove it`,
    hint: `${holdHint(guest, rest)}, then run cleanup again`,
  };
}

/** Why a VM whose verdict is this stays, whatever it is otherwise. */
function refusalOf(
  guest: GuestInfo,
  config: VmConfig | undefined,
  verdict: Verdict,
  pool: string,
  context: CleanupContext,
): Refusal | undefined {
  const { vmid, node, name } = guest;
  switch (verdict) {
    case 'left-pool':
      return {
        code: 'LEFT_POOL',
        message: `VM ${vmid} (${name ?? 'no name'}) on ${node} is in no pool any more: somebody took it out of pool ${pool}`,
        hint: `put VM ${vmid} back into pool ${pool}, or remove it by hand, then run cleanup again`,
      };
    case 'zombie': {
      // In our pool its removal is tried: a root@pam ticket can, and the handler says so for all others.
      if (guest.pool === pool) return undefined;
      return zombie(guest, config?.values['lock'] ?? guest.lock, context);
    }
    case 'away':
    case 'unreadable':
      return unreadable(guest);
    case 'doubtful':
      return {
        code: 'UNMARKED_VM',
        message: `VM ${vmid} (${name ?? 'no name'}) on ${node} stands at an id that pool ${pool} has claimed, but carries no mark of ours: it may be somebody else's`,
        hint: `take it out of pool ${pool}; or, if it is the student's, remove it by hand or with --adopt`,
      };
    default:
      return undefined;
  }
}

function unreadable({ vmid, node }: GuestInfo): Refusal {
  return {
    code: 'VM_UNREADABLE',
    message: `VM ${vmid} on ${node} cannot be read`,
    hint: `see that node ${node} is online, then run cleanup again`,
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
  { options }: CleanupContext,
): Refusal | undefined {
  if (!config) return unreadable(guest);
  if (config.values['protection'] !== '1' || options.forceProtected) return undefined;
  return {
    code: 'PROTECTED',
    message: `VM ${guest.vmid} on ${guest.node} is protected`,
    hint: 'add --force-protected to remove it all the same',
  };
}

interface ClaimedVms {
  readonly claims: readonly Claim[];
  /** Only those that were never finished go. */
  readonly halfMadeOnly: boolean;
}

/** Of every guest at an id that these claims name; `foreign` hears of those that are not ours. */
export function fatesOf(
  stand: SelectedStand,
  { claims, halfMadeOnly }: ClaimedVms,
  context: CleanupContext,
  foreign: (guest: GuestInfo) => void,
): Fate[] {
  const fates: Fate[] = [];
  for (const id of claims.flatMap(claimedIds)) {
    const guest = context.index.guests.get(id.vmid);
    if (!guest) continue;
    const config = context.index.configs.get(id.vmid);
    const verdict = judge(id, stand, context);
    if (verdict === 'foreign') {
      foreign(guest);
      continue;
    }
    if (halfMadeOnly && !isHalfMade(id, verdict, config)) continue;
    const isAsked = verdict === 'doubtful' && context.options.adopt;
    const isDead = verdict === 'zombie' && guest.pool === stand.pool;
    const stays =
      (isAsked ? unclaimedTemplate(guest, config) : refusalOf(guest, config, verdict, stand.pool, context)) ??
      (isDead ? undefined : obstacle(guest, config, context));
    fates.push({ guest, config, ...(stays ? { stays } : {}) });
  }
  return fates;
}

/** A template in a pool that was there before us may be somebody's work: name and membership alone do not suffice. */
function unclaimedTemplate(guest: GuestInfo, config: VmConfig | undefined): Refusal | undefined {
  if (config?.values['template'] !== '1') return undefined;
  return {
    code: 'VM_IS_TEMPLATE',
    message: `VM ${guest.vmid} on ${guest.node} is a template, and no claim of ours names it`,
    hint: 'remove it by hand if nobody needs it',
  };
}

/** Of the older tool's VMs, which no claim names. */
export function adoptedFates(vmids: readonly number[], context: CleanupContext): Fate[] {
  return vmids.flatMap((vmid) => {
    const guest = context.index.guests.get(vmid);
    if (!guest) return [];
    const config = context.index.configs.get(vmid);
    const stays = unclaimedTemplate(guest, config) ?? obstacle(guest, config, context);
    return [{ guest, config, ...(stays ? { stays } : {}) }];
  });
}

/** VMs of the older Python tool: members of the user's pool that are called like a machine of the lab. */
export function adoptedVmids(stand: SelectedStand, context: CleanupContext): number[] {
  const { selection, options, index } = context;
  if (!options.adopt || selection.by !== 'stands') return [];
  if (index.pools.get(stand.pool)?.delegated !== undefined) return [];
  // `anna@pve` and `anna@ldap` have a pool of the same name, and the mark says whose it is.
  const owner = index.marks.get(stand.pool)?.user;
  if (owner !== undefined && owner !== stand.user) return [];
  const names = new Set(selection.labMachines?.map(({ name }) => name));
  return lookAlikes(stand.pool, names, index)
    .filter(({ guest }) => guest.type === 'qemu' && !index.claimants.has(guest.vmid))
    .map(({ guest }) => guest.vmid);
}

/**
 * Claimed by a takeover that was cut short: what the Python tool made, called like a machine of the lab and without a
 * mark. A clone of ours that failed has no mark either, but names only bridges that the lab gives it.
 */
export function isCutTakeover({ guest, config }: Fate, { selection }: CleanupContext): boolean {
  const machines = selection.by === 'stands' ? (selection.labMachines ?? []) : [];
  if (!machines.some(({ name }) => name === guest.name)) return false;
  return parseVmMark(config?.values['description'] ?? '')?.vmid !== guest.vmid;
}
