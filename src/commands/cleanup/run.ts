/** What `cleanup` does with its flags: select, plan, remove, render. */
import { isLabName } from '../../lib/config/input/names.ts';
import { UsageError } from '../../lib/errors.ts';
import { isThere } from '../../lib/files/open.ts';
import type { CleanupSelection } from '../../lib/plan/cleanup/context.ts';
import type { Plan } from '../../lib/plan/document/plan.ts';
import { assertOfCleanup } from '../../lib/plan/saved/removals.ts';
import { cleanup, listLabs, previewCleanup, type CleanupWant } from '../../lib/workflow/cleanup.ts';
import type { RunContext } from '../../lib/workflow/context.ts';
import type { Changing } from '../changing.ts';
import type { ProgramIo } from '../io.ts';
import { planFiles, runPlanned, type PlanFlags } from '../planned-command.ts';
import { loadWant } from '../want.ts';

export interface CleanupFlags extends PlanFlags {
  readonly config?: string;
  readonly users?: readonly string[];
  readonly labName?: string;
  readonly lab?: string;
  readonly user?: string[];
  readonly expired?: true;
  readonly orphans?: true;
  readonly keepUsers?: true;
  readonly adopt?: true;
  readonly includeMembers?: true;
  readonly forceProtected?: true;
  readonly maxChanges?: number;
  readonly minAge: number;
  readonly timeout: number;
  readonly credentials?: string;
  readonly out?: string;
  readonly plan?: string;
}

/** An empty value is a variable that was not set. */
function named(lab: string): string {
  if (lab.trim() !== '') return lab;
  throw new UsageError('SELECTION', '--lab is empty', {
    hint: 'name a lab; without a selection cleanup lists them',
  });
}

/** Any user of the cluster, but as PVE writes them: nothing would be found for another spelling. */
function usersNamed(users: readonly string[]): readonly string[] {
  const wrong = users.filter((user) => !/^.+@[^@]+$/.test(user));
  if (wrong.length === 0) return users;
  const given = wrong.map((user) => JSON.stringify(user)).join(', ');
  throw new UsageError('SELECTION', `--user takes name@realm, got ${given}`, {
    hint: 'for example: --user anna@pve',
  });
}

/** Undefined: nothing was selected. */
function selectionOf(flags: CleanupFlags, warn: (text: string) => void): CleanupSelection | undefined {
  const given = [
    flags.config !== undefined || flags.users !== undefined,
    flags.lab !== undefined,
    flags.user !== undefined,
    flags.expired,
    flags.orphans,
  ].filter((one) => one === true);
  if (given.length > 1) {
    throw new UsageError(
      'SELECTION',
      'give one selection: -c with -u, --lab, --user, --expired or --orphans',
      {
        hint: 'run cleanup once for each',
      },
    );
  }
  if (flags.adopt && flags.config === undefined) {
    throw new UsageError(
      'ADOPT_SELECTION',
      '--adopt needs -c and -u: stands without marks are known by the names in these files',
      {
        hint: 'use cleanup --adopt -c lab.yml -u users.yml',
      },
    );
  }
  if (flags.includeMembers && flags.orphans) {
    throw new UsageError(
      'MEMBERS_SELECTION',
      '--include-members does not go with --orphans: how old a machine is that a student made, nobody can tell',
      { hint: 'use cleanup --user ID --include-members' },
    );
  }
  if (flags.lab !== undefined) return { by: 'lab', lab: named(flags.lab) };
  if (flags.user !== undefined) return { by: 'user', users: usersNamed(flags.user) };
  if (flags.expired) return { by: 'expired' };
  if (flags.orphans) return { by: 'orphans' };
  if (flags.config === undefined && flags.users === undefined) return undefined;
  if (flags.config === undefined || flags.users === undefined) {
    throw new UsageError('SELECTION', '-c and -u belong together: the stands of these users in this lab', {
      hint: 'for all users of a lab use --lab NAME, for all labs of a user --user ID',
    });
  }
  const { lab, users, warnings } = loadWant({ ...flags, config: flags.config }, undefined, {
    isWhole: false,
  });
  warnings.forEach(warn);
  return {
    by: 'class',
    lab: lab.name,
    machines: lab.machines.map((machine) => machine.name),
    users: users.map(({ userid, pool }) => ({ userid, pool })),
  };
}

/** The file is brought up to date only where deploy left one. */
function credentialsOf(flags: CleanupFlags, selection: CleanupSelection): string | undefined {
  if (flags.credentials !== undefined) return flags.credentials;
  if (selection.by !== 'class' && selection.by !== 'lab') return undefined;
  // Any name may be given to --lab; one that is none must not lead to a file elsewhere.
  if (!isLabName(selection.lab)) return undefined;
  const file = `credentials-${selection.lab}.csv`;
  return isThere(file) ? file : undefined;
}

async function labsThere(run: Changing): Promise<string> {
  const labs = await listLabs(await run.runContext());
  const list = labs.map(({ lab, stands }) => `${lab} (${stands} ${stands === 1 ? 'stand' : 'stands'})`);
  return list.length === 0 ? 'there are no labs on this cluster' : `labs on this cluster: ${list.join(', ')}`;
}

/** A lab that is gone and a name with a typing error look alike: nothing to do. */
async function warnOfUnknownLab(run: Changing, selection: CleanupSelection, plan: Plan): Promise<void> {
  if (selection.by !== 'lab' || plan.stands.length > 0) return;
  run.output.warn(`nothing of lab ${selection.lab} is there; ${await labsThere(run)}`);
}

async function refuseWithoutSelection(run: Changing): Promise<never> {
  throw new UsageError('NO_SELECTION', 'cleanup needs to be told what to remove', {
    hint: [
      'use -c lab.yml -u users.yml, --lab NAME, --user ID, --expired or --orphans',
      await labsThere(run),
    ].join('\n'),
  });
}

export async function runCleanup(io: ProgramIo, flags: CleanupFlags): Promise<void> {
  const { keep, saved } = await planFiles(flags);
  if (saved) assertOfCleanup(saved);
  await runPlanned(io, flags, async (run) => {
    const selection =
      selectionOf(flags, (text) => run.output.warn(text)) ?? (await refuseWithoutSelection(run));
    const want: CleanupWant = {
      selection,
      options: {
        keepUsers: flags.keepUsers === true,
        adopt: flags.adopt === true,
        includeMembers: flags.includeMembers === true,
        forceProtected: flags.forceProtected === true,
        lockWaitSeconds: flags.timeout,
        minAgeSeconds: flags.minAge,
      },
      keep,
      ...(saved ? { saved } : {}),
      ...(flags.maxChanges === undefined ? {} : { maxChanges: flags.maxChanges }),
    };
    const work = {
      keep,
      preview: (context: RunContext) => previewCleanup(want, context),
      apply: (context: RunContext) => cleanup(want, context),
      remark: (plan: Plan) => warnOfUnknownLab(run, selection, plan),
    };
    const credentials = credentialsOf(flags, selection);
    return credentials === undefined ? work : { ...work, credentials, showLogin: false };
  });
}
