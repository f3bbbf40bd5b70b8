/** Tells what a host can do by its version. Asks each host once: hosts of one cluster differ while it is upgraded. */
import { isAtLeast } from '../pve-values/version.ts';
import type { PveHttp } from './http.ts';
import type { PveApi } from './types.ts';

/** Is the host that answers now at least of this release? */
type Gate = (signal?: AbortSignal) => Promise<boolean>;

interface VersionGates {
  readonly gate: (since: readonly [number, number]) => Gate;
  /** Asks, whatever is known, and lets the gates know. */
  readonly version: PveApi['version'];
}

/** Makes gates; those who ask at once wait for one answer. */
export function versionGates(http: Pick<PveHttp, 'host'>, version: PveApi['version']): VersionGates {
  const releases = new Map<string, ReturnType<PveApi['version']>>();
  const ask: PveApi['version'] = async (signal) => {
    const { host } = http;
    const asking = version(signal);
    releases.set(host, asking);
    const forget = (): void => {
      if (releases.get(host) === asking) releases.delete(host);
    };
    try {
      const answer = await asking;
      // Another host may have answered in its place.
      forget();
      releases.set(http.host, asking);
      return answer;
    } catch (error) {
      forget();
      throw error;
    }
  };
  const releaseOf = async (signal: AbortSignal | undefined): Promise<string> => {
    const asked = releases.get(http.host);
    // Whoever asked may have been stopped: that is no answer for others.
    const known = asked && (await asked.catch(() => undefined));
    return (known ?? (await ask(signal))).release;
  };
  return {
    gate:
      ([major, minor]) =>
      async (signal) =>
        isAtLeast(await releaseOf(signal), major, minor),
    version: ask,
  };
}
