/** Loads what the user wants from the files named by flags. Flags win over the lab's own placement. */
import { loadClass, type ClassOptions, type LabOptions, type LoadedClass } from '../lib/config/load.ts';

interface WantFlags {
  readonly config: string;
  readonly users?: readonly string[];
  readonly labName?: string;
}

/** `outerBridges`: what the connection that the flags mean leaves to labs. */
export function loadWant(
  flags: WantFlags,
  outerBridges: LabOptions['outerBridges'],
  { placement = {}, isWhole = true }: Pick<ClassOptions, 'placement' | 'isWhole'> = {},
): LoadedClass {
  return loadClass(flags.config, flags.users, {
    placement,
    isWhole,
    outerBridges,
    ...(flags.labName === undefined ? {} : { name: flags.labName }),
  });
}
