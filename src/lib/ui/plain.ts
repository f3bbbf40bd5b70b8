/** Listener for logs and pipes: few plain lines, no control characters. Failures are written at once. */
import { escapeControl } from '../render/escape.ts';
import { countOf } from '../render/step-text.ts';
import { createFailureTeller, styleOf, warningLines } from './failure-lines.ts';
import { createProgress, formatProgress } from './progress.ts';
import type { Ui, UiContext } from './types.ts';

/** A new tenth is told at most this often… */
const SHORTEST_PAUSE_MS = 5_000;
/** …and slow work gives a sign of life this often. */
const LONGEST_PAUSE_MS = 30_000;

/** `quiet` leaves warnings and failures only. */
export function createPlainUi(context: UiContext & { readonly quiet: boolean }): Ui {
  const { stream, clock, quiet } = context;
  const style = styleOf(context);
  const progress = createProgress(clock);
  const tellFailure = createFailureTeller(style);
  let toldAt = clock.now();
  let toldTenth = 0;

  function say(text: string): void {
    if (!quiet) stream.write(`${escapeControl(text)}\n`);
  }

  function startOver(): void {
    toldAt = clock.now();
    toldTenth = 0;
  }

  /** Is it time to tell how far it is? Then it counts as told. */
  function isDue(share: number): boolean {
    const tenth = Math.floor(share * 10);
    const pause = clock.now() - toldAt;
    const isNew = tenth > toldTenth && pause >= SHORTEST_PAUSE_MS;
    if (share < 1 && !isNew && pause < LONGEST_PAUSE_MS) return false;
    startOver();
    if (share < 1) toldTenth = tenth;
    return true;
  }

  function tellProgress(): void {
    const state = progress.state();
    if (!isDue(state.ended / Math.max(1, state.total))) return;
    say(`${String(Math.floor((state.ended / state.total) * 100))} %: ${formatProgress(state, Infinity)}`);
  }

  return {
    phase(text, share) {
      if (share === undefined) startOver();
      if (share === undefined || isDue(share)) say(text);
    },
    warn: (text) => stream.write(warningLines(text, style)),
    start(plan) {
      progress.start(plan);
      startOver();
      const active = new Set(plan.steps.flatMap((step) => step.user ?? []));
      const whose =
        'nodes' in plan || plan.command === 'balance'
          ? ''
          : ` for ${countOf(active.size, 'stand', 'stands')}`;
      if (plan.steps.length === 0) return;
      say(`applying ${countOf(plan.steps.length, 'step', 'steps')}${whose}`);
    },
    event(event) {
      progress.hear(event);
      if (event.type === 'step.failed') {
        stream.write(tellFailure(progress.describeFailure(event.step, event.error)) ?? '');
      }
      if (event.type !== 'step.started' && event.type !== 'step.retrying') tellProgress();
    },
    done: () => undefined,
  };
}
