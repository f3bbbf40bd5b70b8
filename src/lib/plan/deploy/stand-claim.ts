/** The claim of a stand: what its pool's comment says of it before the clones, and the one write by which they join. */
import type { Lab } from '../../config/types.ts';
import {
  formatPoolComment,
  makeClaim,
  type Claim,
  type ClaimedMachine,
  type PoolMark,
} from '../../marks/pool.ts';
import { drawnLength } from '../../marks/seal.ts';
import type { Refusal } from '../document/plan.ts';
import { makeStep, type Step } from '../document/step.ts';
import type { Seat } from '../placement/present-seat.ts';
import type { StandState } from '../stands/state.ts';
import type { StandContext } from './context.ts';
import { rolesBefore } from './stand-access.ts';
import type { StandVms } from './stand-vms.ts';

/**
 * Are its clones made in its pool? By all of a claim: what a former run has made outside is found by its seal alone, until
 * it has joined. 0.1.0 made numbers members before there was a machine, which PVE shows to nobody: what is cloned at one of
 * those it left is in the pool whether it is asked for or not.
 */
export function joinsAtOnce(
  { claim, present, open, remade }: StandState,
  { profile, index }: StandContext,
): boolean {
  if (claim?.joinsAtOnce || profile === 'confined') return true;
  const former = [...(remade?.values() ?? [])];
  const isOutside =
    [...present.values(), ...former].some((vm) => !vm.isJoined) ||
    [...open.values()].some((one) => one.isInFlight);
  const isMemberUnseen = claim?.unnamed.some((vmid) => !index.guests.has(vmid)) === true;
  const risk = former.length > 0 ? index.remakeRisk : index.sealRisk;
  return (isMemberUnseen || risk !== undefined) && !isOutside;
}

/** What the lab's machines are, and what was claimed before and is still there. */
function claimFor(state: StandState, seat: Seat, vms: StandVms, context: StandContext): Claim {
  const { lab, since, reclone } = context;
  const { claim, foreign } = state;
  // A reset gives machines anew, not the lab: what `extend` made later stays so.
  const expires = reclone ? claim?.expires : lab.expires;
  const names = new Set(vms.claimed.map(({ machine }) => machine));
  // What the lab needs no more stays claimed: a clone may be under way there, or a VM that only cleanup removes.
  const kept = (claim?.machines ?? []).filter(
    ({ machine, vmid }) => !names.has(machine) && !foreign.includes(vmid),
  );
  return makeClaim({
    lab: lab.name,
    machines: [...kept, ...vms.claimed],
    unnamed: (claim?.unnamed ?? []).filter((vmid) => !foreign.includes(vmid)),
    // What is begun again, or gone on with, is as young as what is new, to whoever looks for leftovers.
    since: claim === undefined || vms.joining.length > 0 ? since : claim.since,
    // The claim says where the stand was put; it is not rewritten when the stand moves.
    node: claim?.node !== undefined && state.present.size > 0 ? claim.node : seat.node,
    ...(expires === undefined ? {} : { expires }),
    ...(claim?.frozen === undefined ? {} : { frozen: claim.frozen }),
    ...(joinsAtOnce(state, context) ? { joinsAtOnce: true } : {}),
  });
}

/** Is a clone to be made? */
function isBegun({ claimed }: StandVms): boolean {
  return claimed.some(({ seals }) => seals.includes(''));
}

/** Would it say anything else of the stand? That its machines get names is nothing by itself: 0.1.0 wrote none. */
function isClaimChanged(before: Claim | undefined, after: Claim): boolean {
  if (!before) return true;
  const former = new Map(before.machines.map((one) => [one.vmid, one]));
  const isOther = (one: ClaimedMachine): boolean => {
    const known = former.get(one.vmid);
    if (known) return JSON.stringify(known) !== JSON.stringify(one);
    return one.state !== 'made' || !before.unnamed.includes(one.vmid);
  };
  return (
    before.vmids.join() !== after.vmids.join() ||
    after.machines.some(isOther) ||
    before.node !== after.node ||
    before.joinsAtOnce !== after.joinsAtOnce ||
    before.since !== after.since ||
    before.expires !== after.expires
  );
}

function adoptionReason(mark: PoolMark | undefined, takenOver: readonly number[]): string {
  const which = takenOver.length === 0 ? 'its present members' : 'its other members';
  return mark?.user === undefined
    ? `adopted: ${which} stay foreign`
    : 'adopted: unmarked members become ours';
}

/** PVE takes longer comments, but nobody reads them; user.cfg, which all share, holds 1 MiB (pmxcfs). */
const LONGEST_CLAIM = 8000;

function claimRefusal({ user }: StandState, comment: string): Refusal | undefined {
  const length = comment.length + drawnLength(comment);
  if (length <= LONGEST_CLAIM) return undefined;
  return {
    code: 'CLAIM_TOO_LONG',
    message: `the claims of ${user.userid} would take ${length} characters of the comment of pool ${user.pool}; ${LONGEST_CLAIM} are the most`,
    hint: 'give the machines shorter names, or divide the lab into several, each with a pool of its own',
  };
}

/** `extend` writes no file: the day of the lab file takes its place again, and that is told where it is sooner. */
function soonerNotes(before: Claim | undefined, after: Claim): string[] {
  const [was, is] = [before?.expires, after.expires];
  if (!before || is === undefined || (was !== undefined && was <= is)) return [];
  return [
    `lab ${after.lab} ends on ${is}, as its file says; until now ${was === undefined ? 'it had no end' : `it was ${was}`}: set \`expires\` in the file to keep that`,
  ];
}

function changeReason(before: Claim | undefined, { expires }: Claim): string {
  if (!before || before.expires === expires) return 'the claim changed';
  return `${expires === undefined ? 'without an end' : `until ${expires}`}; it was ${before.expires ?? 'never'}`;
}

interface PlannedClaim {
  readonly steps: readonly Step[];
  readonly notes?: readonly string[];
  readonly refused?: Refusal;
}

export function planClaim(state: StandState, seat: Seat, vms: StandVms, context: StandContext): PlannedClaim {
  const { user, mark } = state;
  const empty: PoolMark & { user: string } = { user: user.userid, adopted: false, claims: [], others: [] };
  const present = mark ?? empty;
  const claim = claimFor(state, seat, vms, context);
  const others = present.claims.filter((candidate) => candidate.lab !== claim.lab);
  const isNew = present.claims.length === others.length;
  const comment = formatPoolComment({
    ...present,
    user: user.userid,
    adopted: present.user === undefined ? mark !== undefined : present.adopted,
    roles: mark ? rolesBefore(state, context) : [],
    // In place, so that the other labs' lines stay where they are.
    claims: isNew
      ? [...others, claim]
      : present.claims.map((candidate) => (candidate.lab === claim.lab ? claim : candidate)),
  });
  const takenOver = [...state.present.values()]
    .filter((vm) => vm.takenOver && state.claim?.vmids.includes(vm.vmid) !== true)
    .map((vm) => vm.vmid)
    .sort((a, b) => a - b);
  const adopts = (mark !== undefined && mark.user === undefined) || takenOver.length > 0;
  if (!adopts && !isClaimChanged(state.claim, claim)) return { steps: [] };
  const refused = claimRefusal(state, comment);
  if (refused) return { steps: [], refused };
  if (!mark) {
    const frame = { user: user.userid, reason: 'missing' };
    return { steps: [makeStep('pool.create', user.pool, frame, { pool: user.pool, comment })] };
  }
  const reason = adopts
    ? adoptionReason(mark, takenOver)
    : isBegun(vms)
      ? 'before the clones, so that no other run takes them'
      : vms.joining.length > 0
        ? 'resumed, so that nobody takes it for a leftover'
        : changeReason(state.claim, claim);
  const before = context.index.pools.get(user.pool)?.comment ?? '';
  const payload = {
    pool: user.pool,
    comment,
    ...(vms.leaving.length === 0 ? {} : { leave: vms.leaving }),
    ...(adopts ? { takeOver: { comment: before, vmids: takenOver } } : {}),
  };
  const frame = { user: user.userid, reason, dependsOn: vms.beforeClaim.map(({ id }) => id) };
  return {
    steps: [makeStep('pool.update', user.pool, frame, payload)],
    notes: soonerNotes(state.claim, claim),
  };
}

/** One write for the whole stand; a machine that failed holds back no other. */
export function planJoin({ user }: StandState, vms: StandVms, claim: readonly Step[], lab: Lab): Step[] {
  if (vms.joining.length === 0) return [];
  const madeBy = (machine: string): { madeBy?: string } => {
    const last = vms.lastStep.get(machine);
    return last === undefined ? {} : { madeBy: last };
  };
  return [
    makeStep(
      'pool.join',
      user.pool,
      {
        user: user.userid,
        reason: 'what is finished becomes part of the stand',
        dependsOn: claim.map((step) => step.id),
        after: vms.joining.flatMap(({ machine }) => vms.lastStep.get(machine) ?? []),
      },
      {
        pool: user.pool,
        lab: lab.name,
        machines: vms.joining.map((one) => ({ ...one, ...madeBy(one.machine) })),
      },
    ),
  ];
}
