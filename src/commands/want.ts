/** Loads what the user wants from the files named by flags. */
import { loadClass } from '../lib/config/load.ts';
import type { Lab, User } from '../lib/config/types.ts';

export interface Want {
  readonly lab: Lab;
  readonly users: readonly User[];
  readonly warnings: readonly string[];
}

export function loadWant(flags: { readonly config: string; readonly users?: string }): Want {
  return loadClass(flags.config, flags.users);
}
