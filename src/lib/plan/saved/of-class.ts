/** Whether a saved plan was made for this class, and is of the kind that may be applied from a file. Looks at no cluster. */
import type { Lab, User } from '../../config/types.ts';
import { PlanRefusedError, UsageError } from '../../errors.ts';
import type { DeployPlan, FileDigests, Plan } from '../document/plan.ts';
import { nameSome } from '../document/text.ts';
import { hasRole } from '../document/step-traits.ts';
import { createFindings, messageOf, PLAN_AGAIN, type Findings } from './findings.ts';

export interface SavedFor {
  readonly lab: Lab;
  readonly users: readonly User[];
  /** Absent: the class does not come from files. */
  readonly files?: FileDigests;
}

function otherFiles({ files }: DeployPlan, now: FileDigests, { lab }: SavedFor): string[] {
  const say = (what: string, one: string, other: string | undefined): string[] =>
    one === other
      ? []
      : [
          `${what} says something else than when the plan was made (SHA-256 ${other ?? 'unknown'} then, ${one} now)`,
        ];
  return [...say(lab.file, now.lab, files?.lab), ...say('the users file', now.users, files?.users)];
}

function foreignSteps({ steps, stands }: Plan): Findings {
  const users = new Set(stands.map(({ user }) => user));
  const findings = createFindings();
  for (const step of steps) {
    if (!hasRole(step, 'deploys'))
      findings.add(step.kind, `${step.id}: a deploy takes no step of this kind from a file`);
    else if (step.user !== undefined && !users.has(step.user))
      findings.add('user', `${step.id}: ${step.user} has no stand in the plan`);
  }
  return findings;
}

/** Why `--plan` will not take the plan once it is saved; undefined: it will. */
export function whyOnlyToLookAt(plan: Plan): string | undefined {
  return foreignSteps(plan).count === 0
    ? undefined
    : 'it has removals, which are always planned anew: use --prune in place of --plan FILE';
}

/** The users of the class that the plan is about: `--only` need not be given again. */
export function usersOf<U extends { readonly userid: string }>({ stands }: Plan, users: readonly U[]): U[] {
  const planned = new Set(stands.map(({ user }) => user));
  return users.filter(({ userid }) => planned.has(userid));
}

/** Throws UsageError for the plan of something else, PlanRefusedError for one of other files or with steps of other commands. */
export function assertOfClass(plan: Plan, want: SavedFor): asserts plan is DeployPlan {
  if (plan.command !== 'deploy')
    throw new UsageError('PLAN_OTHER_COMMAND', `the plan was made by ${plan.command}, not by deploy`, {
      hint: PLAN_AGAIN,
    });
  const known = new Set(want.users.map((user) => user.userid));
  const missing = plan.stands.filter(({ user }) => !known.has(user)).map(({ user }) => user);
  const hint = 'give the files that the plan was made from';
  if (plan.lab !== want.lab.name)
    throw new UsageError(
      'PLAN_OTHER_LAB',
      `the plan is for lab ${plan.lab}, the files are for lab ${want.lab.name}`,
      { hint },
    );
  if (missing.length > 0) {
    const about = 'the plan is for users who are not in the users file, or not chosen by --only:';
    throw new UsageError('PLAN_OTHER_LAB', `${about} ${nameSome(missing)}`, {
      hint,
      inFull: `${about} ${missing.join(', ')}`,
    });
  }
  const other = want.files ? otherFiles(plan, want.files, want) : [];
  if (other.length > 0)
    throw new PlanRefusedError(
      'PLAN_OTHER_FILES',
      ['the plan was made from other files:', ...other].join('\n  '),
      {
        hint: PLAN_AGAIN,
      },
    );
  const foreign = foreignSteps(plan);
  if (foreign.count === 0) return;
  const { message, inFull } = messageOf('the plan reaches beyond this class:', foreign);
  throw new PlanRefusedError('PLAN_FOREIGN', message, {
    hint: 'it was edited, or is not one of deploy; what is removed is always planned anew: use --prune in place of --plan FILE',
    inFull,
  });
}
