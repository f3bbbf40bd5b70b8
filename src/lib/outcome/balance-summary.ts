/** What became of each move of a balance plan, and what is where now. Pure. */
import { stepId, type Step } from '../plan/document/step.ts';
import type { PlannedMove } from '../plan/document/balance-report.ts';
import type { BalancePlan, Refusal } from '../plan/document/plan.ts';
import type { RunResult, StepResult } from '../execute/types.ts';
import type { BalanceSummary, MoveSummary } from './types.ts';

type Results = ReadonlyMap<string, StepResult>;
type GuestStatus = MoveSummary['guests'][number]['status'];

interface View {
  readonly steps: readonly Step[];
  /** Absent: a dry run. */
  readonly results?: Results;
  /** VMID → node, read after the run. */
  readonly places: ReadonlyMap<number, string>;
}

const STATUS: { readonly [S in StepResult['status']]: GuestStatus } = {
  done: 'moved',
  failed: 'failed',
  skipped: 'skipped',
};

function errorOf(result: StepResult): Refusal | undefined {
  if (result.status !== 'failed') return undefined;
  const { code, message, hint } = result;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

/** Its own migrations, and the bridges and reloads that they wait for. */
function firstError(ids: readonly string[], { steps, results }: View): Refusal | undefined {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const seen = new Set<string>();
  const queue = [...ids];
  for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const result = results?.get(id);
    const error = result && errorOf(result);
    if (error) return error;
    if (result?.status !== 'done') queue.push(...(byId.get(id)?.dependsOn ?? []));
  }
  return undefined;
}

function overall(statuses: readonly GuestStatus[]): MoveSummary['status'] {
  if (statuses.includes('planned')) return 'planned';
  if (statuses.every((status) => status === 'moved')) return 'moved';
  if (statuses.includes('moved')) return 'partial';
  return statuses.includes('failed') ? 'failed' : 'skipped';
}

function summarizeMove(move: PlannedMove, view: View): MoveSummary {
  const { unit, name, to } = move;
  const stepOf = (vmid: number): string => stepId('vm.migrate', vmid);
  const guests = move.guests.map(({ vmid, name: guestName, from }) => {
    const result = view.results?.get(stepOf(vmid));
    const status: GuestStatus = view.results ? (result ? STATUS[result.status] : 'skipped') : 'planned';
    const known = status === 'moved' ? to : status === 'failed' ? undefined : from;
    return { vmid, name: guestName, node: view.places.get(vmid) ?? known ?? null, status };
  });
  const bytes = move.guests
    .filter((_, at) => guests[at]?.status === 'moved' || guests[at]?.status === 'planned')
    .reduce((sum, guest) => sum + guest.bytes, 0);
  const ids = move.guests.map(({ vmid }) => stepOf(vmid));
  const error = view.results && firstError(ids, view);
  return {
    ...{ unit, name, to, status: overall(guests.map(({ status }) => status)), bytes, guests },
    ...(error ? { error } : {}),
  };
}

/** Without `run`: a dry run. */
export function summarizeMoves(
  plan: BalancePlan,
  run?: { readonly result: RunResult; readonly places: ReadonlyMap<number, string> },
): Pick<BalanceSummary, 'moves'> {
  const view: View = {
    steps: plan.steps,
    places: run?.places ?? new Map(),
    ...(run ? { results: new Map(run.result.results.map((entry) => [entry.id, entry])) } : {}),
  };
  return { moves: plan.balance.moves.map((move) => summarizeMove(move, view)) };
}
