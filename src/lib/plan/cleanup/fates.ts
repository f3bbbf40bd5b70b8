/** Which VMs of a stand go, and why the others stay. Whose they are is decided in stands/ownership.ts. */
import { isAnyCloning } from '../cluster/locks.ts';
import { isTemplate } from '../../pve-values/guest-flags.ts';
import { mayBeMachine } from '../../pve-values/guest-kinds.ts';
import type { GuestInfo, VmConfig } from '../../inventory/types.ts';
import { lookAlikes } from '../stands/adopt.ts';
import type { CleanupContext } from './context.ts';
import type { SelectedStand } from './selection.ts';
import type { Claim } from '../../marks/pool.ts';
import { ownVmMark } from '../../marks/vm.ts';
import type { Refusal } from '../document/plan.ts';
import { judgeClaimed } from '../stands/judge.ts';
import { claimedIds, isOfPoolUser, isUnfinished, type ClaimedId, type Verdict } from '../stands/ownership.ts';
import { fateOf, obstacle, type Fate } from '../stands/removal.ts';

/** The one verdict, of an id that a claim of this stand names. */
export function verdictFor(id: ClaimedId, stand: SelectedStand, context: CleanupContext): Verdict {
  const isCloning = isAnyCloning(context.have);
  return judgeClaimed(id, stand, context.index, isCloning);
}

interface ClaimedVms {
  readonly claims: readonly Claim[];
  /** Only those that were never finished go. */
  readonly halfMadeOnly: boolean;
}

/** Another lab is on the pool, and keeps it: what the class made in it is not asked about. */
function keepsPool({ mark, claims, trimmed }: SelectedStand): boolean {
  return mark?.claims.some((claim) => !claims.includes(claim) && !trimmed.includes(claim)) ?? false;
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
    const verdict = verdictFor(id, stand, context);
    // In the pool it is one of its members, which are told, and removed where that is asked for, together.
    const isMember = isOfPoolUser(stand.pool, guest, verdict);
    if (verdict === 'foreign' || (isMember && !keepsPool(stand))) {
      foreign(guest);
      continue;
    }
    // Of what cannot be read nobody knows.
    if (halfMadeOnly && isUnfinished(id, verdict, config?.values) !== true) continue;
    // Of what nothing shows who made it `--adopt` asks the same as of what no claim names.
    const isAsked = verdict === 'doubtful' && calledLikeMachines(stand.pool, context).has(id.vmid);
    fates.push(
      isAsked
        ? adoptedFate(guest, config, context)
        : fateOf(
            { guest, config },
            { verdict, pool: stand.pool },
            { options: context.options, tasks: context.have.tasks },
          ),
    );
  }
  return fates;
}

/** A template in a pool that was there before us may be somebody's work: name and membership alone do not suffice. */
function unclaimedTemplate(guest: GuestInfo, config: VmConfig | undefined): Refusal | undefined {
  if (!isTemplate(config?.values)) return undefined;
  return {
    code: 'VM_IS_TEMPLATE',
    message: `VM ${guest.vmid} on ${guest.node} is a template, and no claim of ours names it`,
    hint: 'remove it by hand if nobody needs it',
  };
}

function adoptedFate(guest: GuestInfo, config: VmConfig | undefined, { options }: CleanupContext): Fate {
  const stays = unclaimedTemplate(guest, config) ?? obstacle(guest, config, options);
  return { guest, config, ...(stays ? { stays } : {}) };
}

/** Of the older tool's VMs, which no claim names. */
export function adoptedFates(vmids: readonly number[], context: CleanupContext): Fate[] {
  return vmids.flatMap((vmid) => {
    const guest = context.index.guests.get(vmid);
    if (!guest) return [];
    return [adoptedFate(guest, context.index.configs.get(vmid), context)];
  });
}

/** With `--adopt`: members of the pool that are called like a machine of the lab, claimed or not. */
function calledLikeMachines(
  pool: string,
  { selection, options, index }: CleanupContext,
): ReadonlySet<number> {
  if (!options.adopt || selection.by !== 'stands') return new Set();
  const names = new Set(selection.labMachines?.map(({ name }) => name));
  const found = lookAlikes(pool, names, index).filter(({ guest }) => mayBeMachine(guest));
  return new Set(found.map(({ guest }) => guest.vmid));
}

/** VMs of the older Python tool: members of the user's pool that are called like a machine of the lab. */
export function adoptedVmids(stand: SelectedStand, context: CleanupContext): number[] {
  const { selection, options, index } = context;
  if (!options.adopt || selection.by !== 'stands') return [];
  if (index.pools.get(stand.pool)?.delegated !== undefined) return [];
  // `anna@pve` and `anna@ldap` have a pool of the same name, and the mark says whose it is.
  const owner = index.marks.get(stand.pool)?.user;
  if (owner !== undefined && owner !== stand.user) return [];
  return [...calledLikeMachines(stand.pool, context)].filter((vmid) => !index.claimants.has(vmid));
}

/**
 * Claimed by a takeover that was cut short: what the Python tool made, called like a machine of the lab and without a
 * mark. A clone of ours that failed has no mark either, but names only bridges that the lab gives it.
 */
export function isCutTakeover({ guest, config }: Fate, { selection }: CleanupContext): boolean {
  const machines = selection.by === 'stands' ? (selection.labMachines ?? []) : [];
  if (!machines.some(({ name }) => name === guest.name)) return false;
  return ownVmMark(guest.vmid, config?.values) === undefined;
}
