/** What a deploy says of machines that somebody parked: they stay so, and which command lets them go on. Said once for all. */
import { sortedUnique } from '../../order.ts';
import { shellCommand } from '../../shell.ts';
import type { PlannedStand } from '../document/plan.ts';
import type { Step } from '../document/step.ts';
import { nameSome } from '../document/text.ts';
import { selectedClaims } from '../stands/selection.ts';
import type { StandContext } from './context.ts';

export function hibernatedWarnings(
  stands: readonly PlannedStand[],
  steps: readonly Step[],
  { lab, index }: Pick<StandContext, 'lab' | 'index'>,
): string[] {
  const started = new Set(steps.flatMap((step) => (step.kind === 'vm.start' ? [step.vmid] : [])));
  const parked = stands.flatMap(({ user, vms }) =>
    vms.flatMap(({ vmid, power }) => (power === 'suspended' && !started.has(vmid) ? [{ user }] : [])),
  );
  if (parked.length === 0) return [];
  const users = sortedUnique(parked.map(({ user }) => user));
  const all = new Set(selectedClaims({ lab: lab.name }, index.marks).map(({ user }) => user));
  // Whoever deploys for some does not wake the machines of all.
  const some = all.size === users.length ? [] : users.flatMap((user) => ['--user', user]);
  const resume = shellCommand('deploy-stand', 'power', 'resume', '--lab', lab.name, ...some);
  const what = parked.length === 1 ? '1 machine' : `${parked.length} machines`;
  return [`hibernated: ${what} of ${nameSome(users)}; \`${resume}\` lets them go on`];
}
