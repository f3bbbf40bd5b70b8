/** What every listener of a run can be told, and what it needs. All of it is conversation: never on stdout. */
import type { Clock } from '../clock.ts';
import type { ApplyEvent } from '../execute/types.ts';
import type { Plan } from '../plan/document/plan.ts';

export interface Ui {
  /** A new phase before or after applying, e.g. `reading the cluster`. `share`: how much of it is done, 0 to 1. */
  phase(text: string, share?: number): void;
  warn(text: string): void;
  /** Applying begins. Called again when the unfinished stands are planned anew; the counts start over. */
  start(plan: Plan): void;
  event(event: ApplyEvent): void;
  /** Must be called at the end, also after an error: a spinner keeps the process alive. */
  done(): void;
}

/** Where listeners write: stderr, or a recorder in tests. */
export interface UiStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What a listener needs besides its mode. */
export interface UiContext {
  readonly stream: UiStream;
  readonly clock: Clock;
  readonly color: boolean;
}
