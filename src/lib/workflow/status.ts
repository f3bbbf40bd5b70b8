/** The story of `status`: read what was selected, and look at it. Never writes. */
import { aliasesOf } from '../config/lab/networks.ts';
import type { Clock } from '../clock.ts';
import { readAddresses } from '../inventory/machine-details.ts';
import { readSnapshots } from '../inventory/snapshots.ts';
import type { ReadContext } from '../inventory/pools.ts';
import { baselinesOf } from '../plan/stands/snapshots.ts';
import type { Lab } from '../config/types.ts';
import { actionable, type StandView } from '../plan/stands/selected.ts';
import type { StandSelection } from '../plan/stands/selection.ts';
import { marksOf, selectedVmids } from '../plan/stands/selection.ts';
import type { SeenTemplates } from '../plan/views/report-types.ts';
import { viewDrift } from '../plan/views/status-drift.ts';
import { viewStatus } from '../plan/views/status.ts';
import { viewTemplateVersions } from '../plan/views/template-versions.ts';
import type { StatusDetails, StatusReport } from '../plan/views/status-types.ts';
import { beyondLooking } from '../privileges/looking.ts';
import { missing, requiredByScope } from '../privileges/required.ts';
import { standsScope } from '../privileges/scopes.ts';
import type { Requirement } from '../privileges/types.ts';
import { replicaVmids } from './replica-scope.ts';
import { readStands } from './stands.ts';

export interface StatusWant {
  readonly stands: StandSelection;
  readonly lab?: Lab;
  /** How long ago a failed task is still told. */
  readonly sinceSeconds: number;
  readonly ips: boolean;
  readonly snapshots: boolean;
  /** Also read what tells whose the machines are that no lock and no membership settles. */
  readonly ownership: boolean;
  /** Compare every configuration with `lab`. */
  readonly drift: boolean;
  /** Also from which templates the machines of `lab` were made. */
  readonly templates: boolean;
}

export interface SeenStatus {
  readonly report: StatusReport;
  /** Absent: nobody asked, or without the lab's file nothing says from what it is made. */
  readonly templates?: SeenTemplates;
  /** What the caller cannot see; advice is among the report's notes. */
  readonly lacking: readonly Requirement[];
  /** What the caller could do beside looking, sorted. */
  readonly beyond: readonly string[];
}

export type StatusContext = ReadContext & { readonly clock: Clock };

async function detailsOf(
  { ips, snapshots, lab }: StatusWant,
  stands: readonly StandView[],
  context: StatusContext,
): Promise<StatusDetails> {
  const own = stands.flatMap((stand) => actionable(stand));
  const guests = own.map(({ guest }) => guest);
  const running = guests.filter(({ status }) => status === 'running');
  const [addresses, list] = await Promise.all([
    ips ? readAddresses(running, context, context.clock) : undefined,
    snapshots ? readSnapshots(guests, context) : undefined,
  ]);
  return {
    ...(addresses ? { addresses } : {}),
    ...(list ? { snapshots: list } : {}),
    baselines: baselinesOf(lab),
  };
}

export async function lookAtStands(want: StatusWant, context: StatusContext): Promise<SeenStatus> {
  const { stands: selection, lab, sinceSeconds } = want;
  const compared = want.drift || want.templates ? lab : undefined;
  const { have, index, stands } = await readStands(selection, context, {
    ...(want.ownership ? {} : { claimed: () => [] }),
    ...(compared
      ? {
          templates: compared.machines.map(({ template }) => template),
          claimed: (pools) => [
            ...selectedVmids(selection, marksOf(pools)),
            ...(want.templates ? replicaVmids(pools) : []),
          ],
        }
      : {}),
    failuresSince: (now) => now - sinceSeconds,
    use: true,
    lean: true,
  });
  const drift = want.drift && lab ? viewDrift(stands, { lab, have, index }) : undefined;
  const made = want.templates && lab ? viewTemplateVersions(stands, { lab, have, index }) : undefined;
  const details = {
    ...(await detailsOf(want, stands, context)),
    ...(drift ? { drift: drift.of } : {}),
  };
  const scope = standsScope('status', selection, have);
  const required = requiredByScope(scope, have).filter(({ advice }) => !advice);
  return {
    report: viewStatus({
      ...{ selection, have, index, stands, details, notes: drift?.notes ?? [] },
      ...(lab
        ? {
            networks: [...aliasesOf(lab).keys()],
            resting: lab.machines.filter(({ start }) => !start).map(({ name }) => name),
          }
        : {}),
    }),
    ...(made ? { templates: made } : {}),
    lacking: missing(required, have.rights ?? {}),
    beyond: beyondLooking(have.rights ?? {}),
  };
}
