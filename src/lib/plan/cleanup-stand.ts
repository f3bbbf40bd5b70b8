/** The steps that take one stand away: access first, then VMs; claim and pool last. The user goes apart. */
import type { CleanupContext } from './cleanup-context.ts';
import { adoptedBecause } from './adopt.ts';
import { adoptedFates, adoptedVmids, fatesOf, isCutTakeover, judge, type Fate } from './cleanup-fates.ts';
import type { SelectedStand } from './cleanup-selection.ts';
import { formatPoolComment, makeClaim, type Claim } from '../marks/pool.ts';
import { claimedIds } from './stands/ownership.ts';
import { profileOf } from './privileges/profile.ts';
import { makeStep, type Step } from './document/step.ts';
import type { PlannedVm, Refusal } from './document/plan.ts';
import { delegatedRefusal } from './user-rules.ts';

export interface StandRemoval {
  readonly vms: readonly PlannedVm[];
  /** Access and VMs. */
  readonly vmSteps: readonly Step[];
  /** Claim and pool. */
  readonly poolSteps: readonly Step[];
  /** Claims that the pool still has after the cleanup. */
  readonly left: readonly Claim[];
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

function removeVm(
  stand: SelectedStand,
  fate: Fate,
  before: readonly string[],
  context: CleanupContext,
  adopted: boolean,
): Step[] {
  const { vmid, node, name } = fate.guest;
  const { user, pool } = stand;
  const of = { vmid, pool, ...(adopted ? { adopted } : {}) };
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
        node,
        vmid,
        pool,
        lockWaitSeconds,
      }),
    );
  }
  const why = adopted ? adoptedBecause(pool, name ?? '?') : 'selected';
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
  // A pool without our mark is somebody else's, and so are the rights on it.
  const paths = [
    ...(isLastLab && stand.mark && stand.removesUser ? [`/pool/${stand.pool}`] : []),
    ...vmids.map((vmid) => `/vms/${vmid}`),
  ];
  // What the user had before the pool was adopted is not ours to take away.
  const kept = new Set(stand.mark?.roles?.map((role) => `/pool/${stand.pool} ${role}`));
  const entries = paths.flatMap((path) =>
    (context.index.acls.get(`${path} ${stand.user}`) ?? []).map(({ role }) => ({ path, role })),
  );
  return entries
    .filter(({ path, role }) => !kept.has(`${path} ${role}`))
    .map(({ path, role }) =>
      makeStep(
        'acl.revoke',
        `${path} ${role}`,
        { user: stand.user, reason: 'first, so that nobody restarts a VM on its way out' },
        { path, role, userid: stand.user, ...(path.startsWith('/vms/') ? { pool: stand.pool } : {}) },
      ),
    );
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
  readonly notes: string[];
  readonly context: CleanupContext;
}

/**
 * A confined caller's claims are no memberships, and only a member may be taken out by it; PVE lists the caller's rights
 * on every member, also on one that does not exist.
 */
function mayBeMember(vmid: number, { have }: CleanupContext): boolean {
  return profileOf(have.rights) === 'full' || have.rights?.[`/vms/${vmid}`] !== undefined;
}

function releasePool({ stand, left, removed, deletes, revokes, notes, context }: Rest): Step[] {
  const { mark, pool, user } = stand;
  const present = context.index.pools.get(pool);
  if (!mark || mark.user === undefined || !present) return [];
  const foreign = foreignMembers(stand, removed, left, context);
  const keepsPool =
    left.length > 0 ||
    mark.adopted ||
    foreign.length > 0 ||
    mark.others.length > 0 ||
    context.options.keepUsers ||
    !stand.removesUser;
  if (!keepsPool) {
    return [
      makeStep(
        'pool.delete',
        pool,
        { user, reason: 'nothing is left in it', dependsOn: deletes },
        { pool, comment: present.comment },
      ),
    ];
  }
  if (left.length === 0 && foreign.length > 0) {
    notes.push(
      `pool ${pool} stays, without our mark: it has members that are not ours (${foreign.join(', ')})`,
    );
  }
  const keepsMark = left.length > 0 || context.options.keepUsers || !stand.removesUser;
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
        reason:
          left.length > 0
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

/** `elsewhere`: VMs that go with another stand already. */
export function planStandRemoval(
  stand: SelectedStand,
  context: CleanupContext,
  elsewhere: ReadonlySet<number> = new Set(),
): StandRemoval {
  const notes: string[] = [];
  const adopted = new Set(adoptedVmids(stand, context));
  const whole = { claims: stand.claims, halfMadeOnly: false };
  const trimmed = { claims: stand.trimmed, halfMadeOnly: true };
  const fates = [
    ...[whole, trimmed].flatMap((claimed) => fatesOf(stand, claimed, context, notes)),
    ...adoptedFates([...adopted], context),
  ];
  const going = fates.filter((fate) => fate.stays === undefined && !elsewhere.has(fate.guest.vmid));
  const staying = fates.flatMap((fate) => (fate.stays ? [{ ...fate, stays: fate.stays }] : []));
  const removed = new Set(going.map((fate) => fate.guest.vmid));
  const stayingIds = new Set(staying.map((fate) => fate.guest.vmid));
  const left = remainingClaims(stand, stayingIds, removed, context);
  const isLastLab =
    left.length === 0 || left.every((claim) => stand.claims.some(({ lab }) => lab === claim.lab));
  const revokes = revokeSteps(stand, isLastLab, [...removed], context);
  const before = revokes.map((step) => step.id);
  const vmSteps = going.flatMap((fate) =>
    removeVm(stand, fate, before, context, adopted.has(fate.guest.vmid)),
  );
  const deletes = vmSteps.filter((step) => step.kind === 'vm.delete').map((step) => step.id);
  const poolSteps = releasePool({ stand, left, removed, deletes, revokes: before, notes, context });
  if (context.options.adopt && adopted.size > 0 && !stand.mark) {
    notes.push(`pool ${stand.pool} and user ${stand.user} were not made by deploy-stand: they stay`);
  }
  const delegated = context.index.marks.get(stand.pool)?.delegated;
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
    removed,
    adopted: new Set(
      going
        .filter(
          (fate) => context.options.adopt && (adopted.has(fate.guest.vmid) || isCutTakeover(fate, context)),
        )
        .map((fate) => fate.guest.vmid),
    ),
    notes,
    ...(staying[0]
      ? { refused: joinRefusals(staying.map((fate) => fate.stays)) }
      : delegated === undefined
        ? {}
        : { refused: delegatedRefusal(stand.pool, delegated) }),
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
