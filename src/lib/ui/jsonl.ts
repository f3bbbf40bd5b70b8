/**
 * Listener for programs: one JSON object per line. Never holds a payload or a secret.
 *
 * Every line has `time` (ISO 8601 UTC) and `type`:
 *
 * - `phase`, `warning`: `text`
 * - `plan`: `lab`, `stands` (count), `steps` (count), `kinds` (count per step kind); again after re-planning
 * - `step.started`: `step` = `{ id, kind, user? }`, as in all that follow
 * - `step.retrying`: `because`, `waitMs`
 * - `step.succeeded`: `outcome` (`done` | `already-done`), `durationMs`
 * - `step.failed`: `error` = `{ message, code?, hint? }`, `durationMs`
 * - `step.skipped`: `because`
 * - `end`: `done`, `failed`, `skipped`, `total`, `elapsedMs` of the last plan; the last line of a run
 */
import type { ApplyEvent } from '../execute/types.ts';
import type { Step } from '../plan/document/step.ts';
import { redactText } from '../redact.ts';
import { escapeJson } from '../render/escape.ts';
import { createProgress, errorFacts } from './progress.ts';
import type { Ui, UiContext } from './types.ts';

function stepRef({ id, kind, user }: Step): object {
  return { id, kind, ...(user === undefined ? {} : { user }) };
}

function detailsOf(event: ApplyEvent): object {
  switch (event.type) {
    case 'step.started':
      return {};
    case 'step.retrying':
      return { because: redactText(event.because), waitMs: event.waitMs };
    case 'step.succeeded':
      return { outcome: event.outcome, durationMs: event.durationMs };
    case 'step.failed':
      return { error: errorFacts(event.error), durationMs: event.durationMs };
    case 'step.skipped':
      return { because: redactText(event.because) };
  }
}

function countKinds(steps: readonly Step[]): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const { kind } of steps) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return kinds;
}

export function createJsonlUi({ stream, clock }: Pick<UiContext, 'stream' | 'clock'>): Ui {
  const progress = createProgress(clock);
  let isDone = false;

  function emit(type: string, details: object): void {
    const time = new Date(clock.wallTime()).toISOString();
    stream.write(`${escapeJson(JSON.stringify({ time, type, ...details }))}\n`);
  }

  return {
    phase: (text) => emit('phase', { text }),
    warn: (text) => emit('warning', { text: redactText(text) }),
    start(plan) {
      isDone = false; // a balancer by interval begins again
      progress.start(plan);
      const { lab, steps, stands } = plan;
      emit('plan', { lab, stands: stands.length, steps: steps.length, kinds: countKinds(steps) });
    },
    event(event) {
      progress.hear(event);
      emit(event.type, { step: stepRef(event.step), ...detailsOf(event) });
    },
    done() {
      if (isDone) return;
      isDone = true;
      const { done, failed, skipped, total, elapsedMs } = progress.state();
      emit('end', { done, failed, skipped, total, elapsedMs });
    },
  };
}
