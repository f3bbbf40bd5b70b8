/** Plans a deploy: want (lab, users) and have (inventory) in, plan out. Pure: same input, same plan. */
import { InternalError } from '../../errors.ts';
import { isMarkTime, markTime } from '../../marks/time.ts';
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { createVmidAllocator } from '../cluster/free-vmids.ts';
import { createBridgeAllocator } from '../network/numbers.ts';
import { createLedger, type Ledger } from '../placement/capacity.ts';
import { createDemands, labSizes } from '../placement/demand.ts';
import { assertSound } from '../document/graph.ts';
import { viewOf, type ClusterView } from '../cluster/view.ts';
import { checkLab } from './lab-rules.ts';
import { presentNics } from '../../pve-values/nics.ts';
import { planNetwork } from '../network/shared-steps.ts';
import { compareNatural } from '../../order.ts';
import {
  chooseNodes,
  standsPerNode,
  nodeOfClaim,
  noNodeRefusal,
  type NodeChoice,
} from '../placement/nodes.ts';
import { NO_PINS, type Pins } from '../cluster/pins.ts';
import { profileOf } from '../cluster/profile.ts';
import { refuse, refuseWhereNothingRemains } from '../document/refuse.ts';
import { createReplicaPlanner, type ReplicaPlanner } from '../templates/replica-steps.ts';
import { assignSeats, type Seats } from '../placement/assignments.ts';
import type { DeployInput, StandContext } from './context.ts';
import { deployWarnings } from './deploy-warnings.ts';
import { standRefusal } from './stand-refusals.ts';
import { planStand, type StandDraft } from './stand.ts';
import { keepApart } from './reclone.ts';
import { whyNoneIsMade } from '../stands/expiry.ts';
import { readStandState, type StandState } from '../stands/state.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';
import { resolveMachines } from '../templates/find.ts';
import type { DeployPlan, PlannedStand } from '../document/plan.ts';
import type { Step } from '../document/step.ts';
import { letsMigrate, withStudentRole } from '../stands/roles.ts';
import { withParentPools } from '../stands/parent-pools.ts';
import { protectedRefusals } from '../stands/protected-accounts.ts';
import { passwordRefusal } from '../stands/accounts.ts';

/** MACs of all configurations that were read; VMs still to be configured give theirs up. */
function macsInUse(have: Inventory, index: ClusterView, unfinished: ReadonlySet<number>): Set<string> {
  const macs = new Set<string>();
  for (const config of [...have.templates, ...index.configs.values()]) {
    if (unfinished.has(config.vmid)) continue;
    for (const nic of presentNics(config.values)) if (nic.mac !== undefined) macs.add(nic.mac);
  }
  return macs;
}

function assertSomeNode(lab: Lab, drafts: readonly StandDraft[], choice: NodeChoice): void {
  const refused = drafts.filter((draft) => draft.stand.refused !== undefined);
  if (refused.length < drafts.length || refused.length === 0) return;
  if (refused.every((draft) => draft.stand.refused?.code === 'NO_NODE')) refuse([noNodeRefusal(lab, choice)]);
  refuseWhereNothingRemains(refused.map(({ stand }) => stand));
}

/** Stands of which no VM is there are placed, or completed, by this plan: they are counted when they are. */
function countSeated(states: readonly StandState[], index: ClusterView): Map<string, number> {
  const counts = standsPerNode(index);
  for (const { user, present, claim } of states) {
    const claimant = { pool: user.pool, user: user.userid };
    const node = present.size === 0 && claim ? nodeOfClaim(claim, claimant, index) : undefined;
    if (node !== undefined) counts.set(node, (counts.get(node) ?? 1) - 1);
  }
  return counts;
}

function seatStands(
  states: readonly StandState[],
  context: StandContext,
): { readonly ledger: Ledger; readonly seats: Seats } {
  const { lab, have, index, machines, choice, vmids, bridges, pins } = context;
  const sizes = labSizes(states, context);
  const ledger = createLedger({
    lab,
    have,
    index,
    pools: new Set(states.map(({ user }) => user.pool)),
    counts: countSeated(states, index),
    sizes,
    freeVmids: vmids.left(),
    freeBridges: (node) => bridges.left(node),
    bridgesHeldBy: (node) => bridges.heldBy(node),
  });
  const demandOf = createDemands({ ...context, ledger, sizes });
  return {
    ledger,
    seats: assignSeats({ lab, have, index, machines, choice, states, ledger, demandOf, pins }),
  };
}

/** Claims first, then bridges, then the long work stand by stand: the scheduler starts ready steps in this order. */
function orderSteps(
  drafts: readonly StandDraft[],
  network: readonly Step[],
  shared: readonly Step[],
  replicas: ReplicaPlanner,
): Step[] {
  return [
    ...replicas.claimSteps(),
    ...drafts.flatMap((draft) => draft.claimSteps),
    ...shared,
    ...drafts.flatMap((draft) => draft.bridgeSteps),
    ...network,
    ...replicas.workSteps(),
    ...drafts.flatMap((draft) => draft.workSteps),
  ];
}

/** Nothing can have been planned in the future. */
function timeOf({ since }: Pins, { now }: Inventory): string {
  const isPast = since !== undefined && isMarkTime(since) && Date.parse(since) <= Date.parse(now);
  return isPast ? since : markTime(now);
}

/** Allocators for this plan alone: they change as stands take from them. */
function contextFor(
  { lab, have, options }: DeployInput,
  index: ClusterView,
  machines: readonly ResolvedMachine[],
  states: readonly StandState[],
): StandContext {
  const taken = options.taken ?? { vmids: [], bridges: [] };
  const pins = options.pins ?? NO_PINS;
  const vmids = createVmidAllocator(lab.vmidRange, index, taken, pins);
  const since = timeOf(pins, have);
  const unfinished = states.flatMap((state) =>
    [...state.present.values()].filter((vm) => !vm.isFinished).map((vm) => vm.vmid),
  );
  const mayRepeat = !letsMigrate(lab, have);
  return {
    lab,
    have,
    index,
    machines,
    choice: chooseNodes(lab, machines, have, index),
    vmids,
    bridges: createBridgeAllocator(have, index, { lab, taken, pins, mayRepeat }),
    pins,
    replicas: createReplicaPlanner({ index, vmids, pins, since }),
    macs: macsInUse(have, index, new Set(unfinished)),
    updateRunning: options.updateRunning,
    resetPasswords: options.resetPasswords === true,
    ...(options.prune ? { prune: options.prune } : {}),
    profile: profileOf(have.rights),
    since,
    ...(options.reclone ? { reclone: options.reclone } : {}),
  };
}

/** What is there of a stand is completed as ever. */
function isTooLate(
  { user, claim, present }: StandState,
  { lab: { expires }, have: { now } }: DeployInput,
  { users }: ClusterView,
): boolean {
  const isNew = claim === undefined && present.size === 0;
  return isNew && whyNoneIsMade(user, expires, { accounts: users, now }) !== undefined;
}

/**
 * Throws PlanRefusedError when nothing can be deployed. A stand that alone cannot be deployed is in the plan with
 * `refused` set, and the others go on.
 */
export function planDeploy(input: DeployInput): DeployPlan {
  const { lab, users, have, options, files } = input;
  const index = viewOf(have);
  const notStudents = protectedRefusals(users, have.caller);
  if (notStudents.length > 0) refuse(notStudents);
  const checked = checkLab(lab, have, index);
  if (checked.refusals.length > 0) refuse(checked.refusals);
  const states = [...users]
    .sort((a, b) => compareNatural(a.userid, b.userid))
    .map((user) => readStandState(user, lab, index, options))
    .filter((state) => options.reclone !== undefined || !isTooLate(state, input, index));
  const context = contextFor(input, index, resolveMachines(lab, have), states);
  const refusals = new Map(
    states.map((state) => [
      state.user.userid,
      options.reclone?.stands.get(state.user.userid)?.refused ?? standRefusal(state, context),
    ]),
  );
  const healthy = states.filter((state) => refusals.get(state.user.userid) === undefined);
  const { ledger, seats } = seatStands(healthy, context);
  if (seats.shortage && options.fit !== true) {
    refuse([{ ...seats.shortage, hint: `--fit deploys what fits; ${seats.shortage.hint ?? ''}` }]);
  }
  const drafts = states.map((state) => {
    const { userid } = state.user;
    const seat = refusals.get(userid) ?? seats.of.get(userid);
    if (!seat) throw new InternalError('NO_SEAT', `the stand of ${userid} was given no node`);
    return planStand(state, seat, context);
  });
  assertSomeNode(lab, drafts, context.choice);
  const network = planNetwork(drafts, context);
  const ordered = withParentPools(
    orderSteps(drafts, network.reloads, network.reserved, context.replicas),
    index,
  );
  const steps = options.reclone ? keepApart(ordered) : withStudentRole(ordered, have);
  const finished = network.finish(steps);
  assertSound(finished);
  const tooShort = passwordRefusal(lab.passwords, finished, have);
  if (tooShort) refuse([tooShort]);
  const stands: PlannedStand[] = drafts.map((draft) => draft.stand);
  return {
    version: 2,
    command: 'deploy',
    lab: lab.name,
    strategy: lab.placement.strategy,
    since: context.since,
    ...(files === undefined ? {} : { files }),
    ...(have.rights ? { profile: context.profile } : {}),
    steps: finished,
    stands,
    warnings: deployWarnings(input, {
      context,
      drafts,
      steps: finished,
      healthy,
      ledger,
      shortage: seats.shortage,
      ofLab: checked.warnings,
    }),
  };
}
