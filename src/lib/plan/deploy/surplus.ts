/** Machines of a stand that the lab no longer has: told as what they are, and taken away where that was asked for. */
import { ownNetworks } from '../../config/lab/networks.ts';
import { machineKind } from '../../pve-values/guest-kinds.ts';
import { machinePower } from '../../pve-values/machine-power.ts';
import { frozenSince } from '../../marks/pool.ts';
import { groupBy } from '../../group.ts';
import { compareNatural } from '../../order.ts';
import { shellCommand } from '../../shell.ts';
import type { PlannedVm, Refusal } from '../document/plan.ts';
import { joinRefusals } from '../document/refuse.ts';
import { nameSome } from '../document/text.ts';
import { makeStep, type Step } from '../document/step.ts';
import { bridgesOn, hasCardsOf } from '../stands/drift.ts';
import { isWritable } from '../stands/ownership.ts';
import { fateOf, removeVms, revokeOnVms, type Fate } from '../stands/removal.ts';
import { compareSpecs, specOf } from '../stands/spec.ts';
import type { StandState, SurplusMachine } from '../stands/state.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';
import type { StandContext } from './context.ts';
import type { StandVms } from './stand-vms.ts';

/** A machine of one stand that the lab has no more. */
export interface ToldSurplus {
  readonly user: string;
  readonly machine: string;
  /** The machine of the lab that it was before somebody gave that another name. */
  readonly renamed?: string;
}

export interface PlannedSurplus {
  readonly told: readonly ToldSurplus[];
  readonly vms: readonly PlannedVm[];
  readonly steps: readonly Step[];
  /** What stays although it was to go. */
  readonly left?: Refusal;
}

/** From the same template, on the same networks, and missing in the stand. */
function isRenamed(
  { machine, vmid, config }: SurplusMachine,
  { machine: wanted, candidates }: ResolvedMachine,
  state: StandState,
  context: StandContext,
): boolean {
  const vm = state.present.get(machine);
  const { lab, index } = context;
  const spec = vm?.spec;
  if (!config || vm?.vmid !== vmid || spec === undefined || state.present.has(wanted.name)) return false;
  const isSameTemplate = candidates.some(
    (candidate) => !compareSpecs(spec, specOf(lab, wanted, candidate.vmid)).fixed,
  );
  if (!isSameTemplate) return false;
  const of = { user: state.user.userid, lab: lab.name };
  const bridges = bridgesOn({ ...of, node: vm.node }, ownNetworks(wanted), index);
  return hasCardsOf({ machine: wanted, vm, bridges, index, ...of });
}

function tell(one: SurplusMachine, state: StandState, context: StandContext): ToldSurplus[] {
  // Of what nobody will find, nothing is to be said.
  if (!one.guest) return [];
  const renamed = isWritable(one.verdict)
    ? context.machines.find((resolved) => isRenamed(one, resolved, state, context))
    : undefined;
  const { userid: user } = state.user;
  return [{ user, machine: one.machine, ...(renamed ? { renamed: renamed.machine.name } : {}) }];
}

function frozenFate({ guest, config }: Omit<Fate, 'stays'>, { lab }: StandContext, user: string): Fate {
  return {
    guest,
    config,
    stays: {
      code: 'FROZEN',
      message: `VM ${guest.vmid} (${guest.name ?? 'no name'}) stays: the stand of ${user} is frozen, and kept as it is`,
      hint: `\`${shellCommand('deploy-stand', 'access', 'thaw', '--lab', lab.name)}\` ends that`,
    },
  };
}

function fatesOf(state: StandState, context: StandContext): Fate[] {
  const { prune } = context;
  const { pool, userid } = state.user;
  return state.surplus.flatMap(({ guest, config, verdict }) => {
    if (!guest || !prune) return [];
    const seen = { guest, config };
    return frozenSince(state.mark) === undefined
      ? [fateOf(seen, { verdict, pool }, { options: prune, tasks: context.have.tasks })]
      : [frozenFate(seen, context, userid)];
  });
}

function toVm({ guest, stays }: Fate, machine: string): PlannedVm {
  const { vmid, node } = guest;
  return {
    ...{ vmid, name: machine, node, state: stays ? 'staying' : 'going', power: machinePower(guest) },
    ...machineKind(guest),
  };
}

/**
 * After what is made: a stand that could not be completed keeps what it had. The claim goes last, so that a run that is cut
 * short finds again what it began to take away.
 */
function removalOf(
  state: StandState,
  fates: readonly Fate[],
  made: readonly string[],
  context: StandContext,
): Step[] {
  const { userid: user, pool } = state.user;
  const { index, have, lab, prune } = context;
  if (!prune) return [];
  const going = fates.filter(({ stays }) => !stays);
  const because = 'the lab has it no more; --prune';
  const revokes = revokeOnVms(
    { user, pool },
    going.map(({ guest }) => guest.vmid),
    {
      index,
      caller: have.caller,
      dependsOn: made,
    },
  );
  const removals = removeVms(
    going.map((fate) => ({ fate, whose: 'ours' })),
    {
      ...{ user, pool, because, index, options: prune },
      ...{ after: revokes.map(({ id }) => id), dependsOn: made },
    },
  );
  const staying = new Set(fates.flatMap(({ guest, stays }) => (stays ? [guest.vmid] : [])));
  const machines = state.surplus
    .filter(({ vmid }) => !staying.has(vmid))
    .map(({ machine, vmid }) => ({ machine, vmid }));
  if (machines.length === 0) return [];
  const deletes = removals.filter(({ kind }) => kind === 'vm.delete').map(({ id }) => id);
  const leave = makeStep(
    'pool.leave',
    pool,
    { user, reason: 'no longer in the lab', dependsOn: [...deletes, ...made] },
    { pool, lab: lab.name, machines },
  );
  return [...revokes, ...removals, leave];
}

/** `made`: the last steps of what is made of this stand. */
export function planSurplus(
  state: StandState,
  made: readonly string[],
  context: StandContext,
): PlannedSurplus {
  const told = state.surplus.flatMap((one) => tell(one, state, context));
  const fates = fatesOf(state, context);
  const left = joinRefusals(
    fates.flatMap(({ stays }) => stays ?? []),
    '\n',
  );
  const names = new Map(state.surplus.map(({ vmid, machine }) => [vmid, machine]));
  return {
    told,
    vms: fates.map((fate) => toVm(fate, names.get(fate.guest.vmid) ?? '?')),
    steps: removalOf(state, fates, made, context),
    ...(left ? { left } : {}),
  };
}

/** All that is made for a stand: of what is taken away nothing goes before. */
export function madeBy(vms: StandVms, joins: readonly Step[]): string[] {
  return [...vms.lastStep.values(), ...joins.map(({ id }) => id)];
}

function sayRenamed(machine: string, renamed: string, isPruned: boolean): string {
  const same = `${renamed}, which the lab has instead, has the same template and network cards`;
  return isPruned
    ? `${same}: it is made anew, and what students did on ${machine} is not taken over (to keep that, give it its old name)`
    : `${same}: if it was only given another name, call it ${machine} again to keep what students did on it`;
}

/** Once for each machine, not for each stand. `command`: the one that takes them away. */
export function surplusWarnings(
  told: readonly ToldSurplus[],
  { command, isPruned }: { readonly command: string; readonly isPruned: boolean },
): string[] {
  const groups = [...groupBy(told, ({ machine, renamed }) => `${machine} ${renamed ?? ''}`).values()];
  return groups
    .sort(([a], [b]) => compareNatural(a?.machine ?? '', b?.machine ?? ''))
    .flatMap((group) => {
      const [first] = group;
      if (!first || (isPruned && first.renamed === undefined)) return [];
      const { machine, renamed } = first;
      const who = nameSome(group.map(({ user }) => user));
      const where = `${group.length === 1 ? 'the stand' : `${group.length} stands`} (${who})`;
      // Shown before and after the removal.
      const fate = isPruned ? `: --prune removes it from ${where}` : `, and there still is one in ${where}`;
      const says = `the lab has no machine "${machine}" any more${fate}`;
      const was = renamed === undefined ? [] : [sayRenamed(machine, renamed, isPruned)];
      const ends = isPruned ? [] : [`\`${command}\` removes ${machine} with all that is on it`];
      return [[says, ...was, ...ends].join('; ')];
    });
}
