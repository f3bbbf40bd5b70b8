/** Makes a plan together with what its caller lacks for it, and refuses before the first write. Never asks PVE itself. */
import { groupBy } from '../group.ts';
import { sortedUnique } from '../order.ts';
import { ConnectionError, PlanRefusedError, type ConfigIssue } from '../errors.ts';
import type { Scope } from '../privileges/command-rules.ts';
import { requiredUnplanned } from '../privileges/examine.ts';
import {
  aclCommands,
  grantsFor,
  isRoleMaking,
  roleCommands,
  tokenCommands,
  type Grant,
} from '../privileges/grants.ts';
import { studentRoleCommand } from '../plan/stands/roles.ts';
import { missing, requiredByPlan, requiredByScope } from '../privileges/required.ts';
import type { Known, Requirement } from '../privileges/types.ts';
import type { Plan } from '../plan/document/plan.ts';
import { tokenIn } from '../pve-values/userid.ts';
import type { RunContext } from './context.ts';

type Caller = Pick<RunContext, 'caller' | 'preflight'>;

export interface PlanRequest {
  readonly have: Known;
  readonly make: () => Plan;
  /** What the command is about; `locks`: whether the planning lock will be taken. */
  readonly scope: (locks: boolean) => Scope;
  readonly takesLock: (plan: Plan) => boolean;
}

export interface CheckedPlan {
  readonly plan: Plan;
  /** What would be refused. Empty when the check is off. */
  readonly lacking: readonly Requirement[];
}

/** What is lacking on the same paths for the same reason, and what would do in place of each. */
function describe(needs: readonly Requirement[], caller: string): ConfigIssue {
  const [first] = needs as [Requirement];
  const { grantOn, reason, reaches, steps, instead } = first;
  const paths = sortedUnique(needs.map(({ path }) => path));
  const [path = ''] = paths;
  const privileges = sortedUnique(needs.flatMap(({ anyOf }) => anyOf.slice(0, 1)));
  const lacks = [privileges.join(', '), ...first.anyOf.slice(1)].join(' or ');
  const below = reaches ? ', with propagation' : '';
  const other = instead ? `, or ${instead.anyOf.join(' or ')} on ${instead.path}` : '';
  return {
    file: caller,
    path: paths.length === 1 ? path : `${path} and ${paths.length - 1} more`,
    message: `lacks ${lacks}${below}${other}: ${reason} (${steps.join(', ')})`,
    ...(grantOn === path || isRoleMaking(first) ? {} : { hint: `grant it on ${grantOn}` }),
  };
}

/** One line for all privileges and paths that are lacking for the same reason. */
export function describeLacking(lacking: readonly Requirement[], caller: string): ConfigIssue[] {
  const alike = groupBy(lacking, ({ grantOn, anyOf, reason }) =>
    [grantOn, anyOf.join('|'), reason].join(' '),
  );
  const groups = groupBy([...alike.values()], (needs) => {
    const [{ grantOn, anyOf, reason, reaches, instead }] = needs as [Requirement];
    const paths = sortedUnique(needs.map(({ path }) => path)).join('|');
    return [grantOn, anyOf.slice(1).join('|'), reason, reaches, instead?.path, paths].join(' ');
  });
  return [...groups.values()].map((needs) => describe(needs.flat(), caller));
}

/** PVE does not tell a token whether it is separated from its owner. */
function aclLines(grants: readonly Grant[], caller: string): string[] {
  const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
  if (grants.length === 0) return [];
  if (tokenIn(caller) === undefined) return indented(aclCommands(grants, caller));
  const { owner, token } = tokenCommands(grants, caller);
  return [
    ...indented(owner),
    ...(owner.length === 0
      ? []
      : [
          'and to the token as well, if it has privilege separation (without it, the ACLs of its owner are all that counts):',
        ]),
    ...indented(token),
  ];
}

/** The roles are complete for their paths: an ACL replaces what the caller inherits there. */
function howToGrant(
  lacking: readonly Requirement[],
  required: readonly Requirement[],
  caller: string,
  have: Known,
): string {
  const paths = new Set(lacking.map(({ grantOn }) => grantOn));
  const grants = grantsFor(required).filter(({ path }) => paths.has(path));
  return [
    ...(lacking.some(isRoleMaking)
      ? ['an administrator makes the role, once for the cluster:', `  ${studentRoleCommand(have)}`]
      : []),
    ...(grants.length > 0
      ? ['an administrator grants it so (an ACL replaces what is inherited on its path):']
      : []),
    ...roleCommands(grants, have.roles).map((line) => `  ${line}`),
    ...aclLines(grants, caller),
    '`deploy-stand doctor` tells more; --no-preflight tries all the same',
  ].join('\n');
}

function lackingError(
  lacking: readonly Requirement[],
  required: readonly Requirement[],
  have: Known,
  caller = 'CALLER',
): ConnectionError {
  const issues = describeLacking(lacking, caller);
  return new ConnectionError(
    'MISSING_PRIVILEGES',
    `${caller} lacks privileges for this; nothing was changed`,
    {
      issues,
      hint: howToGrant(lacking, required, caller, have),
    },
  );
}

function lackingOf(required: readonly Requirement[], { rights }: Known): Requirement[] {
  return rights ? missing(required, rights).filter(({ advice }) => !advice) : [];
}

interface Checked extends CheckedPlan {
  readonly required: readonly Requirement[];
}

/** A plan that is refused for what the caller cannot see is refused for its rights. */
function check({ have, make, scope, takesLock }: PlanRequest, { caller, preflight = true }: Caller): Checked {
  if (!preflight) return { plan: make(), required: [], lacking: [] };
  let plan: Plan;
  try {
    plan = make();
  } catch (error) {
    const seen = lackingOf(requiredByScope(scope(true), have), have);
    if (!(error instanceof PlanRefusedError) || seen.length === 0) throw error;
    const required = requiredUnplanned(scope(true), have);
    throw lackingError(lackingOf(required, have), required, have, caller);
  }
  const required = [...requiredByScope(scope(takesLock(plan)), have), ...requiredByPlan(plan, have)];
  return { plan, required, lacking: lackingOf(required, have) };
}

/** For runs that write nothing and need rights all the same: throws before they do what needs them. */
export function assertPermitted(scope: Scope, have: Known, { caller, preflight = true }: Caller): void {
  const required = requiredByScope(scope, have);
  const lacking = preflight ? lackingOf(required, have) : [];
  if (lacking.length > 0) throw lackingError(lacking, required, have, caller);
}

/** For runs that only show the plan. */
export function planChecked(request: PlanRequest, context: Caller): CheckedPlan {
  const { plan, lacking } = check(request, context);
  return { plan, lacking };
}

/** For runs that are going to write: throws before they do. */
export function planPermitted(request: PlanRequest, context: Caller): Plan {
  const { plan, required, lacking } = check(request, context);
  if (lacking.length > 0) throw lackingError(lacking, required, request.have, context.caller);
  return plan;
}
