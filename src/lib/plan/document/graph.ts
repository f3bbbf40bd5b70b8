/** The step graph: order and soundness. Knows nothing of what steps mean. */
import { InternalError } from '../../errors.ts';
import type { Step } from './step.ts';

function edges(step: Step): readonly string[] {
  return [...step.dependsOn, ...step.after];
}

/** Throws InternalError on repeated ids, unknown edges or a cycle (named as a path `a -> b -> a`). */
export function assertSound(steps: readonly Step[]): void {
  const byId = new Map<string, Step>();
  for (const step of steps) {
    if (byId.has(step.id)) throw new InternalError('PLAN_UNSOUND', `step ${step.id} is planned twice`);
    byId.set(step.id, step);
  }
  for (const step of steps) {
    for (const id of edges(step)) {
      if (!byId.has(id))
        throw new InternalError('PLAN_UNSOUND', `step ${step.id} waits for unknown step ${id}`);
    }
  }
  const cycle = findCycle(steps, byId);
  if (cycle) throw new InternalError('PLAN_UNSOUND', `steps wait for each other: ${cycle.join(' -> ')}`);
}

function findCycle(steps: readonly Step[], byId: ReadonlyMap<string, Step>): string[] | undefined {
  const finished = new Set<string>();
  for (const start of steps) {
    const path: { readonly id: string; next: number }[] = [{ id: start.id, next: 0 }];
    const onPath = new Set([start.id]);
    while (path.length > 0) {
      const top = path[path.length - 1] as { id: string; next: number }; // not empty
      const step = byId.get(top.id);
      const next = finished.has(top.id) || !step ? undefined : edges(step)[top.next];
      if (next === undefined) {
        finished.add(top.id);
        onPath.delete(top.id);
        path.pop();
        continue;
      }
      top.next += 1;
      if (onPath.has(next)) return [...path.map((entry) => entry.id), next];
      onPath.add(next);
      path.push({ id: next, next: 0 });
    }
  }
  return undefined;
}
