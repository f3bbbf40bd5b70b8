/** Loads what the user wants from the files named by flags. Flags win over the lab's own placement. */
import { loadClass, type LabOptions, type LoadedClass } from '../lib/config/load.ts';

interface WantFlags {
  readonly config: string;
  readonly users?: string;
  readonly labName?: string;
}

export function loadWant(flags: WantFlags, placement: LabOptions['placement'] = {}): LoadedClass {
  return loadClass(flags.config, flags.users, {
    placement,
    ...(flags.labName === undefined ? {} : { name: flags.labName }),
  });
}
