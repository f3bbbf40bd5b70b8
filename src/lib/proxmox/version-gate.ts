/** Tells what a host can do by its version. Asks each host once: hosts of one cluster differ while it is upgraded. */
import { isAtLeast } from '../pve-values/version.ts';
import type { PveHttp } from './http.ts';
import type { PveApi } from './types.ts';

/** Is the host that answers now at least of this release? */
type Gate = (signal?: AbortSignal) => Promise<boolean>;

/** Makes gates; those who ask at once wait for one answer. */
export function versionGates(
  http: Pick<PveHttp, 'host'>,
  version: PveApi['version'],
): (since: readonly [number, number]) => Gate {
  const releases = new Map<string, Promise<string>>();
  const ask = async (signal: AbortSignal | undefined): Promise<string> => {
    const { host } = http;
    const asking = version(signal).then(({ release }) => release);
    releases.set(host, asking);
    const forget = (): void => {
      if (releases.get(host) === asking) releases.delete(host);
    };
    try {
      const release = await asking;
      // Another host may have answered in its place.
      forget();
      releases.set(http.host, asking);
      return release;
    } catch (error) {
      forget();
      throw error;
    }
  };
  const releaseOf = async (signal: AbortSignal | undefined): Promise<string> => {
    const asked = releases.get(http.host);
    // Whoever asked may have been stopped: that is no answer for others.
    const known = asked && (await asked.catch(() => undefined));
    return known ?? ask(signal);
  };
  return ([major, minor]) =>
    async (signal) =>
      isAtLeast(await releaseOf(signal), major, minor);
}
