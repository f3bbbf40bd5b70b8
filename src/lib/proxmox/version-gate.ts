/** Tells what a host can do by its version. Asks each host once: hosts of one cluster differ while it is upgraded. */
import { isAtLeast } from '../pve-values/version.ts';
import { AuthError } from './errors.ts';
import type { PveHttp } from './http.ts';
import type { PveApi } from './types.ts';

/** Is the host that answers now at least of this release? */
type Gate = (signal?: AbortSignal) => Promise<boolean>;

interface VersionGates {
  readonly gate: (since: readonly [number, number]) => Gate;
  /** Asks, and lets the gates know. */
  readonly version: PveApi['version'];
}

/** Whoever asked may have been stopped: that is no answer for others. A login that is refused is one for all. */
function unlessRefused(error: unknown): undefined {
  if (error instanceof AuthError) throw error;
}

/** Makes gates; those who ask at once wait for one answer. */
export function versionGates(http: Pick<PveHttp, 'host'>, version: PveApi['version']): VersionGates {
  const answers = new Map<string, ReturnType<PveApi['version']>>();
  const ask: PveApi['version'] = async (signal) => {
    const { host } = http;
    const asking = version(signal);
    answers.set(host, asking);
    const forget = (): void => {
      if (answers.get(host) === asking) answers.delete(host);
    };
    try {
      const answer = await asking;
      // Another host may have answered in its place.
      forget();
      answers.set(http.host, asking);
      return answer;
    } catch (error) {
      forget();
      throw error;
    }
  };
  const known = async (signal: AbortSignal | undefined): ReturnType<PveApi['version']> => {
    const asked = answers.get(http.host);
    return (asked && (await asked.catch(unlessRefused))) ?? ask(signal);
  };
  const gate: VersionGates['gate'] =
    ([major, minor]) =>
    async (signal) =>
      isAtLeast((await known(signal)).release, major, minor);
  return { gate, version: ask };
}
