/** Repeats a write where that is proven safe, and looks first where it is not. Knows nothing of what is written. */
import { AnswerLostError, NodeUnreachableError, PveError, UnreachableError } from '../proxmox/errors.ts';
import {
  isDiskUnseen,
  isLockTimeout,
  isNoQuorum,
  isReloadBusy,
  isWorkerless,
  busyLock,
} from '../proxmox/words.ts';
import type { Upid } from '../proxmox/types.ts';
import { spreadOf } from '../spread.ts';
import { StepError } from './step-error.ts';
import type { Silence, StepIo, StepOutcome } from './types.ts';

export interface Attempt {
  /** Step id (or another name): spreads the waits of steps that failed at the same moment. */
  readonly id: string;
  /** The write, and the wait for its task. May answer `already-done`. */
  readonly act: () => Promise<StepOutcome | undefined>;
  /** What became of a write whose answer was lost. `absent` must mean that writing again is safe. */
  readonly look: () => Promise<'done' | 'absent'>;
}

export type RetryIo = Pick<StepIo, 'clock' | 'signal' | 'onRetry' | 'reach'>;

type Trouble = 'busy' | 'lost' | 'hung up' | 'unreachable' | 'unseen';

const SECOND = 1000;
const LONGEST_WAIT = 30 * SECOND;
/** Folders are cached by NFS for 30 s at first (nfs(5), acdirmin). */
const FIRST_WAIT: Readonly<Record<Trouble, number>> = {
  busy: SECOND,
  lost: SECOND,
  'hung up': SECOND,
  unreachable: SECOND,
  unseen: 40 * SECOND,
};
/** How long one kind of trouble is put up with. A class of 500 keeps a shared storage's lock busy for minutes. */
const PATIENCE: Readonly<Record<Trouble, number>> = {
  busy: 600 * SECOND,
  lost: 600 * SECOND,
  // PVE dies over the same request every time; a daemon that is restarted is back by then.
  'hung up': 30 * SECOND,
  unreachable: 120 * SECOND,
  // One more try: what is not there by then is lost.
  unseen: 55 * SECOND,
};

/** Undefined: an error that trying again does not mend. */
function troubleOf(error: unknown): Trouble | undefined {
  if (isLockTimeout(error) || isReloadBusy(error) || isWorkerless(error)) return 'busy';
  if (error instanceof AnswerLostError) return error.hungUp ? 'hung up' : 'lost';
  if (error instanceof UnreachableError || isNoQuorum(error)) return 'unreachable';
  if (isDiskUnseen(error)) return 'unseen';
  return undefined;
}

const waitOf = (trouble: Trouble, tries: number): number =>
  Math.max(FIRST_WAIT[trouble], Math.min(FIRST_WAIT[trouble] * 2 ** tries, LONGEST_WAIT));

/** 0.75 … 1.25: no two runs of a test differ. */
function spread(id: string, tries: number): number {
  return 0.75 + spreadOf(`${id}#${tries}`) / 2;
}

/** The cluster as a whole, beside the names of nodes. */
const CLUSTER = '';

function whereOf(error: UnreachableError): string {
  return error instanceof NodeUnreachableError ? error.node : CLUSTER;
}

/** PVE answered something: it is there. A node that is down is told by the others, and stays down. */
function noteAnswer({ reach }: RetryIo): void {
  reach.delete(CLUSTER);
}

/** One patience for the whole run: a server that died must not cost every step its own two minutes. */
function noteUnreachable(io: RetryIo, error: UnreachableError, waitMs: number): void {
  const node = whereOf(error);
  if (node !== CLUSTER) noteAnswer(io);
  const now = io.clock.now();
  const silence: Silence = io.reach.get(node) ?? { since: now };
  io.reach.set(node, silence);
  if (now + waitMs - silence.since > PATIENCE.unreachable) silence.final = error;
}

/** Of the cluster only: of a node nothing is concluded before it has been asked, it may be back. */
function assertReachable(io: RetryIo): void {
  const error = io.reach.get(CLUSTER)?.final;
  if (error) throw error;
}

/** In words that say what is waited for, where PVE's own do not. */
function whyWaited(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return isNoQuorum(error) ? `the cluster has no quorum: ${text}` : text;
}

/** The error that ends the patience. */
function inTheEnd(error: unknown): unknown {
  if (!isNoQuorum(error)) return error;
  return new StepError('NO_QUORUM', whyWaited(error), {
    hint: 'see `pvecm status`: bring back the nodes that are missing, then run again',
    cause: error,
  });
}

/** Waits before the next try, or throws the error when there is none. */
function createBackOff(io: RetryIo, id: string): (error: unknown) => Promise<void> {
  let last: Trouble | undefined;
  let since = 0;
  let tries = 0;
  return async (error) => {
    const trouble = troubleOf(error);
    if (trouble === undefined || io.signal.aborted) throw error;
    if (trouble !== last) {
      last = trouble;
      since = io.clock.now();
      tries = 0;
    }
    const waitMs = Math.round(waitOf(trouble, tries) * spread(id, tries));
    if (error instanceof UnreachableError) noteUnreachable(io, error, waitMs);
    if (io.clock.now() + waitMs - since > PATIENCE[trouble]) throw inTheEnd(error);
    assertReachable(io);
    // Its own error: the one that ended the patience names another step's VM.
    if (error instanceof NodeUnreachableError && io.reach.get(error.node)?.final) throw error;
    tries += 1;
    io.onRetry({
      because: whyWaited(error),
      waitMs,
      busy: busyLock(error),
    });
    await io.clock.sleep(waitMs, io.signal);
  };
}

/** Repeats a read while PVE cannot be reached; the client itself repeats only for moments. */
async function persist<T>(io: RetryIo, id: string, read: () => Promise<T>): Promise<T> {
  const backOff = createBackOff(io, id);
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      await backOff(error);
    }
  }
}

/**
 * Carries out one write. A lock timeout, a task without a process and an unreachable host prove that nothing happened:
 * wait and repeat. A lost answer proves nothing: look, and repeat only what is absent.
 */
export async function attempt(io: RetryIo, { id, act, look }: Attempt): Promise<StepOutcome> {
  const backOff = createBackOff(io, id);
  for (;;) {
    assertReachable(io);
    try {
      const outcome = (await act()) ?? 'done';
      noteAnswer(io);
      return outcome;
    } catch (error) {
      if (error instanceof PveError) noteAnswer(io);
      if (error instanceof AnswerLostError && (await persist(io, id, look)) === 'done') return 'already-done';
      await backOff(error);
    }
  }
}

/**
 * Waits for a task that has been started. Losing sight of it is a lost answer, never an "unreachable": that would
 * make the caller start it a second time.
 */
export async function awaitTask(io: StepIo, upid: Upid): Promise<{ readonly warnings: boolean }> {
  try {
    return await io.tasks.wait(upid, io.signal);
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    throw new AnswerLostError(`task ${upid}`, 'PVE could not be reached to follow it', { cause: error });
  }
}
