/** What the stories of all commands share: applying steps, and doing something under the planning lock. */
import { handlers } from '../execute/handlers/index.ts';
import { createLimits } from '../execute/limits.ts';
import { acquirePlanningLock, removeLeftLock } from '../execute/mutex.ts';
import { runPlan } from '../execute/scheduler.ts';
import type { RunResult, Secrets } from '../execute/types.ts';
import { InternalError } from '../errors.ts';
import type { Inventory } from '../inventory/types.ts';
import { BALANCE_LOCK_POOL, LOCK_POOL } from '../marks/lock.ts';
import type { Step } from '../plan/document/step.ts';
import type { RunContext } from './context.ts';

const noPassword = (userid: string): Promise<never> =>
  Promise.reject(new InternalError('NO_SECRETS', `no password was provided for ${userid}`));

/** For runs whose steps need no password. */
const NO_SECRETS: Secrets = {
  passwordFor: noPassword,
  replacementFor: noPassword,
  settle: () => Promise.resolve(),
  cloudInitPassword: () => undefined,
};

/** Milliseconds: long enough for one that is about to end. */
const BALANCER_PATIENCE = 10_000;

interface RunExtras {
  readonly secrets?: Secrets;
  readonly onReserved?: () => Promise<void>;
  /** Migrations at once. */
  readonly migrations?: number;
}

export function runSteps(
  steps: readonly Step[],
  context: RunContext,
  { secrets = NO_SECRETS, onReserved, migrations }: RunExtras = {},
): Promise<RunResult> {
  return runPlan(
    { steps },
    {
      handlers,
      io: {
        pve: context.pve,
        tasks: context.tasks,
        clock: context.clock,
        signal: context.hard,
        secrets,
      },
      limits: createLimits({ concurrency: context.concurrency, migrations }),
      onEvent: context.onEvent,
      signal: context.soft,
      ...(onReserved ? { onReserved } : {}),
    },
  );
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

/** Under the lock no other run plans or rewrites claims. `release` may be called before `work` ends. */
export async function withLock<T>(
  context: RunContext,
  work: (release: () => Promise<void>, assertHeld: () => void) => Promise<T>,
): Promise<T> {
  const lock = await acquirePlanningLock(context.pve, context.clock, {
    owner: context.owner,
    ...(context.isGone ? { isGone: context.isGone } : {}),
    signal: context.soft,
    onWait: context.onPhase,
  });
  try {
    return await work(
      () => lock.release(),
      () => lock.assertHeld(),
    );
  } finally {
    await lock.release();
  }
}
