/** Tells what a host can do by its version. Asks each host once: hosts of one cluster differ while it is upgraded. */
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
    const [theirMajor = 0, theirMinor = 0] = (await version(signal)).release.split('.').map(Number);
    const isNew = theirMajor > major || (theirMajor === major && theirMinor >= minor);
    known.set(http.host, isNew);
    return isNew;
  };
}
