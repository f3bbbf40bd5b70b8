/** A stream that remembers and a clock that is set by hand. */
import { Writable } from 'node:stream';
import type { Clock } from '../../src/lib/clock.ts';
import type { ApplyEvent } from '../../src/lib/execute/types.ts';
import type { Step } from '../../src/lib/plan/document/step.ts';

export const START = Date.UTC(2026, 0, 15, 8, 0, 0);

export interface FakeClock extends Clock {
  advance(ms: number): void;
}

export function fakeClock(): FakeClock {
  let now = START;
  return {
    now: () => now,
    wallTime: () => now,
    sleep: () => Promise.reject(new Error('listeners do not wait')),
    advance: (ms) => (now += ms),
  };
}

export class Recorder extends Writable {
  readonly columns: number;
  text = '';

  constructor(columns = 80) {
    super({ decodeStrings: false });
    this.columns = columns;
  }

  override _write(chunk: unknown, _encoding: string, next: () => void): void {
    this.text += String(chunk);
    next();
  }

  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }
}

export const succeeded = (step: Step): ApplyEvent => ({
  type: 'step.succeeded',
  step,
  outcome: 'done',
  durationMs: 1500,
});
export const failed = (step: Step, error: Error): ApplyEvent => ({
  type: 'step.failed',
  step,
  error,
  durationMs: 700,
});
export const skipped = (step: Step): ApplyEvent => ({
  type: 'step.skipped',
  step,
  because: 'vm.clone:student1/eco failed',
});
export const retrying = (step: Step): ApplyEvent => ({
  type: 'step.retrying',
  step,
  because: 'got timeout, password=hunter2x',
  waitMs: 2000,
});
