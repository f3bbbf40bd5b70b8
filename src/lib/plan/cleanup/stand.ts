/** The steps that take one stand away: access first, then VMs; claim and pool last. The user goes apart. */
import { machineKind } from '../../pve-values/guest-kinds.ts';
import { machinePower } from '../../pve-values/machine-power.ts';
import type { CleanupContext } from './context.ts';
import type { GuestInfo } from '../../inventory/types.ts';
import { adoptedFates, adoptedVmids, fatesOf, isCutTakeover, verdictFor } from './fates.ts';
import { memberFates } from './members.ts';
import { releasePool, staysAnyway, type HeldBy } from './pool-release.ts';
import { subpoolRefusal } from './subpools.ts';
import type { SelectedStand } from './selection.ts';
import { protectedBecause, protectedNote } from '../stands/protected-accounts.ts';
import { hadBefore, makeClaim, type Claim } from '../../marks/pool.ts';
import { claimedIds } from '../stands/ownership.ts';
import {
  REVOKED_FIRST,
  removeVms,
  revokeOnVms,
  staleNote,
  type Fate,
  type Whose,
} from '../stands/removal.ts';
import { makeStep, type Step } from '../document/step.ts';
import type { PlannedVm, Refusal } from '../document/plan.ts';
import { joinRefusals } from '../document/refuse.ts';
import { delegatedRefusal } from '../cluster/delegated.ts';

export interface StandRemoval {
  readonly vms: readonly PlannedVm[];
  /** Access and VMs. */
  readonly vmSteps: readonly Step[];
  /** Claim and pool. */
  readonly poolSteps: readonly Step[];
  /** Claims that the pool still has after the cleanup. */
  readonly left: readonly Claim[];
  /** Guests that the class made stay in the pool, or pools below it do, so that pool and user stay, too. */
  readonly heldBy?: HeldBy;
  /** VMIDs that this plan removes. */
  readonly removed: ReadonlySet<number>;
  /** Of those, VMs without any mark. */
  readonly adopted: ReadonlySet<number>;
  readonly notes: readonly string[];
  /** Something selected stays: the run ends "partial". */
  readonly refused?: Refusal;
}

function revokeSteps(
  stand: SelectedStand,
  isLastLab: boolean,
  vmids: readonly number[],
  context: CleanupContext,
): Step[] {
  if (protectedBecause(stand.user, context.have.caller) !== undefined) return [];
  // A pool without our mark is somebody else's, and so are the rights on it.
  const path = `/pool/${stand.pool}`;
  const isLeaving = isLastLab && stand.mark !== undefined && stand.removesUser;
  const onPool = (isLeaving ? (context.index.acls.get(`${path} ${stand.user}`) ?? []) : [])
    .filter(({ role }) => !hadBefore(stand.mark, role))
    .map(({ role }) =>
      makeStep(
        'acl.revoke',
        `${path} ${role}`,
        { user: stand.user, reason: REVOKED_FIRST },
        { path, role, userid: stand.user },
      ),
    );
  const onVms = revokeOnVms(stand, vmids, { index: context.index, caller: context.have.caller });
  return [...onPool, ...onVms];
}

/** What stays, stays claimed, so that the next cleanup finds it. */
function remainingClaims(
  stand: SelectedStand,
  staying: ReadonlySet<number>,
  removed: ReadonlySet<number>,
  context: CleanupContext,
): Claim[] {
  const isThere = (claim: Claim): boolean =>
    claimedIds(claim).some((id) => {
      const verdict = verdictFor(id, stand, context);
      return !removed.has(id.vmid) && !['missing', 'open', 'foreign'].includes(verdict);
    });
  return (stand.mark?.claims ?? []).flatMap((claim) => {
    if (stand.trimmed.includes(claim)) {
      // Ids without a VM are kept for the next deploy, unless none of the stand is left.
      const rest = only(claim, (vmid) => !removed.has(vmid));
      return isThere(rest) ? [rest] : [];
    }
    if (!stand.claims.includes(claim)) return [claim];
    const rest = only(claim, (vmid) => staying.has(vmid));
    return rest.vmids.length > 0 ? [rest] : [];
  });
}

/** The claim without the ids that are not wanted. */
function only(claim: Claim, isWanted: (vmid: number) => boolean): Claim {
  return makeClaim({
    ...claim,
    machines: claim.machines.filter(({ vmid }) => isWanted(vmid)),
    unnamed: claim.unnamed.filter(isWanted),
  });
}

function sayForeign({ vmid, node, type }: GuestInfo): string {
  const what = type === 'lxc' ? `container ${vmid}` : `guest ${vmid}`;
  return `${what} on ${node} has an id that was claimed, but is not ours: left alone`;
}

/**
 * Nothing else of the stand is left: the same cleanup, told to take its members along, must find it again. A machine that
 * lost its seal stays claimed: it is most likely ours, and the next deploy makes no further one beside it.
 */
function heldClaims(stand: SelectedStand, removed: ReadonlySet<number>, context: CleanupContext): Claim[] {
  return [...stand.claims, ...stand.trimmed].map((claim) => {
    const unsealed = claimedIds(claim).filter((id) => verdictFor(id, stand, context) === 'unsealed');
    const ids = new Set(unsealed.map(({ vmid }) => vmid));
    return only(claim, (vmid) => ids.has(vmid) && !removed.has(vmid));
  });
}

const idsOf = (fates: readonly Fate[]): Set<number> => new Set(fates.map(({ guest }) => guest.vmid));

/** What is there of a stand, and what of it goes. */
interface Found {
  /** Of the claims, and what is taken over. */
  readonly own: readonly Fate[];
  readonly foreign: readonly GuestInfo[];
  readonly adopted: ReadonlySet<number>;
  readonly whoseIs: (fate: Fate) => Whose;
  readonly goes: (fate: Fate) => boolean;
}

function find(stand: SelectedStand, context: CleanupContext, elsewhere: ReadonlySet<number>): Found {
  const foreign: GuestInfo[] = [];
  const adopted = new Set(adoptedVmids(stand, context));
  const fatesIn = (claims: readonly Claim[], halfMadeOnly: boolean): Fate[] =>
    fatesOf(stand, { claims, halfMadeOnly }, context, (guest) => void foreign.push(guest));
  const halfMade = fatesIn(stand.trimmed, true);
  return {
    own: [...fatesIn(stand.claims, false), ...halfMade, ...adoptedFates([...adopted], context)],
    foreign,
    adopted,
    whoseIs: (fate) =>
      adopted.has(fate.guest.vmid) ? 'adopted' : halfMade.includes(fate) ? 'half-made' : 'ours',
    goes: (fate) => fate.stays === undefined && !elsewhere.has(fate.guest.vmid),
  };
}

/** Without what is a member of the pool: that is told as one. */
function notesOf(
  stand: SelectedStand,
  context: CleanupContext,
  { foreign, own, goes }: Found,
  members: readonly Fate[],
): string[] {
  const told = idsOf(members);
  const account = context.index.users.has(stand.user)
    ? protectedNote(stand.user, context.have.caller)
    : undefined;
  return [
    ...(account === undefined ? [] : [account]),
    ...foreign.filter(({ vmid }) => !told.has(vmid)).map(sayForeign),
    ...[...own, ...members].filter(goes).flatMap((fate) => staleNote(fate, context.have)),
  ];
}

function plannedVm({ guest, stays }: Fate): PlannedVm {
  return {
    vmid: guest.vmid,
    name: guest.name ?? '?',
    node: guest.node,
    state: stays ? 'staying' : 'going',
    power: machinePower(guest),
    ...machineKind(guest),
  };
}

function refusalOf(stays: readonly Refusal[], { pool }: SelectedStand, { index }: CleanupContext) {
  const delegated = index.pools.get(pool)?.delegated;
  return joinRefusals(stays, '\n') ?? (delegated && delegatedRefusal(pool, delegated, index));
}

/** `elsewhere`: VMs that go with another stand already. */
export function planStandRemoval(
  stand: SelectedStand,
  context: CleanupContext,
  elsewhere: ReadonlySet<number> = new Set(),
): StandRemoval {
  const { index, options } = context;
  const found = find(stand, context, elsewhere);
  const { own, adopted, goes } = found;
  const going = own.filter(goes);
  const stayingIds = idsOf(own.filter(({ stays }) => stays !== undefined));
  const claimed = remainingClaims(stand, stayingIds, idsOf(going), context);
  const members = claimed.length === 0 && stand.removesUser ? memberFates(stand, idsOf(own), context) : [];
  const fates = [...own, ...members];
  const removed = idsOf(fates.filter(goes));
  // Of a pool that is not ours nothing below it is in the way: it is not about to go.
  const isGoing = stand.mark?.user !== undefined && !staysAnyway({ stand, left: claimed, context });
  const above = isGoing ? subpoolRefusal(stand, context) : undefined;
  const areMembersLeft = members.some((fate) => !goes(fate));
  const heldBy: HeldBy | undefined = areMembersLeft ? 'members' : above ? 'subpools' : undefined;
  const left = heldBy ? heldClaims(stand, removed, context) : claimed;
  const isLastLab =
    claimed.length === 0 || claimed.every((claim) => stand.claims.some(({ lab }) => lab === claim.lab));
  // A right on a VM goes with the VM; of those that the class made none was ours.
  const revoked = revokeSteps(stand, isLastLab, [...idsOf(going)], context);
  const revokes = revoked.map((step) => step.id);
  const vmSteps = removeVms(
    [
      ...going.map((fate) => ({ fate, whose: found.whoseIs(fate) })),
      ...members.filter(goes).map((fate) => ({ fate, whose: 'member' }) as const),
    ],
    { user: stand.user, pool: stand.pool, because: 'selected', after: revokes, index, options },
  );
  const deletes = vmSteps.filter((step) => step.kind === 'vm.delete').map((step) => step.id);
  const notes = notesOf(stand, context, found, members);
  const poolSteps = releasePool({ stand, left, removed, deletes, revokes, heldBy, notes, context });
  if (options.adopt && adopted.size > 0 && !stand.mark)
    notes.push(`pool ${stand.pool} and user ${stand.user} were not made by deploy-stand: they stay`);
  const refused = refusalOf(
    [...fates.flatMap(({ stays }) => stays ?? []), ...(above ? [above] : [])],
    stand,
    context,
  );
  const isUnmarked = (fate: Fate): boolean =>
    options.adopt && (adopted.has(fate.guest.vmid) || isCutTakeover(fate, context));
  return {
    vms: fates.map(plannedVm),
    vmSteps: [...revoked, ...vmSteps],
    poolSteps,
    left,
    ...(heldBy ? { heldBy } : {}),
    removed,
    adopted: idsOf(going.filter(isUnmarked)),
    notes,
    ...(refused ? { refused } : {}),
  };
}
