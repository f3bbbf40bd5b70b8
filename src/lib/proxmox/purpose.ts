/** For which step a request is made: known to whoever witnesses writes, however deep below the step they happen. */
import { AsyncLocalStorage } from 'node:async_hooks';

/** Holds the step's id while its handler runs, and whatever the handler awaits. */
export const currentStep = new AsyncLocalStorage<string>();
