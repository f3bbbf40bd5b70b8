/** What only the machines themselves tell: snapshots, and addresses by the guest agent. One call for each. */
import pMap from 'p-map';
import type { Clock } from '../clock.ts';
import { AuthError, PveError, UnreachableError } from '../proxmox/errors.ts';
import type { PveApi, SnapshotRow } from '../proxmox/types.ts';
import type { ReadContext } from './pools.ts';

export interface MachineRef {
  readonly vmid: number;
  readonly node: string;
}

/** `off`: no agent is configured; `silent`: it does not answer in time; `forbidden`: the caller may not ask it. */
export type Addresses = readonly string[] | 'off' | 'silent' | 'forbidden';

/** As for all lists, see read.ts: pveproxy has few workers, and each hanging agent keeps one busy. */
const PARALLEL_READS = 12;

/** PVE itself waits for up to 8 s; one machine whose agent hangs is not worth that. */
const AGENT_LIMIT_MS = 3000;

async function addressesOf(
  pve: PveApi,
  { node, vmid }: MachineRef,
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
    return await pve.agentAddresses(node, vmid, signal);
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
  machines: readonly MachineRef[],
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

/** Those of a machine that cannot be read are left out. */
export async function readSnapshots(
  machines: readonly MachineRef[],
  { pve, hard }: ReadContext,
): Promise<Map<number, readonly SnapshotRow[]>> {
  const entries = await pMap(
    machines,
    async ({ vmid, node }) => {
      try {
        return [[vmid, await pve.snapshots(node, vmid, hard)] as const];
      } catch (error) {
        if (error instanceof PveError || error instanceof UnreachableError) return [];
        throw error;
      }
    },
    { concurrency: PARALLEL_READS },
  );
  return new Map(entries.flat());
}
