/** The story of `users`: read, plan, and, where pools or users come and go, plan and apply under the planning lock. */
import { hasRole } from '../plan/document/step-traits.ts';
import type { PasswordPolicy, User } from '../config/types.ts';
import type { CredentialsFile } from '../credentials/credentials-file.ts';
import { ConnectionError } from '../errors.ts';
import type { RunResult } from '../execute/types.ts';
import type { RunOutcome } from '../outcome/types.ts';
import type { ReadContext } from '../inventory/pools.ts';
import { readInventory } from '../inventory/read.ts';
import type { Inventory } from '../inventory/types.ts';
import { vmidsClaimedBy } from '../marks/pool.ts';
import { usersScope } from '../privileges/scopes.ts';
import type { Plan } from '../plan/document/plan.ts';
import { planUsers } from '../plan/users/users.ts';
import type { UsersWork } from '../plan/users/context.ts';
import { userRows as rowsOf, type UserRow } from '../plan/users/list.ts';
import { recordRemoved } from './cleanup.ts';
import { assertWithinLimit } from './removal-limit.ts';
import type { PlanContext } from './context.ts';
import type { DeployContext } from './deploy.ts';
import { planToApply, preview, runStory, type Planned, type Preview, type Request } from './planned-run.ts';
import { runSteps } from './run.ts';
import { undecidedIn } from './stands.ts';
import { createUserSecrets, settleExisting } from './secrets.ts';

export interface UsersWant {
  readonly work: UsersWork;
  /** How new passwords are made. */
  readonly passwords: PasswordPolicy;
  /** Refuse a plan with more removals than this. */
  readonly maxChanges?: number;
}

/** No configuration of any VM is needed. */
function read(context: ReadContext): Promise<Inventory> {
  return readInventory(context, { templates: [], claimed: () => [], rights: true });
}

/**
 * For what is told of machines: the cluster's own list knows of a new one's name and state some 10 s later. Where the claim
 * does not tell yet whose one is, its configuration does.
 */
export function readWithMachines(context: ReadContext): Promise<Inventory> {
  return readInventory(context, {
    templates: [],
    claimed: (...seen) => undecidedIn({}, ...seen),
    live: vmidsClaimedBy,
  });
}

function planRequest({ work, passwords, maxChanges }: UsersWant, have: Inventory): Request {
  return {
    have,
    make: () => {
      const plan = planUsers({ work, passwords, have });
      assertWithinLimit(plan, maxChanges);
      return plan;
    },
    scope: (locks) => usersScope(work, locks),
    takesLock: isLocked,
  };
}

function isLocked({ steps }: Plan): boolean {
  return steps.some((step) => hasRole(step, 'told-to-planners'));
}

/** The users named, or all of ours, as they are on the cluster. */
export async function listUsers(
  users: readonly User[] | undefined,
  context: ReadContext,
  credentials?: CredentialsFile,
): Promise<readonly UserRow[]> {
  const isKnown = (userid: string): boolean => credentials?.known(userid) !== undefined;
  return rowsOf(await readWithMachines(context), users, isKnown);
}

/** Reads and plans; changes nothing. `lacking`: what the caller may not do of it. */
export async function previewUsers(want: UsersWant, context: PlanContext): Promise<Preview> {
  return preview(planRequest(want, await read(context)), context);
}

/**
 * PVE lets no API token set a password (pve-access-control API2/AccessControl.pm): said before anything is changed.
 * `anew`: what makes the users again instead, for people.
 */
export function assertMaySetPasswords(login: 'token' | 'password', anew: string): void {
  if (login === 'password') return;
  throw new ConnectionError(
    'TOKEN_CANNOT_SET_PASSWORD',
    'PVE lets no API token set a password; nothing was changed',
    {
      hint: `log in with a password (PVE_USER and PVE_PASSWORD, or \`use_token: false\`), or ${anew}: users are deleted and created again with their details and rights; API tokens and second factors of theirs are lost`,
    },
  );
}

/** Users who are no part of the file are not written into the class's credentials. */
async function settleClass({ work }: UsersWant, { plan, have }: Planned, file: CredentialsFile) {
  if (work.by !== 'create' && work.by !== 'sync') return;
  const named = new Set(work.users.map((user) => user.userid));
  await settleExisting({ stands: plan.stands.filter((stand) => named.has(stand.user)) }, have, file);
}

async function apply(want: UsersWant, plan: Plan, context: DeployContext): Promise<RunResult> {
  const people = plan.stands.map(({ user, pool }) => ({ userid: user, pool }));
  const result = await runSteps(plan.steps, context, {
    secrets: createUserSecrets(want.passwords, people, context.credentials),
  });
  await recordRemoved(plan, result.results, context);
  return result;
}

/** Throws before the first write, never after. */
export function changeUsers(want: UsersWant, context: DeployContext): Promise<RunOutcome> {
  return runStory(
    {
      look: async () => planToApply(planRequest(want, await read(context)), context),
      takesLock: ({ plan }) => isLocked(plan),
      settle: (planned) => settleClass(want, planned, context.credentials),
      apply: (plan) => apply(want, plan, context),
    },
    context,
  );
}
