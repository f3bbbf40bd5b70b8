/** What `cleanup` does with its flags: select, plan, remove, render. */
import { isLabName } from '../../lib/config/input/names.ts';
import { UsageError } from '../../lib/errors.ts';
import { isThere } from '../../lib/files/open.ts';
import type { CleanupSelection } from '../../lib/plan/cleanup/context.ts';
import type { Plan } from '../../lib/plan/document/plan.ts';
import { cleanup, previewCleanup, type CleanupWant } from '../../lib/workflow/cleanup.ts';
import { assertOfCleanup } from '../../lib/plan/saved/removals.ts';
import type { RunContext } from '../../lib/workflow/context.ts';
import { listUnknown } from '../../lib/workflow/stands.ts';
import type { Changing } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import { needSelection } from '../selection.ts';
import type { SelectionFlags } from '../selection-options.ts';
import { planFiles, runPlanned, type PlanFlags } from '../planned-command.ts';

export interface CleanupFlags extends PlanFlags, SelectionFlags {
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

function assertOptions(flags: CleanupFlags): void {
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
}

async function selectionOf(flags: CleanupFlags, run: Changing): Promise<CleanupSelection> {
  const { config, users, lab, user, only, expired, orphans } = flags;
  const byStands = [config, users, lab, user, only].some((given) => given !== undefined);
  if ([byStands, expired, orphans].filter((given) => given === true).length > 1) {
    throw new UsageError('SELECTION', 'give one selection: stands, --expired or --orphans', {
      hint: 'run cleanup once for each',
    });
  }
  assertOptions(flags);
  if (expired) return { by: 'expired' };
  if (orphans) return { by: 'orphans' };
  const { stands } = await needSelection(flags, run, {
    command: 'cleanup',
    more: ['--expired', '--orphans'],
  });
  return { by: 'stands', ...stands };
}

/** The file is brought up to date only where deploy left one. */
function credentialsOf(flags: CleanupFlags, selection: CleanupSelection): string | undefined {
  if (flags.credentials !== undefined) return flags.credentials;
  // Any name may be given to --lab; one that is none must not lead to a file elsewhere.
  if (selection.by !== 'stands' || selection.lab === undefined || !isLabName(selection.lab)) return undefined;
  const file = `credentials-${selection.lab}.csv`;
  return isThere(file) ? file : undefined;
}

/** Nothing younger is an orphan. */
function whyIdle({ by }: CleanupSelection, { minAge }: CleanupFlags): string | undefined {
  if (by === 'stands') return undefined;
  const orphans = minAge === 0 ? 'there is no orphan' : 'no orphan is older than --min-age';
  return `Nothing to remove: ${by === 'expired' ? 'no stand has expired' : orphans}`;
}

/** What is gone and a typing error look alike: nothing to do. */
async function warnOfUnknown(run: Changing, selection: CleanupSelection, plan: Plan): Promise<void> {
  if (selection.by !== 'stands' || plan.steps.length > 0) return;
  for (const text of await listUnknown(selection, await run.runContext())) run.output.warn(text);
}

export async function runCleanup(io: ProgramIo, flags: CleanupFlags): Promise<void> {
  const { keep, saved } = await planFiles(flags);
  if (saved) assertOfCleanup(saved);
  await runPlanned(io, flags, async (run) => {
    const selection = await selectionOf(flags, run);
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
      saved: () => (flags.out === undefined ? undefined : { file: flags.out }),
      preview: (context: RunContext) => previewCleanup(want, context),
      apply: (context: RunContext) => cleanup(want, context),
      idle: whyIdle(selection, flags),
      remark: (plan: Plan) => warnOfUnknown(run, selection, plan),
    };
    const credentials = credentialsOf(flags, selection);
    return credentials === undefined ? work : { ...work, credentials, showLogin: false };
  });
}
