/** The failure of one step, with a permanent code. Says what stands in the way; must not decide what follows. */
import { ApplyError, type StandErrorOptions } from '../errors.ts';
import type { StepCode } from './step-codes.ts';

export class StepError extends ApplyError {
  constructor(code: StepCode, message: string, options: StandErrorOptions = {}) {
    super(code, message, options);
  }
}

/** A bridge of the same node that guests name, and which. */
export interface NamedBridge {
  readonly bridge: string;
  readonly vmids: readonly number[];
}

/** A number that turned out to be taken, and others that did with it: planning again avoids them all. */
export class BridgeTakenError extends StepError {
  readonly taken: readonly NamedBridge[];

  constructor(
    message: string,
    {
      taken = [],
      ...options
    }: { readonly taken?: readonly NamedBridge[]; readonly hint: string; readonly cause?: unknown },
  ) {
    super('BRIDGE_TAKEN', message, options);
    this.taken = taken;
  }
}
