/** Plans one stand: its node, claim, bridges, VMs, user, access and start. */
import { stepId, makeStep, type Step } from '../document/step.ts';
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { VmidAllocator } from '../cluster/free-vmids.ts';
import type { BridgeAllocator } from '../network/numbers.ts';
import { foreignPendingOn } from '../network/foreign-pending.ts';
import type { HaveIndex } from '../cluster/view.ts';
import {
  formatPoolComment,
  makeClaim,
  type Claim,
  type ClaimedMachine,
  type PoolMark,
} from '../../marks/pool.ts';
import { NO_ROOM } from '../placement/capacity-text.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';
import { isSpread, lacksReserved, type NodeChoice } from '../placement/nodes.ts';
import { sortedUnique } from '../../order.ts';
import type { Pins } from '../cluster/pins.ts';
import type { ReplicaPlanner } from '../templates/replica-steps.ts';
import type { Seat } from '../placement/assignments.ts';
import { planStandBridges, type BridgeStep, type StandBridges } from '../network/stand-bridges.ts';
import type { StandState } from '../stands/state.ts';
import { planStandVms, type StandVms } from './stand-vms.ts';
import type { Profile } from '../cluster/profile.ts';
import type { PlannedStand, Refusal } from '../document/plan.ts';
import { createUserStep, realmRefusal } from '../stands/accounts.ts';
import { isAtLeast } from '../../pve-values/version.ts';
import { foreignRights } from '../stands/vm-rights.ts';

/** What all stands of one plan share. The allocators change as stands take from them. */
export interface StandContext {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly index: HaveIndex;
  readonly machines: readonly ResolvedMachine[];
  readonly choice: NodeChoice;
  readonly vmids: VmidAllocator;
  readonly bridges: BridgeAllocator;
  readonly pins: Pins;
  readonly replicas: ReplicaPlanner;
  readonly macs: Set<string>;
  readonly updateRunning: boolean;
  readonly profile: Profile;
  readonly since: string;
}

export interface StandDraft {
  readonly stand: PlannedStand;
  /** `pool.create`, `pool.update`. */
  readonly claimSteps: readonly Step[];
  readonly bridgeSteps: readonly BridgeStep[];
  /** Bridges of ours on the stand's node that are configured but not up. */
  readonly down: readonly string[];
  /** Everything after the reservation. */
  readonly workSteps: readonly Step[];
  readonly warnings: readonly string[];
}

function refusedStand(state: StandState, refused: Refusal): StandDraft {
  return {
    stand: {
      user: state.user.userid,
      pool: state.user.pool,
      vms: [],
      bridges: [],
      refused,
      notes: state.notes,
    },
    claimSteps: [],
    bridgeSteps: [],
    down: [],
    workSteps: [],
    warnings: [],
  };
}

/** PVE 9 wants a letter first; `.` and `..` are no path components (pve-access-control, `verify_poolname`). */
function poolNameRefusal(state: StandState, context: StandContext): Refusal | undefined {
  const { pool, userid } = state.user;
  const needsLetter = isAtLeast(context.have.version, 9);
  const isLegal =
    /^[A-Za-z0-9._-]+$/.test(pool) && !/^\.+$/.test(pool) && (!needsLetter || /^[A-Za-z]/.test(pool));
  if (isLegal || state.mark) return undefined;
  return {
    code: 'POOL_NAME',
    message: `${userid}: PVE ${context.have.version} refuses the pool name "${pool}"${needsLetter ? ' (it must begin with a letter)' : ''}`,
    hint: `set another \`pool:\` for ${userid} in the users file, e.g. pool: s-${pool.replaceAll(/[^A-Za-z0-9_-]+/g, '-')}`,
  };
}

/** Another lab on the same pool with another role would widen or narrow both: refused, naming them. */
function roleConflict(state: StandState, context: StandContext): Refusal | undefined {
  const others = state.mark?.claims.filter((claim) => claim.lab !== context.lab.name) ?? [];
  const entries = context.index.acls.get(`/pool/${state.user.pool} ${state.user.userid}`) ?? [];
  const kept = rolesBefore(state, context);
  const different = entries.find(
    (entry) => entry.role !== context.lab.access.role && !kept.includes(entry.role),
  );
  if (others.length === 0 || !different) return undefined;
  return {
    code: 'ROLE_CONFLICT',
    message: `lab ${others.map((claim) => claim.lab).join(', ')} gives ${state.user.userid} role ${different.role} on pool ${state.user.pool}, lab ${context.lab.name} wants ${context.lab.access.role}`,
    hint: 'use the same `access.role` in both labs, or another `pool:` for one of them',
  };
}

/** What the lab's machines are, and what was claimed before and is still there. */
/**
 * Are its clones made in its pool? By all of a claim: what a former run has made outside is found by its seal alone, until
 * it has joined.
 */
function joinsAtOnce({ claim, present, open }: StandState, { profile, index }: StandContext): boolean {
  if (claim?.joinsAtOnce || profile === 'confined') return true;
  const isOutside =
    [...present.values()].some((vm) => !vm.isJoined) || [...open.values()].some((one) => one.isInFlight);
  return index.sealRisk !== undefined && !isOutside;
}

function claimFor(state: StandState, seat: Seat, vms: StandVms, context: StandContext): Claim {
  const { lab, since } = context;
  const { claim, foreign } = state;
  const names = new Set(vms.claimed.map(({ machine }) => machine));
  // What the lab needs no more stays claimed: a clone may be under way there, or a VM that only cleanup removes.
  const kept = (claim?.machines ?? []).filter(
    ({ machine, vmid }) => !names.has(machine) && !foreign.includes(vmid),
  );
  return makeClaim({
    lab: lab.name,
    machines: [...kept, ...vms.claimed],
    unnamed: (claim?.unnamed ?? []).filter((vmid) => !foreign.includes(vmid)),
    // What is begun again is as young as what is new, to whoever looks for leftovers.
    since: claim === undefined || isBegun(vms) ? since : claim.since,
    // The claim says where the stand was put; it is not rewritten when the stand moves.
    node: claim?.node !== undefined && state.present.size > 0 ? claim.node : seat.node,
    ...(lab.expires === undefined ? {} : { expires: lab.expires }),
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
    before.expires !== after.expires
  );
}

function adoptionReason(mark: PoolMark | undefined, takenOver: readonly number[]): string {
  const which = takenOver.length === 0 ? 'its present members' : 'its other members';
  return mark?.user === undefined
    ? `adopted: ${which} stay foreign`
    : 'adopted: unmarked members become ours';
}

/** Those that the user has before the pool becomes ours are not ours to take away. */
function rolesBefore({ user, mark }: StandState, { index }: StandContext): readonly string[] {
  if (mark?.user !== undefined) return mark.roles ?? [];
  const entries = index.acls.get(`/pool/${user.pool} ${user.userid}`) ?? [];
  return sortedUnique(entries.map((entry) => entry.role));
}

/** PVE takes longer comments, but nobody reads them; user.cfg, which all share, holds 1 MiB (pmxcfs). */
const LONGEST_CLAIM = 8000;
const HASH_DIGITS = 24;

function claimRefusal({ user }: StandState, comment: string): Refusal | undefined {
  const toDraw = comment.match(/\?(?=[?,\s]|$)/g)?.length ?? 0;
  const length = comment.length + toDraw * HASH_DIGITS;
  if (length <= LONGEST_CLAIM) return undefined;
  return {
    code: 'CLAIM_TOO_LONG',
    message: `the claims of ${user.userid} would take ${length} characters of the comment of pool ${user.pool}; ${LONGEST_CLAIM} are the most`,
    hint: 'give the machines shorter names, or divide the lab into several, each with a pool of its own',
  };
}

interface PlannedClaim {
  readonly steps: readonly Step[];
  readonly refused?: Refusal;
}

function planClaim(state: StandState, seat: Seat, vms: StandVms, context: StandContext): PlannedClaim {
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
      : 'the claim changed';
  const before = context.index.pools.get(user.pool)?.comment ?? '';
  const payload = {
    pool: user.pool,
    comment,
    ...(adopts ? { takeOver: { comment: before, vmids: takenOver } } : {}),
  };
  return { steps: [makeStep('pool.update', user.pool, { user: user.userid, reason }, payload)] };
}

/** One write for the whole stand; a machine that failed holds back no other. */
function planJoin({ user }: StandState, vms: StandVms, claim: readonly Step[], lab: Lab): Step[] {
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

function planUser({ user }: StandState, { have, index, since }: StandContext): Step[] {
  return index.users.has(user.userid) ? [] : [createUserStep(user, have, since)];
}

/** The stand's last step before start, so that nobody reaches a half-made VM. */
function planAccess(
  state: StandState,
  vms: StandVms,
  before: readonly Step[],
  context: StandContext,
): Step[] {
  const { user } = state;
  const { lab, index } = context;
  const wanted: { key: string; path: string; role: string }[] = [
    { key: user.pool, path: `/pool/${user.pool}`, role: lab.access.role },
  ];
  for (const machine of lab.machines) {
    const vm = vms.vms.find((candidate) => candidate.name === machine.name);
    if (machine.poolRole === undefined || !vm) continue;
    wanted.push({ key: `${user.pool}/${machine.name}`, path: `/vms/${vm.vmid}`, role: machine.poolRole });
  }
  const dependsOn = [...before.map((step) => step.id), ...vms.lastStep.values()];
  const grants = wanted
    .filter(
      ({ path, role }) =>
        !(index.acls.get(`${path} ${user.userid}`) ?? []).some((entry) => entry.role === role),
    )
    .map(({ key, path, role }) =>
      makeStep(
        'acl.grant',
        key,
        { user: user.userid, reason: 'the stand is finished', dependsOn },
        {
          ...{ path, role, userid: user.userid, propagate: reachesBelow(path) },
          ...(reachesBelow(path) ? {} : { pool: user.pool }),
        },
      ),
    );
  return [...grants, ...revokeFormerRoles(state, grants, context)];
}

/** Nothing is below a VM; and rights by way of a pool never propagate, so that they do not suffice for a role that does. */
function reachesBelow(path: string): boolean {
  return !path.startsWith('/vms/');
}

/** PVE adds roles up: the one that the lab gave before it was changed has to go. */
function revokeFormerRoles(state: StandState, grants: readonly Step[], context: StandContext): Step[] {
  const { user, mark } = state;
  if (mark?.user === undefined) return [];
  const kept = rolesBefore(state, context);
  const path = `/pool/${user.pool}`;
  return (context.index.acls.get(`${path} ${user.userid}`) ?? [])
    .filter((entry) => entry.role !== context.lab.access.role && !kept.includes(entry.role))
    .map(({ role }) =>
      makeStep(
        'acl.revoke',
        `${path} ${role}`,
        {
          user: user.userid,
          reason: `the lab gives ${context.lab.access.role} now`,
          dependsOn: grants
            .filter((step) => step.kind === 'acl.grant' && step.path === path)
            .map((step) => step.id),
        },
        { path, role, userid: user.userid },
      ),
    );
}

/** Starts in `start_order`: each rank waits until the former has ended, successfully or not. */
function planStarts(
  state: StandState,
  vms: StandVms,
  bridges: StandBridges,
  acl: readonly Step[],
  joins: readonly Step[],
  lab: Lab,
): Step[] {
  const joining = new Set(vms.joining.map(({ machine }) => machine));
  const due = lab.machines
    .filter((machine) => machine.start && !vms.templates.has(machine.name))
    .flatMap((machine) => vms.vms.filter((vm) => vm.name === machine.name).map((vm) => ({ machine, vm })))
    .filter(({ vm }) => vm.state === 'new' || vm.power === 'stopped')
    .sort((a, b) => rank(a.machine.startOrder) - rank(b.machine.startOrder));
  const steps: Step[] = [];
  let former: string[] = [];
  let current: { rank: number; ids: string[] } | undefined;
  for (const { machine, vm } of due) {
    const order = rank(machine.startOrder);
    if (current?.rank !== order) {
      former = current?.ids ?? [];
      current = { rank: order, ids: [] };
    }
    const last = vms.lastStep.get(machine.name);
    const step = makeStep(
      'vm.start',
      `${state.user.pool}/${machine.name}`,
      {
        user: state.user.userid,
        reason: 'the lab wants it running',
        dependsOn: [
          ...(last === undefined ? [] : [last]),
          ...(joining.has(machine.name) ? joins.map((join) => join.id) : []),
          ...bridges.steps.map((bridge) => bridge.id),
        ],
        after: [...acl.map((grant) => grant.id), ...former],
      },
      { node: vm.node, vmid: vm.vmid, pool: state.user.pool },
    );
    current.ids.push(step.id);
    steps.push(step);
  }
  return steps;
}

function rank(order: number | undefined): number {
  return order ?? Number.MAX_SAFE_INTEGER;
}

/** An apply would put foreign edits into force, so nothing that needs one is planned on this node. */
function pendingRefusal(
  state: StandState,
  node: string,
  bridges: StandBridges,
  context: StandContext,
): Refusal | undefined {
  const { lab, have, index } = context;
  if (bridges.steps.length + bridges.down.length === 0 && !lacksReserved(lab, node, have, index))
    return undefined;
  const message = foreignPendingOn(node, have.networks);
  if (message === undefined) return undefined;
  return {
    code: 'FOREIGN_PENDING_CHANGES',
    message: `${state.user.userid}: ${message}`,
    hint: `apply or revert them on ${node} (${node} → System → Network), then run again`,
  };
}

/** A claim of a former run may hold already. */
function onceClaimed(step: Step, claimStep: string | undefined): Step {
  return step.kind !== 'vm.clone' || claimStep === undefined
    ? step
    : { ...step, dependsOn: sortedUnique([...step.dependsOn, claimStep]) };
}

/** Why nothing can be done for this stand, wherever it is put. */
export function standRefusal(state: StandState, context: StandContext): Refusal | undefined {
  return (
    state.refused ??
    poolNameRefusal(state, context) ??
    realmRefusal(state.user, context.have, context.index) ??
    roleConflict(state, context) ??
    leftOutBefore(state, context)
  );
}

/** What had no room is not part of a saved plan, even if there is room by now. */
function leftOutBefore({ user }: StandState, { pins }: StandContext): Refusal | undefined {
  if (!pins.leftOut.has(user.userid)) return undefined;
  return {
    code: NO_ROOM,
    message: `the saved plan leaves out the stand of ${user.userid}: there was no room when it was made`,
    hint: 'deploy without --plan, or make a new plan',
  };
}

/**
 * A card names its bridge once that is made: a number that turns out to be taken must not be in a configuration, from
 * which the next planning would take it.
 */
function onceBridged(step: Step, made: ReadonlyMap<string, string>): Step {
  if (step.kind !== 'vm.configure') return step;
  const bridges = step.nics.flatMap(({ bridge }) => made.get(bridge) ?? []);
  return bridges.length === 0 ? step : { ...step, dependsOn: sortedUnique([...step.dependsOn, ...bridges]) };
}

/** Its own VMs may name a bridge before it is made: one that somebody removed is made again under its name. */
function withOwn(steps: readonly BridgeStep[], own: readonly number[]): BridgeStep[] {
  return steps.map((step) => (step.kind === 'bridge.create' ? { ...step, own } : step));
}

export function planStand(state: StandState, seat: Seat | Refusal, context: StandContext): StandDraft {
  const { lab } = context;
  if ('code' in seat) return refusedStand(state, seat);
  const bridges = planStandBridges({ ...context, state, node: seat.node });
  const unbridged = bridges.refused ?? pendingRefusal(state, seat.node, bridges, context);
  if (unbridged) return refusedStand(state, unbridged);
  const spread = isSpread(lab);
  const vms = planStandVms({
    ...context,
    state,
    bridges: bridges.names,
    joinsAtOnce: joinsAtOnce(state, context),
    nodeOf: ({ template }) => (spread ? template.node : seat.node),
    claimStep: stepId(state.mark ? 'pool.update' : 'pool.create', state.user.pool),
    bridgeMarks: bridges.steps
      .filter((step) => step.kind === 'bridge.update' && step.newComment !== undefined)
      .map((step) => step.id),
  });
  if (vms.refused) return refusedStand(state, vms.refused);
  const claim = planClaim(state, seat, vms, context);
  if (claim.refused) return refusedStand(state, claim.refused);
  const claimSteps = claim.steps;
  const userSteps = planUser(state, context);
  const joins = planJoin(state, vms, claimSteps, lab);
  const acl = planAccess(state, vms, [...claimSteps, ...userSteps, ...joins], context);
  const starts = planStarts(state, vms, bridges, acl, joins, lab);
  const rights = foreignRights(state, context);
  const left = state.left ?? vms.left ?? rights.left;
  const made = new Map(
    bridges.steps.flatMap(({ kind, bridge, id }) => (kind === 'bridge.create' ? [[bridge, id]] : [])),
  );
  return {
    stand: {
      user: state.user.userid,
      pool: state.user.pool,
      node: seat.node,
      placement: seat.why,
      vms: vms.vms,
      bridges: bridges.planned,
      ...(left ? { left } : {}),
      notes: [...seat.notes, ...state.notes, ...bridges.notes, ...vms.notes, ...rights.notes],
    },
    claimSteps,
    bridgeSteps: withOwn(
      bridges.steps,
      vms.vms.map(({ vmid }) => vmid),
    ),
    down: bridges.down,
    workSteps: [
      ...userSteps,
      ...vms.steps.map((step) => onceBridged(onceClaimed(step, claimSteps[0]?.id), made)),
      ...joins,
      ...acl,
      ...starts,
    ],
    warnings: [...bridges.warnings, ...vms.warnings],
  };
}
