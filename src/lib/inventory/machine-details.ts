/** Addresses of machines, by their guest agents: one call for each. */
import pMap from 'p-map';
import type { Clock } from '../clock.ts';
import { AuthError, PveError, UnreachableError } from '../proxmox/errors.ts';
import type { PveApi } from '../proxmox/types.ts';
import type { GuestAt } from '../pve-values/guest-kinds.ts';
import { PARALLEL_READS } from './parallel.ts';
import type { ReadContext } from './pools.ts';

/** `off`: no agent is configured; `silent`: it does not answer in time; `forbidden`: the caller may not ask it. */
export type Addresses = readonly string[] | 'off' | 'silent' | 'forbidden';

/** PVE itself waits for up to 8 s; one machine whose agent hangs is not worth that. */
const AGENT_LIMIT_MS = 3000;

async function addressesOf(
  pve: PveApi,
  machine: GuestAt,
  clock: Clock,
  hard: AbortSignal | undefined,
): Promise<Addresses> {
  const late = new AbortController();
  const done = new AbortController();
  const limit = clock.sleep(AGENT_LIMIT_MS, done.signal).then(
    () => late.abort(),
    () => undefined,
  );
  try {
    const signal = hard ? AbortSignal.any([hard, late.signal]) : late.signal;
    return await pve.agentAddresses(machine, signal);
  } catch (error) {
    if (late.signal.aborted && hard?.aborted !== true) return 'silent';
    if (error instanceof AuthError) return 'forbidden';
    if (error instanceof PveError || error instanceof UnreachableError) return 'silent';
    throw error;
  } finally {
    done.abort();
    await limit;
  }
}

export async function readAddresses(
  machines: readonly GuestAt[],
  { pve, hard }: ReadContext,
  clock: Clock,
): Promise<Map<number, Addresses>> {
  const entries = await pMap(
    machines,
    async (one) => [one.vmid, await addressesOf(pve, one, clock, hard)] as const,
    { concurrency: PARALLEL_READS },
  );
  return new Map(entries);
}
