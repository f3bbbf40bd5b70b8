/** Plans one stand: puts its bridges, claim, VMs, user, access and start together. */
import { isUserMarked } from '../../marks/user.ts';
import { sortedUnique } from '../../order.ts';
import type { PlannedStand, Refusal } from '../document/plan.ts';
import { makesNetwork, type NetworkEdit } from '../document/network-steps.ts';
import { stepId, type Step } from '../document/step.ts';
import { planStandBridges, type StandBridges } from '../network/stand-bridges.ts';
import type { Seat } from '../placement/present-seat.ts';
import { isSpread } from '../placement/nodes.ts';
import { createUserStep } from '../stands/accounts.ts';
import { directoryRefusal, newPasswordStep } from '../stands/new-password.ts';
import type { StandState } from '../stands/state.ts';
import { foreignRights } from '../stands/vm-rights.ts';
import type { StandContext } from './context.ts';
import type { ToldFixed } from './fixed-wishes.ts';
import { frozenOf } from './frozen.ts';
import { planAccess } from './stand-access.ts';
import { joinsAtOnce, planClaim, planJoin } from './stand-claim.ts';
import { standPendingRefusal } from './stand-refusals.ts';
import { withoutRemade } from './reclone.ts';
import { planStarts } from './stand-starts.ts';
import { planStandVms, type StandVms } from './stand-vms.ts';
import { madeBy, planSurplus, type ToldSurplus } from './surplus.ts';

export interface StandDraft {
  readonly stand: PlannedStand;
  /** `pool.create`, `pool.update`. */
  readonly claimSteps: readonly Step[];
  readonly bridgeSteps: readonly NetworkEdit[];
  /** Bridges of ours on the stand's node that are configured but not up. */
  readonly down: readonly string[];
  /** Everything after the reservation. */
  readonly workSteps: readonly Step[];
  readonly warnings: readonly string[];
  /** Machines that the lab no longer has. */
  readonly surplus: readonly ToldSurplus[];
  /** What the lab says otherwise of machines that are there. */
  readonly fixed: readonly ToldFixed[];
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
    surplus: [],
    fixed: [],
  };
}

interface UserWork {
  readonly steps: readonly Step[];
  readonly notes: readonly string[];
}

function planUser({ user }: StandState, context: StandContext): UserWork {
  const { have, index, since, resetPasswords } = context;
  const present = index.users.get(user.userid);
  if (!present) return { steps: [createUserStep(user, have, since)], notes: [] };
  if (!resetPasswords) return { steps: [], notes: [] };
  const elsewhere = directoryRefusal(user.userid, have);
  if (elsewhere) return { steps: [], notes: [elsewhere.message] };
  return isUserMarked(present.comment)
    ? { steps: [newPasswordStep(present)], notes: [] }
    : { steps: [], notes: [`user ${user.userid} was not created by deploy-stand, and keeps its password`] };
}

/** A claim of a former run may hold already. */
function onceClaimed(step: Step, claimStep: string | undefined): Step {
  return step.kind !== 'vm.clone' || claimStep === undefined
    ? step
    : { ...step, dependsOn: sortedUnique([...step.dependsOn, claimStep]) };
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
function withOwn(steps: readonly NetworkEdit[], own: readonly number[]): NetworkEdit[] {
  return steps.map((step) => (makesNetwork(step) ? { ...step, own } : step));
}

/** Bridge → the step that makes it. */
function bridgesMade({ steps }: StandBridges): Map<string, string> {
  return new Map(steps.filter(makesNetwork).map(({ bridge, id }) => [bridge, id]));
}

function planMachines(
  state: StandState,
  { node }: Seat,
  bridges: StandBridges,
  context: StandContext,
): StandVms {
  const { lab, reclone } = context;
  const spread = isSpread(lab);
  return planStandVms({
    ...context,
    state,
    ...(reclone ? { only: reclone.stands.get(state.user.userid)?.machines ?? new Set<string>() } : {}),
    lockWaitSeconds: reclone?.lockWaitSeconds ?? 0,
    bridges: bridges.names,
    joinsAtOnce: joinsAtOnce(state, context),
    nodeOf: ({ template }) => (spread ? template.node : node),
    claimStep: stepId(state.mark ? 'pool.update' : 'pool.create', state.user.pool),
    bridgeMarks: bridges.steps.filter((step) => 'newComment' in step).map((step) => step.id),
  });
}

export function planStand(found: StandState, seat: Seat | Refusal, context: StandContext): StandDraft {
  const { lab, reclone } = context;
  if ('code' in seat) return refusedStand(found, seat);
  const only = reclone?.stands.get(found.user.userid);
  const state = only ? withoutRemade(found, only.anew) : found;
  const bridges = planStandBridges({ ...context, state: found, node: seat.node });
  const unbridged = bridges.refused ?? standPendingRefusal(state, seat.node, bridges, context);
  if (unbridged) return refusedStand(state, unbridged);
  const vms = planMachines(state, seat, bridges, context);
  if (vms.refused) return refusedStand(state, vms.refused);
  const claim = planClaim(state, seat, vms, context);
  if (claim.refused) return refusedStand(state, claim.refused);
  const claimSteps = claim.steps;
  const account = reclone ? { steps: [], notes: [] } : planUser(state, context);
  const joins = planJoin(state, vms, claimSteps, lab);
  const acl = planAccess(state, vms, [...claimSteps, ...account.steps, ...joins], context);
  const starts = planStarts(state, { vms, bridges, acl, joins }, context);
  const rights = foreignRights(state, context);
  const surplus = planSurplus(state, madeBy(vms, joins), context);
  const left = only?.left ?? state.left ?? vms.left ?? (reclone ? undefined : (rights.left ?? surplus.left));
  const made = bridgesMade(bridges);
  return {
    stand: {
      user: state.user.userid,
      pool: state.user.pool,
      node: seat.node,
      placement: seat.why,
      vms: [...vms.vms, ...surplus.vms],
      bridges: bridges.planned,
      ...frozenOf(state),
      ...(left ? { left } : {}),
      notes: [
        ...seat.notes,
        ...state.notes,
        ...account.notes,
        ...(claim.notes ?? []),
        ...bridges.notes,
        ...vms.notes,
        ...rights.notes,
        ...(only?.notes ?? []),
      ],
    },
    claimSteps: [...vms.beforeClaim, ...claimSteps],
    bridgeSteps: withOwn(
      bridges.steps,
      vms.vms.map(({ vmid }) => vmid),
    ),
    down: bridges.down,
    workSteps: [
      ...account.steps,
      ...vms.steps.map((step) => onceBridged(onceClaimed(step, claimSteps[0]?.id), made)),
      ...joins,
      ...acl,
      ...starts,
      ...surplus.steps,
    ],
    warnings: [...bridges.warnings, ...vms.warnings],
    surplus: surplus.told,
    fixed: vms.fixed,
  };
}
