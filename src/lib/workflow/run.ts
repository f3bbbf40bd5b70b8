/** What the stories of all commands share: applying steps, and doing something under the planning lock. */
import { handlers } from '../execute/handlers/index.ts';
import { createLimits, type NodeLoad } from '../execute/limits.ts';
import { acquirePlanningLock, removeLeftLock, type PlanningLock } from '../execute/cluster-lock.ts';
import { Ownership } from '../execute/ask-ownership.ts';
import type { OwnershipReads } from '../execute/ownership-reading.ts';
import { createSeals } from '../execute/seals.ts';
import { runPlan } from '../execute/scheduler.ts';
import { StepError } from '../execute/step-error.ts';
import type { RunResult, Secrets } from '../execute/types.ts';
import { PlanRefusedError } from '../errors.ts';
import { unlessForbidden } from '../inventory/forbidden.ts';
import { readPools, type PoolReading } from '../inventory/pools.ts';
import type { Inventory, NodeInfo } from '../inventory/types.ts';
import { BALANCE_LOCK_POOL, LOCK_POOL } from '../marks/lock.ts';
import type { Step } from '../plan/document/step.ts';
import type { ResourceRow } from '../proxmox/types.ts';
import type { RunContext } from './context.ts';
import { NO_SECRETS } from './secrets.ts';
import { Turns } from './turns.ts';

/** How often a run plans whose lock is taken over each time. */
const MOST_PLANNINGS = 3;

/** Milliseconds: long enough for one that is about to end. */
const BALANCER_PATIENCE = 10_000;

interface RunExtras {
  readonly secrets?: Secrets;
  /** The planning lock in which the steps were planned: given back once nothing is left to be reserved. */
  readonly lock?: PlanningLock;
  /** The same where it is kept to the end, by whoever took it. */
  readonly under?: PlanningLock;
  /** Migrations at once. */
  readonly migrations?: number;
  /** Whose threads tell how many machines may start on them at first. */
  readonly nodes?: readonly Pick<NodeInfo, 'name' | 'cpus'>[];
  /** Between two starts on a node. */
  readonly staggerSeconds?: number | undefined;
}

function takeLock(context: RunContext, signal: AbortSignal): Promise<PlanningLock> {
  return acquirePlanningLock(context.pve, context.clock, {
    owner: context.owner,
    ...(context.isGone ? { isGone: context.isGone } : {}),
    signal,
    onWait: context.onPhase,
  });
}

/**
 * What roles hold and whom groups have is changed by administrators, and seldom: who may write pools is judged by lists of
 * them that are no older than this. Claims, members and the access control list itself are read each time.
 */
const SELDOM_CHANGED_MS = 30_000;

/** Reads it again when it is older than that. A reading that failed is none: the step that asked tries again. */
function keeping<T>(
  ms: number,
  now: () => number,
  read: () => Promise<T>,
  known?: { readonly at: number; readonly value: T },
): () => Promise<T> {
  let kept: { readonly at: number; readonly value: Promise<T> } | undefined = known && {
    at: known.at,
    value: Promise.resolve(known.value),
  };
  return () => {
    if (kept && now() - kept.at <= ms) return kept.value;
    const fresh = { at: now(), value: read() };
    fresh.value.catch(() => {
      if (kept === fresh) kept = undefined;
    });
    kept = fresh;
    return fresh.value;
  };
}

/** What planning read of the pools handlers read the same way: three lists instead of two, once in 5 s at most. */
export function ownershipReads(
  context: Pick<RunContext, 'pve' | 'hard' | 'caller' | 'operators' | 'readings'>,
): OwnershipReads {
  const { pve, hard, readings } = context;
  const kept = readings?.take();
  const quietly = (): (() => void) => () => undefined;
  const now = (): number => pve.serverTime().getTime();
  // What the caller sees changes when its own rights do: once per run is enough, and the list is long.
  const known = <T>(value: (reading: PoolReading) => T) =>
    kept && { at: now() - ((readings?.now() ?? kept.at) - kept.at), value: value(kept.pools) };
  const rights = keeping(
    Number.POSITIVE_INFINITY,
    now,
    () => pve.permissions(hard),
    known((reading) => reading.rights),
  );
  const roles = keeping(
    SELDOM_CHANGED_MS,
    now,
    () => unlessForbidden(pve.roles(hard), [], () => undefined),
    known(({ rolePrivileges }) =>
      Object.entries(rolePrivileges).map(([role, privileges]) => ({ role, privileges })),
    ),
  );
  const users = keeping(
    SELDOM_CHANGED_MS,
    now,
    () => pve.users(hard),
    known((reading) => reading.users),
  );
  return {
    ...(kept ? { kept } : {}),
    pools: () => readPools(context, quietly, { rights: rights(), roles: roles(), users: users() }),
    comments: (signal) => pve.pools(signal),
    users: (signal) => pve.users(signal),
    pool: (pool, signal) => pve.pool(pool, signal),
    resources: (signal) => pve.resources(signal),
    guestConfig: (guest, signal) => pve.guestConfig(guest, signal),
  };
}

/** A node that the caller may not audit is listed without its load. */
function loadsOf(rows: readonly ResourceRow[]): NodeLoad[] {
  return rows.flatMap(({ type, node, cpu, maxcpu }) =>
    type === 'node' && node !== undefined && cpu !== undefined && maxcpu !== undefined
      ? [{ node, cpu, cpus: maxcpu }]
      : [],
  );
}

/** A comment that was planned before it would undo what the other run wrote: a claim, a freeze. */
async function assertHeld(lock: PlanningLock | undefined): Promise<void> {
  if (!lock || (await lock.isHeld())) return;
  throw new StepError(
    'PLANNING_LOCK_LOST',
    `another run took over the lock ${LOCK_POOL} of this cluster since this was planned`,
    { hint: 'run the command again: it plans anew from what is there' },
  );
}

export async function runSteps(
  steps: readonly Step[],
  context: RunContext,
  { secrets = NO_SECRETS, lock, under = lock, migrations, nodes, staggerSeconds }: RunExtras = {},
): Promise<RunResult> {
  const { pve, tasks, clock, hard, caller } = context;
  const turns = new Turns(() => takeLock(context, hard), clock, lock);
  const io = {
    ...{ pveFor: pve.forStep, tasks, clock, secrets },
    signal: hard,
    seals: createSeals(),
    ownership: new Ownership(ownershipReads(context), clock, hard),
    exclusively: turns.exclusively,
    assertNobodyPlanned: () => assertHeld(under),
    ...(caller === undefined ? {} : { caller }),
  };
  try {
    return await runPlan(
      { steps },
      {
        handlers,
        io,
        limits: createLimits({
          ...{ concurrency: context.concurrency, migrations, nodes },
          ...(staggerSeconds === undefined
            ? {}
            : { stagger: { ms: staggerSeconds * 1000, now: () => clock.now() } }),
        }),
        readLoads: async (signal) => loadsOf(await pve.resources(signal)),
        onEvent: context.onEvent,
        signal: context.soft,
        ...(lock ? { onReserved: turns.leave } : {}),
      },
    );
  } finally {
    // Read meanwhile for somebody else, it does not know what was written here.
    context.readings?.take();
    await turns.end();
  }
}

/** One balancer at a time, for as long as it moves guests; another one is not waited for. */
export async function withBalanceLock<T>(context: RunContext, work: () => Promise<T>): Promise<T> {
  const lock = await acquirePlanningLock(context.pve, context.clock, {
    owner: context.owner,
    ...(context.isGone ? { isGone: context.isGone } : {}),
    pool: BALANCE_LOCK_POOL,
    patience: BALANCER_PATIENCE,
    signal: context.soft,
    onWait: context.onPhase,
  });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** A run that was killed between its last write and giving the lock back leaves the lock: nothing else is to be done. */
export async function tidyLock(have: Pick<Inventory, 'pools'>, context: RunContext): Promise<void> {
  for (const lock of [LOCK_POOL, BALANCE_LOCK_POOL]) {
    if (have.pools.some(({ pool }) => pool === lock))
      await removeLeftLock(context.pve, context.clock, { ...context, pool: lock });
  }
}

interface Locked<P, T> {
  readonly plan: () => Promise<P>;
  /** The lock may be given back before it ends. */
  readonly apply: (planned: P, lock: PlanningLock) => Promise<T>;
}

/**
 * Under the lock no other run plans or rewrites claims. Where another one took it over before the planning was done
 * (it was slow, or the machine slept), it is taken and planned again.
 */
export async function underPlanningLock<P, T>(
  context: RunContext,
  { plan, apply }: Locked<P, T>,
): Promise<T> {
  for (let tries = 0; tries < MOST_PLANNINGS; tries += 1) {
    const lock = await takeLock(context, context.soft);
    try {
      const planned = await plan();
      if (await lock.isHeld()) return await apply(planned, lock);
      context.onPhase('planning again: another run took over the planning lock meanwhile');
    } finally {
      await lock.release();
    }
  }
  throw new PlanRefusedError(
    'PLANNING_LOCK_LOST',
    `other runs took over the lock ${LOCK_POOL} of this cluster ${MOST_PLANNINGS} times while this one planned`,
    { hint: 'run the command again: it plans anew from what is there' },
  );
}
