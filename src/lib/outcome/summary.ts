/** Turns a plan and how its steps ended into the summary that people and scripts read. Pure. */
import { stepsOfStands } from '../plan/document/stand-steps.ts';
import { servesStand } from '../plan/document/network-steps.ts';
import { bothRefusals } from '../plan/document/refuse.ts';
import { hasRole, powerAfter } from '../plan/document/step-traits.ts';
import type { Plan, PlannedStand, PlannedVm, Refusal } from '../plan/document/plan.ts';
import type { Step } from '../plan/document/step.ts';
import { summarizeNodes } from './node-summary.ts';
import { errorOfSteps } from './step-failures.ts';
import type { StepResult } from '../execute/types.ts';
import type { NodeSummary, Round, StandSummary, Summary, SummaryStatus } from './types.ts';

interface StandRun {
  readonly command: Plan['command'];
  readonly stand: PlannedStand;
  readonly steps: readonly Step[];
  readonly results: ReadonlyMap<string, StepResult>;
}

/** Does a failed shared step (a reload, a reserved bridge, a copy of its template) leave this stand without a network it needs? */
function concerns(step: Step, stand: PlannedStand, own: readonly Step[]): boolean {
  if (hasRole(step, 'makes-replica') && 'vmid' in step)
    return own.some((clone) => clone.kind === 'vm.clone' && clone.templateVmid === step.vmid);
  return servesStand(step, stand);
}

function viewsOf({ plan, result }: Round): StandRun[] {
  const results = new Map(result.results.map((entry) => [entry.id, entry]));
  const stepsOf = stepsOfStands(plan);
  const shared = plan.steps.filter(
    ({ id, user }) => user === undefined && results.get(id)?.status !== 'done',
  );
  return plan.stands.map((stand) => {
    const own = stepsOf.get(stand) ?? [];
    return {
      command: plan.command,
      stand,
      steps: [...own, ...shared.filter((step) => concerns(step, stand, own))],
      results,
    };
  });
}

function errorOf({ stand, steps, results }: StandRun): Refusal | undefined {
  return errorOfSteps(steps, results, stand);
}

function vmStatus(vm: PlannedVm, { steps, results }: StandRun): string {
  const stepOf = (kind: Step['kind']) =>
    steps.find((candidate) => candidate.kind === kind && 'vmid' in candidate && candidate.vmid === vm.vmid);
  const of = (kind: Step['kind']) => {
    const step = stepOf(kind);
    return step ? results.get(step.id)?.status : undefined;
  };
  if (of('vm.delete') === 'done' && of('vm.clone') === undefined) return 'removed';
  // Of one that is made anew the former one stays until it is removed.
  const isFormer = stepOf('vm.delete') !== undefined && of('vm.delete') !== 'done';
  const isMissing = vm.state === 'new' && of('vm.clone') !== 'done' && !isFormer;
  if (isMissing) return 'missing';
  const configured = of('vm.configure');
  // What was finished, and only was to get other settings, is still what it was.
  const wasFinished = isFormer || vm.state === 'complete';
  if (configured !== undefined && configured !== 'done' && !wasFinished) return 'unfinished';
  const switched = steps.findLast(
    (step) =>
      'vmid' in step &&
      step.vmid === vm.vmid &&
      results.get(step.id)?.status === 'done' &&
      powerAfter(step) !== undefined,
  );
  return (switched && powerAfter(switched)) ?? vm.power;
}

const removes = ({ command, steps }: StandRun): boolean =>
  command === 'cleanup' || (command === 'users' && steps.some((step) => hasRole(step, 'gives-up')));

/** A cleanup that is refused a part of the stand removes the rest. */
const isRefused = (view: StandRun): boolean =>
  view.stand.refused !== undefined && !(removes(view) && view.steps.length > 0);

function standStatus(view: StandRun, error: Refusal | undefined): StandSummary['status'] {
  if (isRefused(view)) return 'refused';
  if (error) return 'incomplete';
  if (view.steps.length > 0) return removes(view) ? 'removed' : 'complete';
  return view.stand.vms.some((vm) => vm.state === 'pending-change') ? 'pending-change' : 'unchanged';
}

/** A plan says what may come in its way: where that did, it is told with the failure. */
function isTold(note: string, error: Refusal | undefined): boolean {
  return (
    error?.message.split('\n').some((line) => note.startsWith(`${line.replace(/ {2}\[\w+\]$/, '')}: `)) ??
    false
  );
}

function summarize(view: StandRun): StandSummary {
  const { stand } = view;
  const error = isRefused(view) ? stand.refused : bothRefusals(errorOf(view), stand.refused ?? stand.left);
  return {
    user: stand.user,
    pool: stand.pool,
    node: stand.node ?? null,
    status: standStatus(view, error),
    vms: stand.vms.map((vm) => ({ vmid: vm.vmid, name: vm.name, node: vm.node, status: vmStatus(vm, view) })),
    bridges: stand.bridges,
    notes: stand.notes.filter((note) => !isTold(note, error)),
    ...(stand.frozen === undefined ? {} : { frozen: stand.frozen }),
    ...(error ? { error } : {}),
  };
}

/**
 * What a round did not get done of a stand that a later one planned again is that one's to tell: it may be under another
 * id, as a bridge with another number is.
 */
function countSteps(rounds: readonly Round[]): Summary['steps'] {
  const counts = { done: 0, failed: 0, skipped: 0 };
  const latest = new Map<string, StepResult>();
  rounds.forEach(({ plan, result }, at) => {
    const again = new Set(rounds.slice(at + 1).flatMap((later) => later.plan.stands.map(({ user }) => user)));
    const users = new Map(plan.steps.map(({ id, user }) => [id, user]));
    for (const entry of result.results) {
      if (entry.status === 'done' || !again.has(users.get(entry.id) ?? '')) latest.set(entry.id, entry);
    }
  });
  for (const entry of latest.values()) counts[entry.status] += 1;
  return counts;
}

function overall(
  stands: readonly StandSummary[],
  steps: Summary['steps'],
  interrupted: boolean,
  nodes: readonly NodeSummary[] = [],
): SummaryStatus {
  if (interrupted) return 'interrupted';
  const bad = [...stands, ...nodes].filter(({ status }) => status === 'incomplete' || status === 'refused');
  if (bad.length > 0 || steps.failed > 0) return steps.done === 0 && steps.failed > 0 ? 'failed' : 'partial';
  return steps.done === 0 ? 'nothing-to-do' : 'done';
}

/** `rounds` in the order they ran; the last word on a stand is the round that planned it last. */
export function summarizeRun(rounds: readonly Round[]): Summary {
  const views = new Map<string, StandRun>();
  for (const round of rounds)
    for (const view of viewsOf(round)) views.set(`${view.stand.user} ${view.stand.pool}`, view);
  const stands = [...views.values()].map(summarize);
  const steps = countSteps(rounds);
  const interrupted = rounds.some(({ result }) => result.interrupted);
  const last = rounds.at(-1);
  const nodes = last && 'nodes' in last.plan ? summarizeNodes(last.plan, last.result.results) : undefined;
  const summary = { status: overall(stands, steps, interrupted, nodes), steps, stands };
  return nodes ? { ...summary, nodes } : summary;
}

/** Summary of a dry run: nothing was done. */
export function summarizePlan(plan: Plan): Summary {
  const stepsOf = stepsOfStands(plan);
  const stands = plan.stands.map((stand): StandSummary => {
    const view: StandRun = { command: plan.command, stand, steps: [], results: new Map() };
    const status = stand.refused
      ? 'refused'
      : (stepsOf.get(stand) ?? []).length > 0
        ? 'planned'
        : standStatus(view, undefined);
    return {
      ...summarize(view),
      status,
      vms: stand.vms.map((vm) => ({
        vmid: vm.vmid,
        name: vm.name,
        node: vm.node,
        status: vm.state === 'new' ? 'planned' : vm.power,
      })),
    };
  });
  const steps = { done: 0, failed: 0, skipped: 0 };
  const summary = { status: 'dry-run', steps, stands } as const;
  return 'nodes' in plan ? { ...summary, nodes: summarizeNodes(plan) } : summary;
}
