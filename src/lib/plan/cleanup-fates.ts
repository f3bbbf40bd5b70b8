/** Which VMs of a stand go, and why the others stay. Ownership is decided here: claim, membership, mark. */
import type { GuestInfo, VmConfig } from '../inventory/types.ts';
import { lookAlikes } from './adopt.ts';
import type { CleanupContext } from './cleanup-context.ts';
import type { SelectedStand } from './cleanup-selection.ts';
import { parseVmMark } from '../marks/vm.ts';
import type { Refusal } from './document/plan.ts';

export interface Fate {
  readonly guest: GuestInfo;
  readonly config: VmConfig | undefined;
  /** Undefined: it goes. */
  readonly stays?: Refusal;
}

/** A VM that was taken out of its pool is known by its mark, if that can be read. */
export function isOurs(guest: GuestInfo, config: VmConfig | undefined, pool: string): boolean {
  if (guest.pool === pool) return true;
  if (guest.type !== 'qemu') return false;
  if (guest.pool === undefined && !config) return true;
  return parseVmMark(config?.values['description'] ?? '')?.vmid === guest.vmid;
}

function isHalfMade(guest: GuestInfo, config: VmConfig | undefined): boolean {
  const lock = config?.values['lock'] ?? guest.lock;
  const mark = parseVmMark(config?.values['description'] ?? '');
  return mark !== undefined && (lock === 'destroyed' || lock === 'clone' || mark.spec === undefined);
}

function zombie(guest: GuestInfo, why: string): Refusal {
  return {
    code: 'ZOMBIE_VM',
    message: `VM ${guest.vmid} on ${guest.node} ${why}; only root can remove it`,
    hint: `as root on ${guest.node}: \`qm unlock ${guest.vmid} && qm destroy ${guest.vmid} --purge\`, then run cleanup again`,
  };
}

/**
 * An id that was claimed and never used makes any guest that is later created there a member of the pool. Only a
 * student can have removed our mark, and none has access before the stand is finished.
 */
function isDoubtful(
  guest: GuestInfo,
  config: VmConfig,
  { pool, user }: SelectedStand,
  { index, options }: CleanupContext,
): boolean {
  const isMarked = parseVmMark(config.values['description'] ?? '')?.vmid === guest.vmid;
  return (
    !isMarked &&
    !options.adopt &&
    config.values['lock'] === undefined &&
    !index.acls.has(`/pool/${pool} ${user}`)
  );
}

function obstacle(
  guest: GuestInfo,
  config: VmConfig | undefined,
  stand: SelectedStand,
  context: CleanupContext,
): Refusal | undefined {
  const { pool } = stand;
  if (guest.type !== 'qemu') {
    return {
      code: 'CONTAINER',
      message: `guest ${guest.vmid} on ${guest.node} is a container, which we never make, with a number of the stand in its pool`,
      hint: `remove container ${guest.vmid}, or take it out of pool ${pool}, then run cleanup again`,
    };
  }
  const lock = config?.values['lock'] ?? guest.lock;
  // In our pool its removal is tried: a root@pam ticket can, and the handler says so for all others.
  if (lock === 'destroyed' && guest.pool !== pool) return zombie(guest, 'is the rest of a failed removal');
  if (lock === 'destroyed') return undefined;
  const isCloning = context.have.tasks.some((task) => task.type === 'qmclone');
  if (lock === 'clone' && !isCloning && guest.pool !== pool)
    return zombie(guest, 'is the rest of a failed clone');
  if (!config) {
    return {
      code: 'VM_UNREADABLE',
      message: `VM ${guest.vmid} on ${guest.node} cannot be read`,
      hint: `see that node ${guest.node} is online, then run cleanup again`,
    };
  }
  if (isDoubtful(guest, config, stand, context)) {
    return {
      code: 'UNMARKED_VM',
      message: `VM ${guest.vmid} (${guest.name ?? 'no name'}) on ${guest.node} stands at an id that pool ${pool} has claimed, but carries no mark of ours: it may be somebody else's`,
      hint: `take it out of pool ${pool}; or, if it is the student's, remove it by hand or with --adopt`,
    };
  }
  if (config.values['template'] === '1') {
    return {
      code: 'VM_IS_TEMPLATE',
      message: `VM ${guest.vmid} on ${guest.node} was made a template`,
      hint: 'remove it by hand if nobody needs it',
    };
  }
  if (config.values['protection'] !== '1' || context.options.forceProtected) return undefined;
  return {
    code: 'PROTECTED',
    message: `VM ${guest.vmid} on ${guest.node} is protected`,
    hint: 'add --force-protected to remove it all the same',
  };
}

interface ClaimedVms {
  readonly vmids: readonly number[];
  /** Only those that were never finished go. */
  readonly halfMadeOnly: boolean;
}

export function fatesOf(
  stand: SelectedStand,
  { vmids, halfMadeOnly }: ClaimedVms,
  context: CleanupContext,
  notes: string[],
): Fate[] {
  const fates: Fate[] = [];
  for (const vmid of new Set(vmids)) {
    const guest = context.index.guests.get(vmid);
    if (!guest) continue;
    const config = context.index.configs.get(vmid);
    if (!isOurs(guest, config, stand.pool)) {
      notes.push(`guest ${vmid} on ${guest.node} has an id that was claimed, but is not ours: left alone`);
      continue;
    }
    if (halfMadeOnly && !isHalfMade(guest, config)) continue;
    const stays = obstacle(guest, config, stand, context);
    fates.push({ guest, config, ...(stays ? { stays } : {}) });
  }
  return fates;
}

/** VMs of the older Python tool: members of the user's pool that are called like a machine of the lab. */
export function adoptedVmids(stand: SelectedStand, context: CleanupContext): number[] {
  const { selection, options, index } = context;
  if (!options.adopt || selection.by !== 'class') return [];
  return lookAlikes(stand.pool, new Set(selection.machines), index)
    .filter(({ guest }) => guest.type === 'qemu' && !index.claimants.has(guest.vmid))
    .map(({ guest }) => guest.vmid);
}

/**
 * Claimed by a takeover that was cut short: what the Python tool made, called like a machine of the lab and without a
 * mark. A clone of ours that failed has no mark either, but names only bridges that the lab gives it.
 */
export function isCutTakeover({ guest, config }: Fate, { selection }: CleanupContext): boolean {
  if (selection.by !== 'class' || !selection.machines.includes(guest.name ?? '')) return false;
  return parseVmMark(config?.values['description'] ?? '')?.vmid !== guest.vmid;
}
