/** Plans a deploy: want (lab, users) and have (inventory) in, plan out. Pure: same input, same plan. */
import { InternalError } from '../../errors.ts';
import { isMarkTime, markTime } from '../../marks/time.ts';
import type { Lab, User } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { createVmidAllocator, type Taken } from '../cluster/free-vmids.ts';
import { createBridgeAllocator } from '../network/numbers.ts';
import { createLedger, type Ledger } from '../placement/capacity.ts';
import { capacityWarnings } from '../placement/capacity-text.ts';
import { createDemands, labSizes } from '../placement/demand.ts';
import { assertSound } from '../document/graph.ts';
import { viewOf, type ClusterView } from '../cluster/view.ts';
import { accountWarnings, labWarnings } from '../stands/expiry.ts';
import { checkLab } from './lab-rules.ts';
import { presentNics } from '../../pve-values/nics.ts';
import { planNetwork } from '../network/shared-steps.ts';
import { unseenGuests } from '../network/stand-bridges.ts';
import { compareNatural } from '../../order.ts';
import { obstacleNotes } from '../obstacles/obstacle-text.ts';
import { chooseNodes, countStands, nodeOfClaim, noNodeRefusal, type NodeChoice } from '../placement/nodes.ts';
import { NO_PINS, type Pins } from '../cluster/pins.ts';
import { profileOf } from '../cluster/profile.ts';
import { untoldWarnings } from '../templates/copies-refused.ts';
import { sealRiskWarning } from '../cluster/seal-risk.ts';
import { refuse } from '../document/refuse.ts';
import { createReplicaPlanner, type ReplicaPlanner } from '../templates/replica-steps.ts';
import { assignSeats, type Seats } from '../placement/assignments.ts';
import type { StandContext } from './context.ts';
import { fixedWarnings } from './fixed-wishes.ts';
import { formerNetworkWarnings } from './former-networks.ts';
import { frozenWarnings } from './frozen.ts';
import { standRefusal } from './stand-refusals.ts';
import { planStand, type StandDraft } from './stand.ts';
import { keepApart, type Reclone } from './reclone.ts';
import { surplusWarnings } from './surplus.ts';
import type { RemovalOptions } from '../stands/removal.ts';
import { readStandState, type StandState } from '../stands/state.ts';
import { wishWarnings } from './wishes.ts';
import { resolveMachines } from '../templates/find.ts';
import type { DeployPlan, FileDigests, PlannedStand } from '../document/plan.ts';
import type { Step } from '../document/step.ts';
import { letsMigrate, withStudentRole } from '../stands/roles.ts';
import { withParentPools } from '../stands/parent-pools.ts';
import { protectedRefusals } from '../stands/protected-accounts.ts';
import { userConfigWarnings } from '../stands/user-config-size.ts';
import { pamWarnings, passwordRefusal } from '../stands/accounts.ts';

export interface DeployOptions {
  /** Use pools that exist without our mark. */
  readonly adopt: boolean;
  /** Change running VMs too. */
  readonly updateRunning: boolean;
  /** Remove machines of the stands that the lab no longer has. */
  readonly prune?: RemovalOptions;
  /** The command that does, for people; absent: the option alone is named. */
  readonly pruneCommand?: string;
  /** The command that makes machines anew, for people; absent: its options alone are named. */
  readonly recloneCommand?: string;
  /** Deploy what fits instead of refusing a class that does not. */
  readonly fit?: boolean;
  /** What former rounds of this run found taken. */
  readonly taken?: Taken;
  /** What a saved plan chose. */
  readonly pins?: Pins;
  /** Make these machines anew, and do nothing else. */
  readonly reclone?: Reclone;
}

export interface DeployInput {
  readonly lab: Lab;
  readonly users: readonly User[];
  readonly have: Inventory;
  readonly options: DeployOptions;
  /** Absent: the class does not come from files. */
  readonly files?: FileDigests;
}

/** MACs of all configurations that were read; VMs still to be configured give theirs up. */
function macsInUse(have: Inventory, index: ClusterView, unfinished: ReadonlySet<number>): Set<string> {
  const macs = new Set<string>();
  for (const config of [...have.templates, ...index.configs.values()]) {
    if (unfinished.has(config.vmid)) continue;
    for (const nic of presentNics(config.values)) if (nic.mac !== '') macs.add(nic.mac);
  }
  return macs;
}

function assertSomeNode(lab: Lab, drafts: readonly StandDraft[], choice: NodeChoice): void {
  const refused = drafts.filter((draft) => draft.stand.refused !== undefined);
  if (refused.length < drafts.length || refused.length === 0) return;
  if (refused.every((draft) => draft.stand.refused?.code === 'NO_NODE')) refuse([noNodeRefusal(lab, choice)]);
  refuse(
    refused.slice(0, 10).map(({ stand }) => ({
      code: stand.refused?.code ?? 'PLAN_REFUSED',
      message: `${stand.user}: ${stand.refused?.message ?? ''}`,
      ...(stand.refused?.hint === undefined ? {} : { hint: stand.refused.hint }),
    })),
  );
}

/** Stands of which no VM is there are placed, or completed, by this plan: they are counted when they are. */
function countSeated(states: readonly StandState[], index: ClusterView): Map<string, number> {
  const counts = countStands(index);
  for (const { present, claim } of states) {
    const node = present.size === 0 && claim ? nodeOfClaim(claim, index) : undefined;
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

/** Nodes that are left out although the lab would have them. */
function nodeWarnings({ obstacles, copies }: NodeChoice): string[] {
  const unlooked = new Map([...obstacles].filter(([, { code }]) => code !== 'unwanted'));
  return [...obstacleNotes(unlooked), ...(copies ? untoldWarnings(copies) : [])];
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

function warningsOf(
  drafts: readonly StandDraft[],
  have: Inventory,
  labWarnings: readonly string[],
): string[] {
  const bridges = drafts.flatMap((draft) => draft.bridgeSteps);
  return [
    ...new Set([
      ...have.gaps,
      ...labWarnings,
      ...unseenGuests(bridges, have),
      ...drafts.flatMap((draft) => draft.warnings),
    ]),
  ];
}

/** A confined caller's are made there whatever others may do. */
function sealWarnings(steps: readonly Step[], { sealRisk }: ClusterView): string[] {
  const isMade = steps.some((step) => step.kind === 'vm.clone' && step.joinsAtOnce === true);
  return isMade && sealRisk ? [sealRiskWarning(sealRisk)] : [];
}

/** Where the lab and what was made by it went different ways; no business of a reset, which minds its own machines. */
function formerWarnings({ lab, users, have, options }: DeployInput, drafts: readonly StandDraft[]): string[] {
  if (options.reclone) return [];
  return [
    ...fixedWarnings(
      drafts.flatMap(({ fixed }) => fixed),
      options.recloneCommand ?? 'reset --reclone --outdated',
    ),
    ...surplusWarnings(
      drafts.flatMap(({ surplus }) => surplus),
      { command: options.pruneCommand ?? 'deploy --prune', isPruned: options.prune !== undefined },
    ),
    ...formerNetworkWarnings(lab, users, have),
  ];
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
  const machines = resolveMachines(lab, have, index);
  const choice = chooseNodes(lab, machines, have, index);
  const states = [...users]
    .sort((a, b) => compareNatural(a.userid, b.userid))
    .map((user) => readStandState(user, lab, index, options));
  const unfinished = new Set(
    states.flatMap((state) =>
      [...state.present.values()].filter((vm) => !vm.isFinished).map((vm) => vm.vmid),
    ),
  );
  const taken = options.taken ?? { vmids: [], bridges: [] };
  const pins = options.pins ?? NO_PINS;
  const vmids = createVmidAllocator(lab.vmidRange, index, taken, pins);
  const since = timeOf(pins, have);
  const context: StandContext = {
    lab,
    have,
    index,
    machines,
    choice,
    vmids,
    bridges: createBridgeAllocator(have, index, {
      range: lab.bridgeRange,
      taken,
      pins,
      mayRepeat: !letsMigrate(lab, have),
    }),
    pins,
    replicas: createReplicaPlanner({ index, vmids, pins, since }),
    macs: macsInUse(have, index, unfinished),
    updateRunning: options.updateRunning,
    ...(options.prune ? { prune: options.prune } : {}),
    profile: profileOf(have.rights),
    since,
    ...(options.reclone ? { reclone: options.reclone } : {}),
  };
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
  assertSomeNode(lab, drafts, choice);
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
    since,
    ...(files === undefined ? {} : { files }),
    ...(have.rights ? { profile: context.profile } : {}),
    steps: finished,
    stands,
    warnings: warningsOf(drafts, have, [
      ...(seats.shortage ? [`${seats.shortage.message}\n  ${seats.shortage.hint ?? ''}`] : []),
      ...checked.warnings,
      ...wishWarnings(machines, have.version),
      ...labWarnings(lab, have.now),
      // An account that is there is used as it is.
      ...accountWarnings(
        users,
        have.now,
        ({ userid, expire }) => (index.users.get(userid) ?? { expire }).expire,
      ),
      ...pamWarnings(finished, have),
      ...userConfigWarnings(have, finished),
      ...frozenWarnings(healthy, context),
      ...formerWarnings(input, drafts),
      ...sealWarnings(finished, index),
      ...context.replicas.warnings(),
      ...nodeWarnings(choice),
      ...capacityWarnings(ledger),
    ]),
  };
}
