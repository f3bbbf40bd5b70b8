/** What the plans of `users` are asked for and what their parts share. */
import { nameIn } from '../../pve-values/userid.ts';
import type { Lab, PasswordPolicy, User } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import type { PlannedStand, Refusal } from '../document/plan.ts';
import type { Step } from '../document/step.ts';
import type { KeptAccount } from '../document/steps/users.ts';

/** `named`: each user was asked for by name, so that one that cannot be dealt with is refused, not passed over. */
export type UsersWork =
  | { readonly by: 'create'; readonly users: readonly User[] }
  | {
      readonly by: 'sync';
      readonly users: readonly User[];
      /** Role on the pool. */
      readonly role: string;
      /** Of whose files the class is; absent: of none. */
      readonly lab?: Pick<Lab, 'expires' | 'file' | 'name'>;
      /** What becomes of users of ours that the file does not name. */
      readonly disable: boolean;
      readonly prune: boolean;
    }
  | { readonly by: 'delete'; readonly users: readonly User[]; readonly named: boolean }
  | {
      readonly by: 'passwd';
      readonly users: readonly User[];
      readonly named: boolean;
      /** Delete and create instead of setting: the only way for an API token. */
      readonly recreate: boolean;
      /** Also users without our mark. */
      readonly forceForeign: boolean;
      /** Userid → what a run that was cut short had to give back to a user that it made anew. */
      readonly kept?: ReadonlyMap<string, KeptAccount>;
    };

export interface UsersInput {
  readonly work: UsersWork;
  readonly passwords: PasswordPolicy;
  readonly have: Inventory;
}

export interface UsersContext {
  readonly have: Inventory;
  readonly index: ClusterView;
  /** ISO 8601 UTC, for marks. */
  readonly since: string;
}

/** What is planned for one user. */
export interface UserDraft {
  readonly stand: PlannedStand;
  /** Under the planning lock, before all others. */
  readonly poolSteps: readonly Step[];
  readonly steps: readonly Step[];
}

export function draft(
  { userid, pool }: Pick<User, 'userid' | 'pool'>,
  parts: {
    readonly poolSteps?: readonly Step[];
    readonly steps?: readonly Step[];
    readonly notes?: readonly string[];
    readonly refused?: Refusal;
  },
): UserDraft {
  const { poolSteps = [], steps = [], notes = [], refused } = parts;
  const stand = { user: userid, pool, vms: [], bridges: [], notes, ...(refused ? { refused } : {}) };
  return { stand, poolSteps, steps };
}

/** Pools that are marked as this user's. */
export function poolsOfUser(userid: string, index: ClusterView): string[] {
  return [...index.marks]
    .filter(([, mark]) => mark.user === userid)
    .map(([pool]) => pool)
    .sort(compareNatural);
}

/** For users that no file names. */
export function poolNameOf(userid: string, index: ClusterView): string {
  return poolsOfUser(userid, index)[0] ?? nameIn(userid);
}

/** Labs of which this user has a stand, or bridges of one. */
export function labsOf(userid: string, index: ClusterView): string[] {
  const claimed = poolsOfUser(userid, index).flatMap((pool) =>
    (index.marks.get(pool)?.claims ?? []).map((claim) => claim.lab),
  );
  const bridged = [...index.standBridges.values()]
    .flat()
    .flatMap(({ lab, user }) => (user === userid ? [lab] : []));
  return sortedUnique([...claimed, ...bridged]);
}
