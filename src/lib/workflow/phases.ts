/**
 * A deploy that also removes machines, one part after the other: what is made, then what is removed, then what is given up.
 * A removal takes the locks of storages and of user.cfg inside its task, and leaves a rest when it does not get them: no
 * clone and no other write of user.cfg may compete with it.
 */
import type { RunResult, StepResult } from '../execute/types.ts';
import type { Step } from '../plan/document/step.ts';
import { hasRole } from '../plan/document/step-traits.ts';
import type { RunContext } from './context.ts';

type Run = (steps: readonly Step[]) => Promise<RunResult>;

function phasesOf(steps: readonly Step[]): Step[][] {
  const phaseOf = (step: Step): number =>
    hasRole(step, 'takes-down') ? 1 : hasRole(step, 'gives-up') ? 2 : 0;
  return [0, 1, 2].map((phase) => steps.filter((step) => phaseOf(step) === phase));
}

/** Steps of a phase without what waits for something that was not done before. */
function ready(
  phase: readonly Step[],
  former: ReadonlyMap<string, StepResult>,
): { readonly steps: Step[]; readonly skipped: { readonly step: Step; readonly because: string }[] } {
  const own = new Set(phase.map(({ id }) => id));
  const out = new Set<string>();
  const skipped: { step: Step; because: string }[] = [];
  // In the plan's order: what a step depends on was looked at before it.
  for (const step of phase) {
    const blocker = step.dependsOn.find(
      (id) => out.has(id) || (!own.has(id) && former.get(id)?.status !== 'done'),
    );
    if (blocker === undefined) continue;
    out.add(step.id);
    skipped.push({ step, because: `${blocker} was not done` });
  }
  const steps = phase
    .filter(({ id }) => !out.has(id))
    .map((step) => ({
      ...step,
      dependsOn: step.dependsOn.filter((id) => own.has(id)),
      after: step.after.filter((id) => own.has(id) && !out.has(id)),
    }));
  return { steps, skipped };
}

/** `run` applies the first part as it was planned; `runLater` what comes after it. */
export async function runInPhases(
  steps: readonly Step[],
  { onEvent }: Pick<RunContext, 'onEvent'>,
  { run, runLater }: { readonly run: Run; readonly runLater: Run },
): Promise<RunResult> {
  const [first = [], ...later] = phasesOf(steps);
  const made = await run(first);
  const results = [...made.results];
  const told = new Set(made.told);
  let { interrupted } = made;
  for (const phase of later) {
    if (interrupted || phase.length === 0) {
      const because = 'the run was stopped';
      results.push(...phase.map(({ id }): StepResult => ({ id, status: 'skipped', because })));
      continue;
    }
    const now = ready(phase, new Map(results.map((entry) => [entry.id, entry])));
    for (const { step, because } of now.skipped) {
      onEvent({ type: 'step.skipped', step, because });
      results.push({ id: step.id, status: 'skipped', because });
    }
    const ended = await runLater(now.steps);
    results.push(...ended.results);
    for (const text of ended.told ?? []) told.add(text);
    ({ interrupted } = ended);
  }
  return { results, interrupted, ...(told.size > 0 ? { told: [...told] } : {}) };
}
