/** Tells what a host can do by its version. Asks each host once: hosts of one cluster differ while it is upgraded. */
import { isAtLeast } from '../pve-values/version.ts';
import type { PveHttp } from './http.ts';
import type { PveApi } from './types.ts';

/** Is the host that answers now at least of this release? */
export function versionGate(
  http: PveHttp,
  version: PveApi['version'],
  [major, minor]: readonly [number, number],
): (signal?: AbortSignal) => Promise<boolean> {
  const known = new Map<string, boolean>();
  return async (signal) => {
    const found = known.get(http.host);
    if (found !== undefined) return found;
    const isNew = isAtLeast((await version(signal)).release, major, minor);
    known.set(http.host, isNew);
    return isNew;
  };
}
