/** Every error a user can meet, with its permanent code and exit code. */
import type { Unanswered } from './unanswered.ts';
import { EXIT, type ExitCode, type StopSignal } from './exit.ts';

/** One problem in an input file. Lines and columns count from 1. */
export interface ConfigIssue {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** Path inside the document, e.g. `machines[2].networks[0].bridge`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
  /** The offending value, as written. Never a secret. */
  readonly value?: string;
  /** The way out. */
  readonly hint?: string;
}

export interface StandErrorOptions {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  readonly issues?: readonly ConfigIssue[];
  readonly unanswered?: Unanswered;
  readonly inFull?: string;
}

/** Base of all errors with an exit code. `code` is permanent: scripts match it. */
export abstract class StandError extends Error {
  abstract readonly exitCode: ExitCode;
  readonly code: string;
  readonly hint: string | undefined;
  readonly issues: readonly ConfigIssue[];
  /** What the message says, for who speaks another language; absent: it is no request without an answer. */
  readonly unanswered?: Unanswered;
  /** The message with every name, where it says once what is true of many. */
  readonly inFull?: string;

  constructor(code: string, message: string, options: StandErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.issues = options.issues ?? [];
    if (options.unanswered) this.unanswered = options.unanswered;
    if (options.inFull !== undefined && options.inFull !== message) this.inFull = options.inFull;
  }
}

/** Exit 1: a defect of ours. */
export class InternalError extends StandError {
  readonly exitCode = EXIT.bug;
}

/** Exit 2: the command line is wrong; nothing was contacted. */
export class UsageError extends StandError {
  readonly exitCode = EXIT.usage;
}

/** Exit 2: an input file is wrong; nothing was contacted. `issues` lists every problem found. */
export class ConfigError extends StandError {
  readonly exitCode = EXIT.usage;
}

/** Exit 3: the plan may not be applied; nothing was changed. */
export class PlanRefusedError extends StandError {
  readonly exitCode = EXIT.refused;
}

/** Exit 4: PVE could not be reached, or refused us, before anything was changed. */
export class ConnectionError extends StandError {
  readonly exitCode = EXIT.untouched;
}

/** Exit 5: partly applied. */
export class ApplyError extends StandError {
  readonly exitCode = EXIT.partial;
}

/** Exit 130 (SIGINT) or 143 (SIGTERM): stopped by the user; run again to finish. */
export class CancelledError extends StandError {
  readonly exitCode: ExitCode;

  constructor(signal: StopSignal, message: string, hint?: string) {
    super('CANCELLED', message, { hint });
    this.exitCode = EXIT[signal];
  }
}
