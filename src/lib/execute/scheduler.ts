/** Runs the steps of a plan as their edges and limits allow. Must not know what a step means, nor alter one. */
import { hasRole } from '../plan/document/step-traits.ts';
import type { Clock } from '../clock.ts';
import { StandError } from '../errors.ts';
import { assertSound } from '../plan/document/graph.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { Step, StepKind, StepOf } from '../plan/document/step.ts';
import { createLimits, type Limits, type Slot } from './limits.ts';
import { Pace, type ReadLoads } from './pace.ts';
import { BridgeTakenError } from './step-error.ts';
import { ReadyQueues } from './ready-queues.ts';
import { RemovalPace } from './removal-pace.ts';
import { buildGraph, type Node } from './step-nodes.ts';
import type {
  ApplyEvent,
  GuestReads,
  Handlers,
  NodeAnswers,
  Reach,
  RunIo,
  RunResult,
  StepIo,
  StepOutcome,
  StepResult,
} from './types.ts';

/** What the scheduler lends to a step while it runs. */
type Lent = Pick<
  StepIo,
  | 'reach'
  | 'nodeAnswers'
  | 'guestReads'
  | 'removals'
  | 'isUndone'
  | 'onRetry'
  | 'tell'
  | 'leavePlace'
  | 'stepAside'
>;

export interface GraphOptions {
  readonly carryOut: (step: Step, lent: Lent) => Promise<StepOutcome>;
  readonly clock: Clock;
  /** The hard stop. */
  readonly hard: AbortSignal;
  /** Default: by PVE's locks alone. */
  readonly limits?: Limits;
  /** Default: nodes are not asked how busy they are. */
  readonly readLoads?: ReadLoads | undefined;
  readonly onEvent: (event: ApplyEvent) => void;
  /** The soft stop (first SIGINT): nothing new is started, what runs is waited for. `io.signal` is the hard one. */
  readonly signal?: AbortSignal;
  /**
   * Called once, when every step that reserves a name or number on the cluster has ended: from here on another
   * planner sees what this plan took.
   */
  readonly onReserved?: () => Promise<void> | void;
}

export interface RunOptions extends Omit<GraphOptions, 'carryOut' | 'clock' | 'hard'> {
  readonly handlers: Handlers;
  readonly io: RunIo;
}

const INTERRUPTED = 'interrupted';

/** No switch and no cast: the map's type ties each kind to its handler. */
function runStep<K extends StepKind>(handlers: Handlers, step: StepOf<K>, io: StepIo): Promise<StepOutcome> {
  return handlers[step.kind](step, io);
}

/** What a running step holds; another one each time it has stepped aside. */
interface Place {
  slot: Slot;
  since: number;
  /** Given to others, for good. */
  isLeft: boolean;
}

interface End {
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: unknown) => void;
}

class Run {
  readonly #options: GraphOptions;
  readonly #limits: Limits;
  readonly #nodes: readonly Node[];
  readonly #ready: ReadyQueues<Node>;
  readonly #results: StepResult[] = [];
  readonly #end: End;
  readonly #reach: Reach = new Map();
  readonly #nodeAnswers: NodeAnswers = new Map();
  readonly #guestReads: GuestReads = { byNode: new Map() };
  readonly #removals: RemovalPace;
  readonly #undone = new Set<string>();
  readonly #pace: Pace;
  readonly #told = new Set<string>();
  #left: number;
  #reserving: number;
  #reserved: Promise<void> | undefined;
  #interrupted = false;

  constructor(nodes: readonly Node[], options: GraphOptions, limits: Limits, end: End) {
    this.#options = options;
    this.#limits = limits;
    this.#nodes = nodes;
    this.#ready = new ReadyQueues(limits);
    this.#end = end;
    this.#removals = new RemovalPace(options.clock);
    this.#pace = new Pace({
      ...{ limits, clock: options.clock, readLoads: options.readLoads },
      onRoom: (keys) => {
        this.#ready.freed(keys);
        this.#advance();
      },
      onDefect: end.reject,
    });
    this.#left = nodes.length;
    this.#reserving = nodes.filter(({ step }) => hasRole(step, 'reserves')).length;
  }

  begin(): void {
    for (const node of this.#nodes) if (node.open === 0) this.#ready.add(node);
    this.#advance();
  }

  /** Skips everything that has not been started. */
  interrupt(): void {
    for (const node of this.#nodes) {
      if (node.state !== 'waiting') continue;
      this.#interrupted = true;
      this.#settle(node, { id: node.step.id, status: 'skipped', because: INTERRUPTED });
    }
    this.#checkProgress();
  }

  #advance(): void {
    for (let node = this.#ready.next(); node; node = this.#ready.next()) {
      if (node.resume) {
        node.resume(this.#limits.enter(node.keys));
        continue;
      }
      if (node.state !== 'waiting') continue; // skipped while it was queued
      node.state = 'started';
      this.#start(node).catch(this.#end.reject);
    }
    this.#checkProgress();
    if (this.#left > 0) this.#pace.attend();
  }

  async #start(node: Node): Promise<void> {
    const { clock, onEvent } = this.#options;
    const { step } = node;
    const place: Place = { slot: this.#limits.enter(node.keys), since: clock.now(), isLeft: false };
    const begun = clock.now();
    onEvent({ type: 'step.started', step });
    const ended = await this.#carryOut(node, place);
    const durationMs = clock.now() - begun;
    this.#leave(node, place, !(ended instanceof Error));
    if (ended instanceof Error) {
      onEvent({ type: 'step.failed', step, error: ended, durationMs });
      this.#settle(node, this.#failure(step, ended));
    } else {
      onEvent({ type: 'step.succeeded', step, outcome: ended, durationMs });
      this.#settle(node, { id: step.id, status: 'done', outcome: ended });
    }
    this.#advance();
  }

  #leave(node: Node, place: Place, succeeded: boolean): void {
    if (place.isLeft) return;
    place.isLeft = true;
    place.slot.leave(succeeded, this.#options.clock.now() - place.since);
    this.#ready.freed(node.keys);
  }

  async #carryOut(node: Node, place: Place): Promise<StepOutcome | Error> {
    const { carryOut, onEvent } = this.#options;
    const { step } = node;
    const lent: Lent = {
      reach: this.#reach,
      nodeAnswers: this.#nodeAnswers,
      guestReads: this.#guestReads,
      removals: this.#removals,
      isUndone: (id) => this.#undone.has(id),
      onRetry: ({ because, waitMs, busy }) => {
        if (busy) place.slot.timedOut(busy);
        onEvent({ type: 'step.retrying', step, because, waitMs });
      },
      tell: (text) => void this.#told.add(text),
      leavePlace: () => {
        this.#leave(node, place, true);
        this.#advance();
      },
      stepAside: async (wait) => {
        place.slot.leave(false);
        this.#ready.freed(node.keys);
        this.#advance();
        try {
          return await wait();
        } finally {
          place.slot = await this.#queueAgain(node);
          place.since = this.#options.clock.now();
        }
      },
    };
    try {
      return await carryOut(step, lent);
    } catch (thrown) {
      return thrown instanceof Error ? thrown : new Error(String(thrown));
    }
  }

  #queueAgain(node: Node): Promise<Slot> {
    return new Promise((resolve) => {
      node.resume = (slot) => {
        node.resume = undefined;
        resolve(slot);
      };
      this.#ready.add(node);
      this.#advance();
    });
  }

  #failure(step: Step, error: Error): StepResult {
    const known = error instanceof StandError ? error : undefined;
    const code = known?.code ?? (this.#options.hard.aborted ? 'INTERRUPTED' : 'INTERNAL');
    return {
      id: step.id,
      status: 'failed',
      code,
      message: error.message,
      ...(known?.hint === undefined ? {} : { hint: known.hint }),
      ...(error instanceof BridgeTakenError ? { taken: error.taken } : {}),
    };
  }

  /** Records how a step ended, and what follows for those behind it: without recursion, plans are deep. */
  #settle(node: Node, result: StepResult): void {
    const ended: { readonly node: Node; readonly result: StepResult }[] = [{ node, result }];
    for (let next = ended.pop(); next; next = ended.pop()) {
      if (next.node.state === 'settled') continue;
      this.#record(next.node, next.result);
      const because = reasonToSkip(next.result);
      for (const { node: dependent, must } of next.node.dependents) {
        if (dependent.state !== 'waiting') continue;
        dependent.open -= 1;
        if (must && because !== undefined)
          ended.push({ node: dependent, result: { id: dependent.step.id, status: 'skipped', because } });
        else if (dependent.open === 0) this.#ready.add(dependent);
      }
    }
  }

  #record(node: Node, result: StepResult): void {
    node.state = 'settled';
    this.#results[node.index] = result;
    if (result.status !== 'done') this.#undone.add(node.step.id);
    this.#left -= 1;
    if (hasRole(node.step, 'reserves')) this.#reserving -= 1;
    if (result.status === 'skipped')
      this.#options.onEvent({ type: 'step.skipped', step: node.step, because: result.because });
  }

  #checkProgress(): void {
    if (this.#reserving === 0 && !this.#reserved) {
      this.#reserved = this.#announceReserved();
      // Its failure is told at the end of the run; until then it must not count as unhandled.
      this.#reserved.catch(() => undefined);
    }
    if (this.#left > 0) return;
    this.#pace.end();
    const interrupted = this.#interrupted || this.#options.hard.aborted;
    this.#reserved?.then(
      () =>
        this.#end.resolve({
          results: this.#results,
          interrupted,
          ...(this.#told.size > 0 ? { told: [...this.#told] } : {}),
        }),
      this.#end.reject,
    );
  }

  async #announceReserved(): Promise<void> {
    await this.#options.onReserved?.();
  }
}

/** The first cause: a step skipped behind a skipped one names the step that failed. */
function reasonToSkip(result: StepResult): string | undefined {
  if (result.status === 'failed') return `${result.id} failed`;
  return result.status === 'skipped' ? result.because : undefined;
}

/**
 * Runs a plan to its end. Ready steps start in plan order, as wide as the limits allow; a failure skips what depends
 * on it and nothing else. Rejects only for a defect: an unsound plan (before anything starts), a throwing listener.
 */
export function runPlan(
  plan: Pick<Plan, 'steps'>,
  { handlers, io, ...options }: RunOptions,
): Promise<RunResult> {
  const { pveFor, ...shared } = io;
  return runSteps(plan.steps, {
    ...options,
    clock: io.clock,
    hard: io.signal,
    carryOut: (step, lent) => runStep(handlers, step, { ...shared, pve: pveFor(step.id), ...lent }),
  });
}

/** The same on any platform. */
export async function runSteps(steps: readonly Step[], options: GraphOptions): Promise<RunResult> {
  assertSound(steps);
  const { signal } = options;
  const limits = options.limits ?? createLimits();
  const nodes = buildGraph(steps, limits);
  const stops = [options.hard, ...(signal ? [signal] : [])];
  let stop: (() => void) | undefined;
  try {
    return await new Promise<RunResult>((resolve, reject) => {
      const run = new Run(nodes, options, limits, { resolve, reject });
      stop = () => {
        try {
          run.interrupt();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error))); // a listener threw; out of an event handler it would end the process
        }
      };
      for (const one of stops) one.addEventListener('abort', stop);
      if (stops.some((one) => one.aborted)) run.interrupt();
      else run.begin();
    });
  } finally {
    for (const one of stops) if (stop) one.removeEventListener('abort', stop);
  }
}
