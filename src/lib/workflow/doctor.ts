/** The story of `doctor`: read, and report what a command needs and what the caller has of it. Never writes. */
import type { Lab, User } from '../config/types.ts';
import type { ReadContext } from '../inventory/pools.ts';
import { readInventory } from '../inventory/read.ts';
import type { PoolInfo } from '../inventory/types.ts';
import { vmidsClaimedBy } from '../marks/pool.ts';
import { profileOf, type Profile } from '../plan/cluster/profile.ts';
import { doctorReport, type DoctorReport } from '../privileges/report.ts';
import type { Command } from '../privileges/types.ts';
import { replicaVmids } from './replica-scope.ts';

export interface DoctorWant {
  readonly command: Command;
  readonly lab?: Lab;
  readonly users?: readonly User[];
  /** Absent: the caller's. */
  readonly profile?: Profile;
}

/** Which VMs are the class's only a cleanup has to know. */
function claimedBy({ command, users = [] }: DoctorWant, pools: readonly PoolInfo[]): number[] {
  if (command !== 'cleanup') return [];
  const names = new Set(users.map(({ pool }) => pool));
  return vmidsClaimedBy(pools.filter(({ pool }) => names.has(pool)));
}

export async function examineCaller(want: DoctorWant, context: ReadContext): Promise<DoctorReport> {
  const have = await readInventory(context, {
    templates: (want.lab?.machines ?? []).map(({ template }) => template),
    claimed: (pools) => [...claimedBy(want, pools), ...replicaVmids(pools)],
    bridgeUse: (networks) => (want.command === 'cleanup' && want.lab ? networks.map(({ node }) => node) : []),
    rights: true,
  });
  return doctorReport(
    { ...want, have, profile: want.profile ?? profileOf(have.rights) },
    context.caller ?? '',
  );
}
