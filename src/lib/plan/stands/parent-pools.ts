/**
 * The pools above those of stands, for every plan that makes or removes some: one that is missing is made, without a claim,
 * and one that we made goes with the last pool below it. One that somebody else made is used as it is.
 */
import { PARENT_COMMENT, isParentPool } from '../../marks/parent-pool.ts';
import { parentPool, poolsAbove } from '../../pve-values/pool-name.ts';
import { sortedUnique } from '../../order.ts';
import type { AclEntry } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import { makeStep, stepId, type Step } from '../document/step.ts';
import { nameSome } from '../document/text.ts';

/** A pool waits for the one right above it, if that is made too. */
function waits(step: Step, made: ReadonlySet<string>): Step {
  if (step.kind !== 'pool.create') return step;
  const parent = parentPool(step.pool);
  if (parent === undefined || !made.has(parent)) return step;
  return { ...step, dependsOn: sortedUnique([...step.dependsOn, stepId('pool.create', parent)]) };
}

/** The steps, with those that make what is missing above the pools they make. */
export function withParentPools(steps: readonly Step[], { pools }: ClusterView): Step[] {
  const created = steps.flatMap((step) => (step.kind === 'pool.create' ? [step.pool] : []));
  const missing = sortedUnique(created.flatMap(poolsAbove)).filter((pool) => !pools.has(pool));
  if (missing.length === 0) return [...steps];
  const made = new Set([...created, ...missing]);
  const parents = missing
    .filter((pool) => !created.includes(pool))
    .map((pool) =>
      makeStep(
        'pool.create',
        pool,
        { reason: 'missing, and pools of stands are to be below it' },
        { pool, comment: PARENT_COMMENT },
      ),
    );
  return [...parents, ...steps].map((step) => waits(step, made));
}

export interface EmptyParents {
  readonly removals: readonly Step[];
  /** What is said of those that stay. */
  readonly warnings: readonly string[];
}

/** Parents of ours below which nothing is left once the pools of `steps` are gone. */
export function emptyParents(steps: readonly Step[], index: ClusterView): EmptyParents {
  const going = new Map<string, string>();
  for (const step of steps) if (step.kind === 'pool.delete') going.set(step.pool, step.id);
  const removals: Step[] = [];
  const kept: { readonly pool: string; readonly rights: readonly AclEntry[] }[] = [];
  const parents = sortedUnique([...going.keys()].flatMap(poolsAbove));
  // The deepest first: its going may empty the one above.
  for (const pool of parents.sort((a, b) => b.split('/').length - a.split('/').length)) {
    const present = index.pools.get(pool);
    if (!present || going.has(pool) || !isParentPool(present.comment)) continue;
    const below = index.subpools.get(pool) ?? [];
    const isHeld = (index.members.get(pool) ?? []).length > 0 || !below.every((name) => going.has(name));
    if (isHeld) continue;
    // Whoever gave rights there means to use it, and they would go with it.
    const rights = index.poolRights.get(`/pool/${pool}`);
    if (rights) {
      kept.push({ pool, rights });
      continue;
    }
    const removal = makeStep(
      'pool.delete',
      pool,
      {
        reason: 'made for the pools below it, of which none is left',
        dependsOn: below.flatMap((name) => going.get(name) ?? []),
      },
      { pool, comment: present.comment },
    );
    removals.push(removal);
    going.set(pool, removal.id);
  }
  const warnings = kept.map(
    ({ pool, rights }) =>
      `pool ${pool}, which was made for the pools below it, stays, empty: ${nameSome(sortedUnique(rights.map(({ subject }) => subject)))} was given rights on it`,
  );
  return { removals, warnings };
}
