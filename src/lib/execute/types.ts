/** Words of the executor: what a handler gets, what it answers, what listeners hear, how each step ended. */
import type { Clock } from '../clock.ts';
import type { Step, StepKind, StepOf } from '../plan/document/step.ts';
import type { PveApi, ResourceRow, TaskWaiter } from '../proxmox/types.ts';
import type { BusyLock } from '../proxmox/words.ts';
import type { Ownership } from './ask-ownership.ts';
import type { NamedBridge } from './step-error.ts';
import type { RemovalPace } from './removal-pace.ts';

/** `already-done`: the look before (or after a lost answer) showed that nothing is left to do. */
export type StepOutcome = 'done' | 'already-done';

/** Passwords by reference. The plan never holds one. */
export interface Secrets {
  /**
   * Password for a user about to be created: the one a former run left `pending`, else a new one. It is on disk
   * (fsynced, `pending`) before this resolves.
   */
  passwordFor(userid: string): Promise<string>;
  /**
   * New password for a user that has one: the one a former run left `pending`, else a new one. On disk before this
   * resolves, beside the former, which stays until `settle` says `set`; `unchanged` brings it back. `account`: what is
   * lost with the user while it is made anew, as text; kept with the password until `settle` says `restored`.
   */
  replacementFor(userid: string, account?: string): Promise<string>;
  /**
   * Records what became of a user: its password is set, was left alone, or is kept by a directory. `restored`: set, and
   * all else is as it was.
   */
  settle(userid: string, state: 'set' | 'restored' | 'unchanged' | 'directory'): Promise<void>;
  /** Cloud-init password of a machine of the lab. */
  cloudInitPassword(machine: string): string | undefined;
}

/** The seals of a run's clones (marks/seal.ts), drawn when they are first asked for. No plan ever holds one. */
export interface Seals {
  /** Of the clone to be made under this VMID; the same each time. */
  of(vmid: number): string;
}

/** What a run needs from outside. */
export interface RunIo {
  /** The client of one step, by its id: whoever witnesses writes hears for which step they are. */
  readonly pveFor: (step: string) => PveApi;
  readonly tasks: TaskWaiter;
  readonly clock: Clock;
  /** The hard stop: aborts requests and waits. A soft stop (first SIGINT) never reaches a handler. */
  readonly signal: AbortSignal;
  readonly secrets: Secrets;
  readonly seals: Seals;
  readonly ownership: Ownership;
  /**
   * Does it under the planning lock: a pool's comment is one text, read and written anew for all its labs. `since`: when
   * this run got it.
   */
  readonly exclusively: <T>(work: (since: number) => Promise<T>) => Promise<T>;
  /**
   * Before what is written just as it was planned: throws where another run has planned since, as it may once this one has
   * let the lock of its planning expire (it was stopped, its machine slept).
   */
  readonly assertNobodyPlanned: () => Promise<void>;
  /** Whose login it is, `user@realm` or `user@realm!token`: its account is never a student's. */
  readonly caller?: string;
}

/** A handler is about to wait and try its write again. */
export interface Retry {
  readonly because: string;
  readonly waitMs: number;
  /** PVE could not get this lock in time: the scheduler lets fewer such steps run at once. */
  readonly busy: BusyLock | undefined;
}

/** Since when something does not answer. `final`: after so long a silence nobody asks any more. */
export interface Silence {
  readonly since: number;
  final?: Error;
}

/** What did not answer last time, by node name; the empty name is the cluster as a whole. One for the whole run. */
export type Reach = Map<string, Silence>;

/** When each node was asked last whether it is up, and its answer. One for the whole run. */
export type NodeAnswers = Map<string, { readonly at: number; readonly answer: Promise<unknown> }>;

/** A guest of a node, and the bridges that its network cards name, now, after the next start or in a snapshot. */
export interface NamingGuest {
  readonly vmid: number;
  /** Absent: its configuration or a snapshot cannot be read, and why. */
  readonly bridges?: ReadonlySet<string>;
  readonly because?: string;
}

/** What the run has read of the guests, once for all steps: the list, and by node who names what. */
export interface GuestReads {
  list?: Promise<readonly ResourceRow[]> | undefined;
  readonly byNode: Map<string, Promise<readonly NamingGuest[]>>;
}

/** What a handler gets. */
export interface StepIo extends Omit<RunIo, 'pveFor'> {
  readonly pve: PveApi;
  readonly reach: Reach;
  readonly nodeAnswers: NodeAnswers;
  readonly guestReads: GuestReads;
  readonly removals: RemovalPace;
  /** Has this step of the run failed, or was it skipped? */
  readonly isUndone: (id: string) => boolean;
  readonly onRetry: (retry: Retry) => void;
  /**
   * Waits for something outside while other steps use this one's places, and goes on when there is a place again:
   * a VM locked by a backup must not keep a whole class waiting. Nothing may be written meanwhile.
   */
  readonly stepAside: <T>(wait: () => Promise<T>) => Promise<T>;
  /** Says something to people, once however many steps say it. */
  readonly tell: (text: string) => void;
  /** Gives this step's places to others for good: what it still does concerns no lock of PVE. */
  readonly leavePlace: () => void;
}

export type Handler<K extends StepKind> = (step: StepOf<K>, io: StepIo) => Promise<StepOutcome>;
/** One handler per kind; a kind without one does not compile. */
export type Handlers = { readonly [K in StepKind]: Handler<K> };

/** Everything a listener (terminal, JSON lines, debug log) can hear. */
export type ApplyEvent =
  | { readonly type: 'step.started'; readonly step: Step }
  | { readonly type: 'step.retrying'; readonly step: Step; readonly because: string; readonly waitMs: number }
  | {
      readonly type: 'step.succeeded';
      readonly step: Step;
      readonly outcome: StepOutcome;
      readonly durationMs: number;
    }
  | { readonly type: 'step.failed'; readonly step: Step; readonly error: Error; readonly durationMs: number }
  | { readonly type: 'step.skipped'; readonly step: Step; readonly because: string };

export type StepResult =
  | { readonly id: string; readonly status: 'done'; readonly outcome: StepOutcome }
  | {
      readonly id: string;
      readonly status: 'failed';
      readonly code: string;
      readonly message: string;
      readonly hint?: string;
      /** Of BRIDGE_TAKEN: other names that are taken, too. */
      readonly taken?: readonly NamedBridge[];
    }
  | { readonly id: string; readonly status: 'skipped'; readonly because: string };

/** How one run of a plan ended, step by step. */
export interface RunResult {
  readonly results: readonly StepResult[];
  readonly interrupted: boolean;
  /** What handlers had to say, each sentence once. */
  readonly told?: readonly string[];
}
