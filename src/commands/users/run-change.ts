/** What `users create`, `sync`, `delete` and `passwd` do with their flags: one frame, four kinds of work. */
import { toResultDocument } from '../../lib/render/result-json.ts';
import { renderPlan } from '../../lib/render/plan-text.ts';
import { renderSummary } from '../../lib/render/summary-text.ts';
import type { UsersWork } from '../../lib/plan/users/context.ts';
import { exitCodeOf } from '../../lib/outcome/exit-code.ts';
import {
  assertMaySetPasswords,
  changeUsers,
  previewUsers,
  type UsersWant,
} from '../../lib/workflow/users.ts';
import { runChanging } from '../changing.ts';
import type { ProgramIo } from '../io.ts';
import {
  credentialsPath,
  passwordsOf,
  readSelection,
  roleOf,
  selectedUsers,
  type Selection,
  type UsersFlags,
} from './selection.ts';

export interface UsersChangeFlags extends UsersFlags {
  readonly dryRun?: true;
  readonly encryptTo?: readonly string[];
  readonly detailedExitcode?: true;
  readonly maxChanges?: number;
  readonly disable?: true;
  readonly prune?: true;
  readonly recreate?: true;
  readonly forceForeign?: true;
}

const PENDING = 6;

function workOf(by: UsersWork['by'], selection: Selection, flags: UsersChangeFlags): UsersWork {
  const users = selectedUsers(selection);
  const { named } = selection;
  switch (by) {
    case 'create':
      return { by, users };
    case 'sync':
      return {
        by,
        users,
        role: roleOf(selection),
        disable: flags.disable === true,
        prune: flags.prune === true,
      };
    case 'delete':
      return { by, users, named };
    case 'passwd':
      return {
        by,
        users,
        named,
        recreate: flags.recreate === true,
        forceForeign: flags.forceForeign === true,
      };
  }
}

export async function runUsersChange(
  io: ProgramIo,
  flags: UsersChangeFlags,
  by: UsersWork['by'],
): Promise<void> {
  await runChanging(io, flags, async (run) => {
    const selection = readSelection(flags, (text) => run.output.warn(text));
    const want: UsersWant = {
      work: workOf(by, selection, flags),
      passwords: passwordsOf(selection),
      ...(flags.maxChanges === undefined ? {} : { maxChanges: flags.maxChanges }),
    };
    const session = await run.connect();
    if (want.work.by === 'passwd') assertMaySetPasswords(session.login, want.work.recreate);
    if (flags.dryRun) {
      const { plan, summary, lacking } = await previewUsers(want, await run.runContext());
      await run.warnLacking(lacking);
      run.output.result(toResultDocument(plan, summary), () => renderPlan(plan, run.output));
      const isRefused = plan.stands.some((stand) => stand.refused);
      if (flags.detailedExitcode && (plan.steps.length > 0 || isRefused)) io.setExitCode(PENDING);
      return;
    }
    const credentialsFile = credentialsPath(flags, selection);
    const outcome = await changeUsers(want, await run.withCredentials(credentialsFile));
    run.finish();
    run.output.result(toResultDocument(outcome.plan, outcome.summary), () =>
      renderSummary(outcome.plan, outcome.summary, {
        ...run.output,
        url: session.url,
        credentialsFile: flags.encryptTo ? `${credentialsFile} (encrypted)` : credentialsFile,
        resumeCommand: 'run the same command again',
      }),
    );
    io.setExitCode(exitCodeOf(outcome, run.stoppedBy()));
  });
}
