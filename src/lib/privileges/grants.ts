/** The least ACLs and roles that a list of requirements comes to, and PVE's commands that make them. Pure. */
import { ROOT, userIn } from '../pve-values/userid.ts';
import type { Requirement } from './types.ts';
import { addRoleCommand, giveRightCommand, widenRoleCommand } from '../pve-values/admin-commands.ts';

/** One ACL with its role. */
export interface Grant {
  readonly path: string;
  readonly role: string;
  /** Sorted. */
  readonly privileges: readonly string[];
  readonly propagate: boolean;
}

const FAMILIES: readonly (readonly [prefix: string, name: string])[] = [
  ['/vms/', 'template'],
  ['/vms', 'vms'],
  ['/pool', 'pool'],
  ['/storage', 'storage'],
  ['/nodes', 'nodes'],
  ['/sdn', 'sdn'],
  ['/access/realm', 'realm'],
  ['/access/groups', 'groups'],
  ['/access', 'access'],
];

function familyOf(path: string): string {
  return FAMILIES.find(([prefix]) => path.startsWith(prefix))?.[1] ?? 'root';
}

/** What has to be there comes first; of several that would do, one that is there already, else the first. */
function cover(needs: readonly Requirement[]): Set<string> {
  const chosen = new Set(needs.flatMap(({ anyOf }) => (anyOf.length === 1 ? anyOf : [])));
  for (const { anyOf } of needs) {
    const [first] = anyOf;
    if (first !== undefined && !anyOf.some((privilege) => chosen.has(privilege))) chosen.add(first);
  }
  return chosen;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** An ACL further down replaces what comes from above (AccessControl.pm, `roles`), so it repeats what has to reach it. */
function needsOn(path: string, required: readonly Requirement[]): Requirement[] {
  return required.filter(
    (need) => need.grantOn === path || (need.reaches && path.startsWith(`${need.grantOn}/`)),
  );
}

/** What all VMs give, their pools need not, and the other way round. */
function withoutDoubles(required: readonly Requirement[]): Requirement[] {
  const onVms = cover(required.filter(({ path, viaPool }) => path === '/vms' && viaPool === undefined));
  const isDoubled = ({ viaPool, anyOf }: Requirement, held: ReadonlySet<string>): boolean =>
    viaPool !== undefined && anyOf.some((privilege) => held.has(privilege));
  const single = required.filter((need) => need.grantOn !== '/pool' || !isDoubled(need, onVms));
  const onPools = cover(needsOn('/pool', single));
  return single.filter((need) => need.grantOn === '/pool' || !isDoubled(need, onPools));
}

/**
 * A role is made once. Whoever may make roles gives himself whatever he wants, so nobody is granted that for it: an
 * administrator makes the role instead.
 */
export function isRoleMaking({ steps }: Requirement): boolean {
  return steps.length > 0 && steps.every((kind) => kind === 'role.create');
}

/** Is what would do in its place granted all the same, for another reason? */
function isMetOtherwise({ instead }: Requirement, firm: readonly Requirement[]): boolean {
  if (!instead) return false;
  return firm.some(
    ({ grantOn, anyOf }) => grantOn === instead.path && anyOf.every((one) => instead.anyOf.includes(one)),
  );
}

/** Exactly what is required; advice is left out, and the right to make roles. */
export function grantsFor(required: readonly Requirement[]): Grant[] {
  const all = withoutDoubles(required.filter((need) => !need.advice && !isRoleMaking(need)));
  const firm = all.filter((need) => !isMetOtherwise(need, all));
  const paths = [...new Set(firm.map((need) => need.grantOn))].sort(compare);
  const roles = new Map<string, string>();
  const counts = new Map<string, number>();
  return paths.map((path) => {
    const privileges = [...cover(needsOn(path, firm))].sort(compare);
    const family = familyOf(path);
    const key = `${family} ${privileges.join()}`;
    const count = counts.get(family) ?? 0;
    const role = roles.get(key) ?? `deploy-stand-${family}${count === 0 ? '' : `-${count + 1}`}`;
    if (!roles.has(key)) counts.set(family, count + 1);
    roles.set(key, role);
    return { path, role, privileges, propagate: path !== '/' };
  });
}

/** A role that is there is added to: other accounts, and other commands of this one, may live on what it has. */
export function roleCommands(grants: readonly Grant[], present: readonly string[]): string[] {
  const roles = new Map(grants.map(({ role, privileges }) => [role, privileges]));
  return [...roles].map(([role, privileges]) => {
    return present.includes(role) ? widenRoleCommand(role, privileges) : addRoleCommand(role, privileges);
  });
}

export function aclCommands(grants: readonly Grant[], userid: string): string[] {
  return grants.map((grant) => giveRightCommand({ ...grant, type: 'user' }, userid));
}

/** What a token lacks: its owner has to have it, and with privilege separation the token has to have it as well. */
export interface TokenCommands {
  readonly owner: readonly string[];
  readonly token: readonly string[];
}

/** Nothing is refused to root itself, and so only its tokens need anything. */
export function tokenCommands(grants: readonly Grant[], tokenid: string): TokenCommands {
  const owner = userIn(tokenid);
  return {
    owner: owner === ROOT ? [] : aclCommands(grants, owner),
    token: grants.map((grant) => giveRightCommand({ ...grant, type: 'token' }, tokenid)),
  };
}
