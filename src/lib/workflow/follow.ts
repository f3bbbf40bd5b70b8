/** The story of `serve`: looks at the stands again and again, and keeps the last that was seen. Never writes. */
import { rest, type Clock } from '../clock.ts';
import { CancelledError, InternalError, StandError } from '../errors.ts';
import type { SeenTemplates } from '../plan/views/report-types.ts';
import { lookAtStands, type SeenStatus, type StatusContext, type StatusWant } from './status.ts';

export interface Look {
  /** The last that was seen. */
  readonly seen: SeenStatus;
  /** Why nothing was seen since; absent: it is as now. */
  readonly away?: StandError;
}

export interface Following {
  readonly look: () => Promise<SeenStatus>;
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly end: AbortSignal;
  readonly onLook: (look: Look) => void;
  /** While nothing happens: at most so far apart that nobody takes the silence for an end. */
  readonly onBeat: () => void;
}

const BEAT_MS = 15_000;

/** Beats meanwhile; false: it was ended. */
async function restUntil(until: number, { clock, end, onBeat }: Following): Promise<boolean> {
  for (let left = until - clock.now(); left > 0; left = until - clock.now()) {
    if (!(await rest(clock, Math.min(left, BEAT_MS), end))) return false;
    onBeat();
  }
  return !end.aborted;
}

/**
 * What cannot be seen for a while is looked at again, whoever looks again and again; also a lab or a right that was taken
 * away meanwhile, and may come again.
 */
export function mayPass(error: unknown): error is StandError {
  return error instanceof StandError && !(error instanceof InternalError || error instanceof CancelledError);
}

/** `first`: begins from there. What cannot be seen for a while is looked at again; ends with its signal. */
export async function followStands(first: SeenStatus, following: Following): Promise<void> {
  const { look, clock, intervalMs, end, onLook } = following;
  let seen = first;
  let begun = clock.now();
  while (await restUntil(begun + intervalMs, following)) {
    begun = clock.now();
    try {
      seen = await look();
      onLook({ seen });
    } catch (error) {
      if (end.aborted) return;
      if (!mayPass(error)) throw error;
      onLook({ seen, away: error });
    }
  }
}

/** What machines were made from takes a request for each of them, and changes only when somebody makes one anew. */
const TEMPLATES_EVERY_MS = 10 * 60_000;

/** Each look of it is one at the stands; at what they were made from it looks seldom. */
export function lookSeldomAtTemplates(
  want: Omit<StatusWant, 'templates'>,
  context: StatusContext,
): (end?: AbortSignal) => Promise<SeenStatus> {
  let read: { readonly at: number; readonly templates: SeenTemplates } | undefined;
  return async (end) => {
    const at = context.clock.now();
    const isDue = read === undefined || at - read.at >= TEMPLATES_EVERY_MS;
    const seen = await lookAtStands({ ...want, templates: isDue }, end ? { ...context, hard: end } : context);
    if (seen.templates) read = { at, templates: seen.templates };
    return read ? { ...seen, templates: read.templates } : seen;
  };
}
