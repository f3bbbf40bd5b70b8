/** Sorts the stands of a plan for printing: what becomes of each, and which get the same. Renders nothing. */
import { groupBy } from '../group.ts';
import { stepsOfStands } from '../plan/document/stand-steps.ts';
import { effectOf, hasRole } from '../plan/document/step-traits.ts';
import type { Plan, PlannedStand } from '../plan/document/plan.ts';
import type { Step } from '../plan/document/step.ts';
import { anonymousNames, countOf, describeStep } from './step-text.ts';

/** `to change`: finished VMs get another configuration; `pending`: they would, but are running. */
type StandFate =
  | 'new'
  | 'to take over'
  | 'to complete'
  | 'to change'
  | 'to freeze'
  | 'to thaw'
  | 'to switch'
  | 'to remove'
  | 'to reset'
  | 'refused'
  | 'pending'
  | 'complete'
  | 'unchanged'
  | 'nothing there';

export interface PlannedView {
  readonly stand: PlannedStand;
  readonly steps: readonly Step[];
  readonly fate: StandFate;
}

function userFate(stand: PlannedStand, steps: readonly Step[]): StandFate {
  if (stand.refused) return 'refused';
  if (steps.length === 0) return 'unchanged';
  if (steps.some(({ kind }) => kind === 'user.create')) return 'new';
  return steps.some((step) => hasRole(step, 'gives-up')) ? 'to remove' : 'to change';
}

function changeFate({ refused }: PlannedStand, steps: readonly Step[]): StandFate {
  if (refused) return 'refused';
  return steps.length === 0 ? 'unchanged' : 'to change';
}

/** Of a deploy: what belongs to the removal of a machine. */
function isPruning(step: Step): boolean {
  return !hasRole(step, 'deploys') || effectOf(step) === 'takes-away';
}

function fateOf(plan: Plan, stand: PlannedStand, steps: readonly Step[]): StandFate {
  const { command } = plan;
  if (command === 'users') return userFate(stand, steps);
  if (command === 'extend') return changeFate(stand, steps);
  if (command === 'access') {
    const fate = changeFate(stand, steps);
    return fate === 'to change' ? (plan.action === 'freeze' ? 'to freeze' : 'to thaw') : fate;
  }
  if (command === 'power') {
    const fate = changeFate(stand, steps);
    return fate === 'to change' ? 'to switch' : fate;
  }
  if (command === 'cleanup') {
    if (steps.length > 0) return 'to remove';
    return stand.refused ? 'refused' : 'nothing there';
  }
  if (stand.refused) return 'refused';
  if (command === 'snapshot') return steps.length === 0 ? 'unchanged' : 'to change';
  if (command === 'reset') return steps.length === 0 ? 'unchanged' : 'to reset';
  const states = new Set(stand.vms.map((vm) => vm.state));
  if (steps.length === 0) return states.has('pending-change') ? 'pending' : 'complete';
  if (steps.some(({ kind }) => kind === 'vm.mark')) return 'to take over';
  const only = states.size === 1 ? [...states][0] : undefined;
  if (only === 'new') return 'new';
  const isEdit =
    !states.has('new') &&
    !states.has('unfinished') &&
    steps.every((step) => hasRole(step, 'edits') || isPruning(step));
  return isEdit ? 'to change' : 'to complete';
}

/** Every stand with its own steps, in the plan's order. */
export function viewPlanned(plan: Plan): PlannedView[] {
  const stepsOf = stepsOfStands(plan);
  return plan.stands.map((stand) => {
    const steps = stepsOf.get(stand) ?? [];
    return { stand, steps, fate: fateOf(plan, stand, steps) };
  });
}

/** Equal for stands that read the same but for names and numbers; what they are refused for may say more. */
function signature({ stand, steps, fate }: PlannedView): string {
  const names = anonymousNames(stand);
  const lines = steps.map((step) => {
    const { mark, text } = describeStep(step, names);
    return `${mark} ${text}`;
  });
  const codes = [stand.refused, stand.left].map((refusal) => refusal?.code ?? '');
  return [fate, ...codes, ...lines].join('\n');
}

/** Stands with the same work; the first one stands for all. */
export function groupAlike(views: readonly PlannedView[]): PlannedView[][] {
  return [...groupBy(views, signature).values()];
}

/** What one entry of a plan or summary is called, and several. */
export function nounOf(command: Plan['command'] | undefined): readonly [string, string] {
  return command === 'users' ? ['user', 'users'] : ['stand', 'stands'];
}

const FATES: readonly (readonly [StandFate, string])[] = [
  ['new', 'new'],
  ['to take over', 'to take over'],
  ['to complete', 'to complete'],
  ['to change', 'to change'],
  ['to freeze', 'to freeze'],
  ['to thaw', 'to thaw'],
  ['to switch', 'to switch'],
  ['to remove', 'to remove'],
  ['to reset', 'to reset'],
  ['pending', 'waiting for a change'],
  ['complete', 'complete'],
  ['unchanged', 'unchanged'],
  ['nothing there', 'with nothing there'],
  ['refused', 'refused'],
];

/** `30 stands: 28 new, 1 to complete, 1 refused`; a plan about users counts those. */
export function sayStandCounts(views: readonly PlannedView[], command?: Plan['command']): string {
  const parts = FATES.flatMap(([fate, words]) => {
    const count = views.filter((view) => view.fate === fate).length;
    return count === 0 ? [] : [`${count} ${words}`];
  });
  const total = countOf(views.length, ...nounOf(command));
  return parts.length === 0 ? total : `${total}: ${parts.join(', ')}`;
}

/** `; stands per node: pve1 10, pve2 11`: of those that get something; empty when they are all on one node. */
export function perNodeText(views: readonly PlannedView[]): string {
  const counts = new Map<string, number>();
  for (const { stand, steps } of views) {
    if (stand.node === undefined || steps.length === 0) continue;
    counts.set(stand.node, (counts.get(stand.node) ?? 0) + 1);
  }
  if (counts.size < 2) return '';
  const text = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([node, count]) => `${node} ${count}`)
    .join(', ');
  const isAll = views.every(({ steps }) => steps.length > 0);
  return `; stands ${isAll ? '' : 'with steps '}per node: ${text}`;
}
