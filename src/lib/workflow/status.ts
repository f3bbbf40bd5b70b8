/** The story of `status`: read what was selected, and look at it. Never writes. */
import type { ReadContext } from '../inventory/pools.ts';
import type { Lab } from '../config/types.ts';
import { aliasesOf } from '../plan/network/stand-bridges.ts';
import type { StandSelection } from '../plan/stands/selection.ts';
import { viewStatus } from '../plan/views/status.ts';
import type { StatusReport } from '../plan/views/status-types.ts';
import { missing, requiredByScope } from '../privileges/required.ts';
import { standsScope } from '../privileges/scopes.ts';
import type { Requirement } from '../privileges/types.ts';
import { readStands } from './stands.ts';

export interface StatusWant {
  readonly stands: StandSelection;
  readonly lab?: Lab;
  /** How long ago a failed task is still told. */
  readonly sinceSeconds: number;
}

export interface SeenStatus {
  readonly report: StatusReport;
  /** What the caller cannot see; advice is among the report's notes. */
  readonly lacking: readonly Requirement[];
}

export async function lookAtStands(want: StatusWant, context: ReadContext): Promise<SeenStatus> {
  const { stands: selection, lab, sinceSeconds } = want;
  const { have, index, stands } = await readStands(selection, context, {
    claimed: () => [],
    failuresSince: (now) => now - sinceSeconds,
    use: true,
    lean: true,
  });
  const scope = standsScope('status', selection, have);
  const required = requiredByScope(scope, have).filter(({ advice }) => !advice);
  return {
    report: viewStatus({
      ...{ selection, have, index, stands },
      ...(lab ? { networks: [...aliasesOf(lab).keys()] } : {}),
    }),
    lacking: missing(required, have.rights ?? {}),
  };
}
