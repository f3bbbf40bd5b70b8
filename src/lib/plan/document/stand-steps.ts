/** Which steps of a plan are which stand's: a user may have several. */
import { groupBy } from '../../group.ts';
import type { Plan, PlannedStand } from './plan.ts';
import type { Step } from './step.ts';

/** What a step is about, as far as that tells one stand of its user from another. */
function isAbout(step: Step, { pool, vms, bridges }: PlannedStand): boolean {
  if ('pool' in step) return step.pool === pool;
  if ('vmid' in step) return vms.some(({ vmid }) => vmid === step.vmid);
  if ('path' in step) return step.path === `/pool/${pool}`;
  return 'bridge' in step && bridges.some(({ node, iface }) => node === step.node && iface === step.bridge);
}

/** In the plan's order; what concerns a user as such stands with the first of that user. */
export function stepsOfStands({
  stands,
  steps,
}: Pick<Plan, 'stands' | 'steps'>): ReadonlyMap<PlannedStand, readonly Step[]> {
  const byUser = groupBy(stands, ({ user }) => user);
  const found = new Map(stands.map((stand): [PlannedStand, Step[]] => [stand, []]));
  for (const step of steps) {
    const own = step.user === undefined ? [] : (byUser.get(step.user) ?? []);
    const [first] = own;
    const owner = own.length > 1 ? (own.find((stand) => isAbout(step, stand)) ?? first) : first;
    if (owner) found.get(owner)?.push(step);
  }
  return found;
}
