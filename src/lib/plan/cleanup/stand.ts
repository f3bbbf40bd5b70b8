/** The steps that take one stand away: access first, then VMs; claim and pool last. The user goes apart. */
import type { CleanupContext } from './context.ts';
import { adoptedBecause } from '../stands/adopt.ts';
import type { GuestInfo } from '../../inventory/types.ts';
import { adoptedFates, adoptedVmids, fatesOf, isCutTakeover, judge, type Fate } from './fates.ts';
import { memberFates } from './members.ts';
import { subpoolRefusal } from './subpools.ts';
import type { SelectedStand } from './selection.ts';
import { protectedBecause, protectedNote } from '../stands/protected-accounts.ts';
import { formatPoolComment, makeClaim, type Claim } from '../../marks/pool.ts';
import { claimedIds } from '../stands/ownership.ts';
import { profileOf } from '../cluster/profile.ts';
import { makeStep, type Step } from '../document/step.ts';
import type { PlannedVm, Refusal } from '../document/plan.ts';
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

/** PVE takes an empty form value for one that was not sent, so a comment can be replaced but not cleared. */
const UNUSED = 'no longer used by deploy-stand';

type HeldBy = 'members' | 'subpools';

/** By what it is removed: a claim; its name, with `--adopt`; membership, with `--include-members`. */
type Whose = 'ours' | 'adopted' | 'member';

function removeVm(
  stand: SelectedStand,
  fate: Fate,
  before: readonly string[],
  context: CleanupContext,
  whose: Whose,
): Step[] {
  const { vmid, node, name } = fate.guest;
  const { user, pool } = stand;
  const of = {
    ...{ vmid, pool },
    ...(whose === 'adopted' ? { adopted: true as const } : {}),
    ...(whose === 'member' ? { member: true as const } : {}),
  };
  const { lockWaitSeconds } = context.options;
  const steps: Step[] = [];
  let last = [...before];
  const push = (step: Step): void => {
    steps.push(step);
    last = [step.id];
  };
  const frame = (reason: string) => ({
    user,
    reason,
    after: before,
    dependsOn: last.filter((id) => !before.includes(id)),
  });
  if (fate.guest.status !== 'stopped') {
    push(
      makeStep('vm.stop', String(vmid), frame('it runs; a shutdown could wait for ever'), {
        ...{ ...of, node, lockWaitSeconds },
      }),
    );
  }
  if (fate.guest.ha) push(makeStep('ha.remove', String(vmid), frame('HA would start it again'), of));
  if (fate.config?.values['protection'] === '1') {
    push(
      makeStep('vm.unprotect', String(vmid), frame('--force-protected'), {
        ...{ ...of, node, lockWaitSeconds },
      }),
    );
  }
  const why = {
    ours: 'selected',
    adopted: adoptedBecause(pool, name ?? '?'),
    member: 'made in the pool by hand; --include-members',
  }[whose];
  push(
    makeStep('vm.delete', String(vmid), frame(why), {
      ...of,
      node,
      lockWaitSeconds,
    }),
  );
  return steps;
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
  // What the user had before the pool was adopted is not ours to take away.
  const kept = new Set(stand.mark?.roles?.map((role) => `/pool/${stand.pool} ${role}`));
  const reason = 'first, so that nobody restarts a VM on its way out';
  const onPool = (isLeaving ? (context.index.acls.get(`${path} ${stand.user}`) ?? []) : [])
    .filter(({ role }) => !kept.has(`${path} ${role}`))
    .map(({ role }) =>
      makeStep(
        'acl.revoke',
        `${path} ${role}`,
        { user: stand.user, reason },
        { path, role, userid: stand.user },
      ),
    );
  // Who may make VMs in the pool may share the rights on them with others; all of these end with the VM.
  const onVms = vmids
    .flatMap((vmid) => context.index.vmRights.get(`/vms/${vmid}`) ?? [])
    .filter(
      ({ type, subject }) => type === 'user' && protectedBecause(subject, context.have.caller) === undefined,
    )
    .map((right) =>
      makeStep(
        'acl.revoke',
        `${right.path} ${right.role}${right.subject === stand.user ? '' : ` ${right.subject}`}`,
        { user: stand.user, reason },
        { path: right.path, role: right.role, userid: right.subject, pool: stand.pool },
      ),
    );
  return [...onPool, ...onVms];
}

/** Members of the pool that neither go nor stay claimed: somebody else's, also when they are the student's own. */
function foreignMembers(
  stand: SelectedStand,
  removed: ReadonlySet<number>,
  left: readonly Claim[],
  context: CleanupContext,
): number[] {
  const claimed = new Set(left.flatMap((claim) => claim.vmids));
  return (context.index.members.get(stand.pool) ?? [])
    .filter((guest) => !claimed.has(guest.vmid) && !removed.has(guest.vmid))
    .map((guest) => guest.vmid);
}

interface Rest {
  readonly stand: SelectedStand;
  /** Claims after the cleanup. */
  readonly left: readonly Claim[];
  readonly removed: ReadonlySet<number>;
  readonly deletes: readonly string[];
  /** Access that is taken away: with the mark goes the knowledge that it was ours. */
  readonly revokes: readonly string[];
  readonly heldBy: HeldBy | undefined;
  readonly notes: string[];
  readonly context: CleanupContext;
}

/** The pool stays whatever is in it or below it. */
function staysAnyway({
  stand,
  left,
  removed,
  context,
}: Omit<Rest, 'deletes' | 'revokes' | 'heldBy' | 'notes'>): boolean {
  const { mark } = stand;
  return (
    left.length > 0 ||
    mark?.adopted === true ||
    (mark?.others.length ?? 0) > 0 ||
    context.options.keepUsers ||
    !stand.removesUser ||
    foreignMembers(stand, removed, left, context).length > 0
  );
}

/**
 * A confined caller's claims are no memberships, and only a member may be taken out by it; PVE lists the caller's rights
 * on every member, also on one that does not exist.
 */
function mayBeMember(vmid: number, { have }: CleanupContext): boolean {
  return profileOf(have.rights) === 'full' || have.rights?.[`/vms/${vmid}`] !== undefined;
}

const HELD_BECAUSE: Readonly<Record<HeldBy, string>> = {
  members: 'machines that its user made are still in it',
  subpools: 'there are pools below it',
};

function releasePool(rest: Rest): Step[] {
  const { stand, left, removed, deletes, revokes, heldBy, notes, context } = rest;
  const { mark, pool, user } = stand;
  const present = context.index.pools.get(pool);
  if (!mark || mark.user === undefined || !present) return [];
  const foreign = foreignMembers(stand, removed, left, context);
  if (heldBy === undefined && !staysAnyway(rest)) {
    return [
      makeStep(
        'pool.delete',
        pool,
        { user, reason: 'nothing is left in it', dependsOn: deletes },
        { pool, comment: present.comment },
      ),
    ];
  }
  if (left.length === 0 && foreign.length > 0 && heldBy === undefined) {
    notes.push(
      `pool ${pool} stays, without our mark: it has members that are not ours (${foreign.join(', ')})`,
    );
  }
  const keepsMark =
    left.length > 0 || heldBy !== undefined || context.options.keepUsers || !stand.removesUser;
  const comment = keepsMark
    ? formatPoolComment({
        ...mark,
        user: mark.user,
        kept: mark.kept === true || context.options.keepUsers,
        claims: left,
      })
    : mark.others.length > 0
      ? mark.others.join('\n')
      : UNUSED;
  const kept = new Set(left.flatMap((claim) => claim.vmids));
  // PVE takes destroyed VMs out by itself; ids that 0.1.0 claimed and that never became a VM are still members.
  const removeVmids = [...stand.claims, ...stand.trimmed]
    .flatMap((claim) => claim.unnamed)
    .filter((vmid) => !kept.has(vmid) && !context.index.guests.has(vmid))
    .filter((vmid) => mayBeMember(vmid, context));
  if (comment === present.comment && removeVmids.length === 0) return [];
  return [
    makeStep(
      'pool.release',
      pool,
      {
        user,
        reason: heldBy
          ? HELD_BECAUSE[heldBy]
          : left.length > 0
            ? `still claimed by lab ${left.map((claim) => claim.lab).join(', ')}`
            : mark.adopted
              ? 'it was there before deploy-stand: it stays'
              : 'the pool stays',
        dependsOn: [...deletes, ...revokes],
      },
      { pool, comment, removeVmids },
    ),
  ];
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
      const verdict = judge(id, claim, stand, context);
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

/** Nothing else of the stand is left: the same cleanup, told to take its members along, must find it again. */
function withoutIds({ claims, trimmed }: SelectedStand): Claim[] {
  return [...claims, ...trimmed].map((claim) => only(claim, () => false));
}

/** `elsewhere`: VMs that go with another stand already. */
export function planStandRemoval(
  stand: SelectedStand,
  context: CleanupContext,
  elsewhere: ReadonlySet<number> = new Set(),
): StandRemoval {
  const foreign: GuestInfo[] = [];
  const adopted = new Set(adoptedVmids(stand, context));
  const whole = { claims: stand.claims, halfMadeOnly: false };
  const trimmed = { claims: stand.trimmed, halfMadeOnly: true };
  const own = [
    ...[whole, trimmed].flatMap((claimed) =>
      fatesOf(stand, claimed, context, (guest) => void foreign.push(guest)),
    ),
    ...adoptedFates([...adopted], context),
  ];
  const goes = (fate: Fate): boolean => fate.stays === undefined && !elsewhere.has(fate.guest.vmid);
  const idsOf = (fates: readonly Fate[]): Set<number> => new Set(fates.map(({ guest }) => guest.vmid));
  const going = own.filter(goes);
  const stayingIds = idsOf(own.filter(({ stays }) => stays !== undefined));
  const claimed = remainingClaims(stand, stayingIds, idsOf(going), context);
  const isWhole = claimed.length === 0 && stand.removesUser;
  const members = isWhole ? memberFates(stand, idsOf(own), context) : [];
  const fates = [...own, ...members];
  const removed = idsOf(fates.filter(goes));
  const above = staysAnyway({ stand, left: claimed, removed, context })
    ? undefined
    : subpoolRefusal(stand, context);
  const heldBy: HeldBy | undefined = members.some((fate) => !goes(fate))
    ? 'members'
    : above
      ? 'subpools'
      : undefined;
  const left = heldBy ? withoutIds(stand) : claimed;
  const isLastLab =
    claimed.length === 0 || claimed.every((claim) => stand.claims.some(({ lab }) => lab === claim.lab));
  // A right on a VM goes with the VM; of those that the class made none was ours.
  const revokes = revokeSteps(stand, isLastLab, [...idsOf(going)], context);
  const before = revokes.map((step) => step.id);
  const vmSteps = [
    ...going.flatMap((fate) =>
      removeVm(stand, fate, before, context, adopted.has(fate.guest.vmid) ? 'adopted' : 'ours'),
    ),
    ...members.filter(goes).flatMap((fate) => removeVm(stand, fate, before, context, 'member')),
  ];
  const deletes = vmSteps.filter((step) => step.kind === 'vm.delete').map((step) => step.id);
  const memberIds = idsOf(members);
  const account = context.index.users.has(stand.user)
    ? protectedNote(stand.user, context.have.caller)
    : undefined;
  const notes = [
    ...(account === undefined ? [] : [account]),
    ...foreign.filter(({ vmid }) => !memberIds.has(vmid)).map(sayForeign),
  ];
  const rest = { stand, left, removed, deletes, revokes: before, heldBy, notes, context };
  const poolSteps = releasePool(rest);
  const staying = [...fates.flatMap(({ stays }) => stays ?? []), ...(above ? [above] : [])];
  if (context.options.adopt && adopted.size > 0 && !stand.mark) {
    notes.push(`pool ${stand.pool} and user ${stand.user} were not made by deploy-stand: they stay`);
  }
  const delegated = context.index.pools.get(stand.pool)?.delegated;
  return {
    vms: fates.map(({ guest, stays }) => ({
      vmid: guest.vmid,
      name: guest.name ?? '?',
      node: guest.node,
      state: stays ? 'staying' : 'going',
      power: guest.status,
    })),
    vmSteps: [...revokes, ...vmSteps],
    poolSteps,
    left,
    ...(heldBy ? { heldBy } : {}),
    removed,
    adopted: new Set(
      going
        .filter(
          (fate) => context.options.adopt && (adopted.has(fate.guest.vmid) || isCutTakeover(fate, context)),
        )
        .map((fate) => fate.guest.vmid),
    ),
    notes,
    ...(staying.length > 0
      ? { refused: joinRefusals(staying) }
      : delegated === undefined
        ? {}
        : { refused: delegatedRefusal(stand.pool, delegated, context.index) }),
  };
}

function joinRefusals(refusals: readonly Refusal[]): Refusal {
  const [first] = refusals as [Refusal];
  const hints = [...new Set(refusals.flatMap((refusal) => refusal.hint ?? []))];
  return {
    code: first.code,
    message: refusals.map((refusal) => refusal.message).join('; '),
    ...(hints.length === 0 ? {} : { hint: hints.join('\n') }),
  };
}
