/** The steps that take one stand away: access first, then VMs; claim and pool last. The user goes apart. */
import { sortedUnique } from '../../order.ts';
import type { CleanupContext } from './context.ts';
import { adoptedBecause } from '../stands/adopt.ts';
import type { GuestInfo } from '../../inventory/types.ts';
import { adoptedFates, adoptedVmids, fatesOf, isCutTakeover, judge, type Fate } from './fates.ts';
import { memberFates } from './members.ts';
import { releasePool, staysAnyway, type HeldBy } from './pool-release.ts';
import { subpoolRefusal } from './subpools.ts';
import type { SelectedStand } from './selection.ts';
import { protectedBecause, protectedNote } from '../stands/protected-accounts.ts';
import { makeClaim, type Claim } from '../../marks/pool.ts';
import { claimedIds } from '../stands/ownership.ts';
import { storageLocks } from '../templates/clone-rules.ts';
import { allVolumes } from '../../pve-values/volumes.ts';
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

/** By what it is removed: a claim; its name, with `--adopt`; membership, with `--include-members`; being left unfinished. */
type Whose = 'ours' | 'adopted' | 'member' | 'half-made';

/** Of the storages that its disks are on. Where its snapshots keep their memory is not read. */
function locksOf({ guest, config }: Fate, { index }: CleanupContext): { readonly locks?: readonly string[] } {
  if (!config) return {};
  const owned = allVolumes(config.values).filter(({ kind }) => kind !== 'iso');
  return {
    locks: storageLocks(
      owned.map(({ storage }) => storage),
      guest.node,
      index.storages,
    ),
  };
}

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
    ...(whose === 'half-made' ? { halfMade: true as const } : {}),
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
    'half-made': 'selected',
    adopted: adoptedBecause(pool, name ?? '?'),
    member: 'made in the pool by hand; --include-members',
  }[whose];
  push(
    makeStep('vm.delete', String(vmid), frame(why), {
      ...of,
      node,
      lockWaitSeconds,
      ...locksOf(fate, context),
    }),
  );
  return steps;
}

interface Removal {
  readonly fate: Fate;
  readonly whose: Whose;
}

function isTemplate({ fate }: Removal): boolean {
  return fate.config?.values['template'] === '1';
}

/** Its user may have made linked clones of a machine that was made a template: PVE removes no base that has some. */
function clonesFirst(removals: readonly Removal[], plan: (removal: Removal) => Step[]): Step[] {
  const isDelete = ({ kind }: Step): boolean => kind === 'vm.delete';
  const first = removals.filter((one) => !isTemplate(one)).flatMap(plan);
  const clones = first.filter(isDelete).map(({ id }) => id);
  const last = removals.filter(isTemplate).flatMap(plan);
  return [
    ...first,
    ...last.map((step) =>
      isDelete(step) ? { ...step, after: sortedUnique([...step.after, ...clones]) } : step,
    ),
  ];
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

/** What stays, stays claimed, so that the next cleanup finds it. */
function remainingClaims(
  stand: SelectedStand,
  staying: ReadonlySet<number>,
  removed: ReadonlySet<number>,
  context: CleanupContext,
): Claim[] {
  const isThere = (claim: Claim): boolean =>
    claimedIds(claim).some((id) => {
      const verdict = judge(id, stand, context);
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
  const fatesIn = (claimed: typeof whole): Fate[] =>
    fatesOf(stand, claimed, context, (guest) => void foreign.push(guest));
  const halfMade = fatesIn(trimmed);
  const own = [...fatesIn(whole), ...halfMade, ...adoptedFates([...adopted], context)];
  const whoseIs = (fate: Fate): Whose =>
    adopted.has(fate.guest.vmid) ? 'adopted' : halfMade.includes(fate) ? 'half-made' : 'ours';
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
  const vmSteps = clonesFirst(
    [
      ...going.map((fate) => ({ fate, whose: whoseIs(fate) })),
      ...members.filter(goes).map((fate) => ({ fate, whose: 'member' }) as const),
    ],
    ({ fate, whose }) => removeVm(stand, fate, before, context, whose),
  );
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
