/** Counts what has been applied and puts it into one line. Prints nothing. */
import type { Clock } from '../clock.ts';
import type { ApplyEvent } from '../execute/types.ts';
import type { Plan, PlannedStand } from '../plan/document/plan.ts';
import { COUNTERS, counterOf } from '../plan/document/step-traits.ts';
import type { Step } from '../plan/document/step.ts';
import { StandError } from '../errors.ts';
import { redactText } from '../redact.ts';
import { describeStep, namesOf } from '../render/step-text.ts';

const ESTIMATE_FROM = 0.1;

interface Counter {
  readonly label: string;
  readonly done: number;
  readonly total: number;
}

export interface ProgressState {
  readonly counters: readonly Counter[];
  readonly total: number;
  /** Succeeded, failed or skipped. */
  readonly ended: number;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  readonly retrying: number;
  readonly elapsedMs: number;
  /** A guess from the pace so far; absent while there is too little to go by. */
  readonly leftMs?: number;
}

export interface Failure {
  readonly user?: string;
  /** What the step was to do, in words. */
  readonly work: string;
  readonly message: string;
  readonly code?: string;
  readonly hint?: string;
}

export interface Progress {
  start(plan: Plan): void;
  hear(event: ApplyEvent): void;
  state(): ProgressState;
  describeFailure(step: Step, error: Error): Failure;
}

/** Error texts may quote what a server said, so they are masked here, once for all listeners. */
export function errorFacts(error: Error): Pick<Failure, 'message' | 'code' | 'hint'> {
  const message = redactText(error.message);
  if (!(error instanceof StandError)) return { message };
  return {
    message,
    code: error.code,
    ...(error.hint === undefined ? {} : { hint: redactText(error.hint) }),
  };
}

interface Tally {
  totals: Map<string, number>;
  dones: Map<string, number>;
  total: number;
  failed: number;
  skipped: number;
}

function tallyOf(steps: readonly Step[]): Tally {
  const totals = new Map<string, number>();
  for (const step of steps) {
    const label = counterOf(step);
    totals.set(label, (totals.get(label) ?? 0) + 1);
  }
  return { totals, dones: new Map(), total: steps.length, failed: 0, skipped: 0 };
}

export function createProgress(clock: Clock): Progress {
  const retrying = new Set<string>();
  let tally = tallyOf([]);
  let stands = new Map<string, PlannedStand>();
  let startedAt: number | undefined;

  return {
    start(plan) {
      tally = tallyOf(plan.steps);
      stands = new Map(plan.stands.map((stand) => [stand.user, stand]));
      retrying.clear();
      startedAt ??= clock.now();
    },
    hear(event) {
      if (event.type === 'step.retrying') retrying.add(event.step.id);
      else retrying.delete(event.step.id);
      if (event.type === 'step.failed') tally.failed += 1;
      if (event.type === 'step.skipped') tally.skipped += 1;
      if (event.type !== 'step.succeeded') return;
      const label = counterOf(event.step);
      tally.dones.set(label, (tally.dones.get(label) ?? 0) + 1);
    },
    state() {
      const { totals, dones, total, failed, skipped } = tally;
      const counters = COUNTERS.flatMap((label): Counter[] => {
        const count = totals.get(label);
        return count === undefined ? [] : [{ label, done: dones.get(label) ?? 0, total: count }];
      });
      const done = counters.reduce((sum, counter) => sum + counter.done, 0);
      const ended = done + failed + skipped;
      const elapsedMs = startedAt === undefined ? 0 : clock.now() - startedAt;
      const isTelling = total > 0 && ended < total && ended / total >= ESTIMATE_FROM;
      return {
        counters,
        total,
        ended,
        done,
        failed,
        skipped,
        retrying: retrying.size,
        elapsedMs,
        ...(isTelling ? { leftMs: (elapsedMs * (total - ended)) / ended } : {}),
      };
    },
    describeFailure(step, error) {
      const stand = step.user === undefined ? undefined : stands.get(step.user);
      return {
        ...(step.user === undefined ? {} : { user: step.user }),
        work: describeStep(step, namesOf(stand)).text,
        ...errorFacts(error),
      };
    },
  };
}

/** `0:07`, `12:30`, `1:02:03`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (number: number) => String(number).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = two(seconds % 60);
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${two(minutes)}:${rest}`;
}

function troubles({ failed, skipped, retrying }: ProgressState): string[] {
  return [
    ...(failed === 0 ? [] : [`failed ${failed}`]),
    ...(skipped === 0 ? [] : [`skipped ${skipped}`]),
    ...(retrying === 0 ? [] : [`retrying ${retrying}`]),
  ];
}

/** `clones 12/30 · configured 8/30 · failed 1 · 2:10, about 3:40 left`; finished counters go first when room is short. */
export function formatProgress(state: ProgressState, room: number): string {
  const elapsed = formatDuration(state.elapsedMs);
  const time =
    state.leftMs === undefined ? elapsed : `${elapsed}, about ${formatDuration(state.leftMs)} left`;
  const line = (counters: readonly Counter[]) =>
    [...counters.map(({ label, done, total }) => `${label} ${done}/${total}`), ...troubles(state), time].join(
      ' · ',
    );
  const full = line(state.counters);
  if (full.length <= room) return full;
  const short = line(state.counters.filter(({ done, total }) => done < total));
  return short.length <= room ? short : `${short.slice(0, Math.max(0, room - 1))}…`;
}
