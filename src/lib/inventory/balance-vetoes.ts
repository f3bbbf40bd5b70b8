/** What PVE itself says against a migration: asked of the moves that were chosen, and of no others. Never writes. */
import { PveError } from '../proxmox/errors.ts';
import type { PveApi } from '../proxmox/types.ts';
import type { Veto } from './balance-types.ts';
import { PARALLEL_READS } from './parallel.ts';
import pMap from 'p-map';

/** PVE's own word on the moves that were chosen: one call each. */
export async function readVetoes(
  pve: PveApi,
  moves: readonly {
    readonly node: string;
    readonly vmid: number;
    readonly target: string;
    /** It runs, as far as is known: the lists that told so are ten seconds old. */
    readonly online: boolean;
    readonly mapped: readonly string[];
  }[],
  signal?: AbortSignal,
): Promise<Veto[]> {
  const found = await pMap(
    moves,
    async (move): Promise<Veto[]> => {
      const { vmid, target, online } = move;
      try {
        const { runs, problems } = await pve.migrateProblems(move, signal);
        if (runs && !online)
          return [{ vmid, reason: 'was started a moment ago, and what it takes is not known yet' }];
        return problems.length === 0 ? [] : [{ vmid, target, reason: `Proxmox VE: ${problems.join('; ')}` }];
      } catch (error) {
        if (!(error instanceof PveError)) throw error;
        return [{ vmid, reason: `Proxmox VE: ${error.text === '' ? error.message : error.text}` }];
      }
    },
    { concurrency: PARALLEL_READS },
  );
  return found.flat();
}
