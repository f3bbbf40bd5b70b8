/** Listener for people at a terminal: one spinner line with counts; warnings and failures stay above it. */
import ora from 'ora';
import { escapeControl } from '../render/escape.ts';
import { displayWidth } from '../render/layout.ts';
import { createFailureTeller, styleOf, warningLines } from './failure-lines.ts';
import { createProgress, formatProgress } from './progress.ts';
import type { Ui, UiContext, UiStream } from './types.ts';

/** The part of a spinner that we use. `suffix` is asked anew for every frame. */
export interface Spinner {
  text: string;
  start(): unknown;
  stop(): unknown;
}

export interface SpinnerOptions {
  readonly stream: UiStream;
  readonly color: boolean;
  readonly suffix: () => string;
}

function createOraSpinner({ stream, color, suffix }: SpinnerOptions): Spinner {
  return ora({
    stream,
    isEnabled: true,
    color: color ? 'cyan' : false,
    suffixText: suffix,
    // Ctrl+C must reach the process as a signal, and a killed run must not leave the terminal without a cursor.
    discardStdin: false,
    hideCursor: false,
  });
}

/** Frame, space, space before the suffix, and the last column, which some terminals wrap at. */
const FRAME_COLUMNS = 4;

export function createTerminalUi(
  context: UiContext,
  makeSpinner: (options: SpinnerOptions) => Spinner = createOraSpinner,
): Ui {
  const { stream, clock, color } = context;
  const style = styleOf(context);
  const progress = createProgress(clock);
  const tellFailure = createFailureTeller(style);
  let isApplying = false;
  let isSpinning = false;

  const spinner = makeSpinner({
    stream,
    color,
    suffix() {
      if (!isApplying) return '';
      const room = (stream.columns ?? 80) - FRAME_COLUMNS - displayWidth(spinner.text);
      return formatProgress(progress.state(), room);
    },
  });

  function spin(text: string): void {
    spinner.text = text;
    if (isSpinning) return;
    isSpinning = true;
    spinner.start();
  }

  /** The spinner erases its own line only, so it steps aside for text that is to stay. */
  function keep(lines: string): void {
    if (isSpinning) spinner.stop();
    stream.write(lines);
    if (isSpinning) spinner.start();
  }

  return {
    phase(text) {
      isApplying = false;
      spin(escapeControl(text));
    },
    warn: (text) => keep(warningLines(text, style)),
    start(plan) {
      progress.start(plan);
      isApplying = true;
      spin('applying');
    },
    event(event) {
      progress.hear(event);
      if (event.type === 'step.failed') {
        const text = tellFailure(progress.describeFailure(event.step, event.error));
        if (text !== undefined) keep(text);
      }
    },
    done() {
      if (!isSpinning) return;
      isSpinning = false;
      spinner.stop();
    },
  };
}
