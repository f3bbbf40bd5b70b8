/** What `check` does with its flags: run the checks, show and write what they found. Nothing on the cluster is changed. */
import { rest } from '../../lib/clock.ts';
import type { Check } from '../../lib/config/checks/types.ts';
import { loadChecks } from '../../lib/config/load.ts';
import { UsageError } from '../../lib/errors.ts';
import { filesBeside } from '../../lib/files/beside.ts';
import { exitCodeOfFindings } from '../../lib/outcome/exit-code.ts';
import type { ChecksReport } from '../../lib/plan/views/checks-types.ts';
import { toChecksDocument } from '../../lib/render/checks-files.ts';
import { checkChanges, renderChecks } from '../../lib/render/checks-text.ts';
import { gradeWarnings } from '../../lib/render/grades.ts';
import { shellCommand } from '../../lib/shell.ts';
import { checkStands, type CheckWant } from '../../lib/workflow/check.ts';
import { mayPass } from '../../lib/workflow/follow.ts';
import { Again } from '../again.ts';
import { runChanging, type Changing } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { needSelection, type ReadSelection } from '../selection.ts';
import type { SelectionFlags } from '../selection-options.ts';
import { assertCheckFiles, writeCheckFiles, type CheckFileFlags } from './files.ts';
import { endOf, type RepeatFlags } from './until.ts';

export type CheckFlags = GlobalFlags &
  SelectionFlags &
  Omit<CheckFileFlags, 'users'> &
  RepeatFlags & { readonly checks?: string; readonly requirePass?: true };

function checksFor({ checks: file }: CheckFlags, { lab }: ReadSelection): readonly Check[] {
  const checks = file === undefined ? (lab?.checks ?? []) : loadChecks(file, lab);
  if (checks.length > 0) return checks;
  const where = file ?? lab?.file;
  if (where === undefined) {
    throw new UsageError('NO_CHECKS', 'nothing says what is to be checked', {
      hint: 'name the file that has them: -c lab.yml with -u users.yml in place of --lab, or --checks FILE (docs/checks.md)',
    });
  }
  // As `init` writes it.
  const [beside] = file === undefined ? filesBeside(where, (name) => name === 'checks.yml') : [];
  throw new UsageError('NO_CHECKS', `${where} has no checks`, {
    hint:
      beside === undefined
        ? 'write `checks:` in lab.yml (docs/checks.md), or name a file of checks with --checks'
        : `add ${shellCommand('--checks', beside)}`,
  });
}

interface Look {
  readonly io: ProgramIo;
  readonly flags: CheckFlags;
  readonly run: Changing;
  readonly want: CheckWant;
}

function textOf({ run }: Look, report: ChecksReport): string {
  return renderChecks(report, run.output);
}

function showAgain(what: Look, shown: Again, report: ChecksReport, former: ChecksReport | undefined): void {
  shown.show({
    now: report.now,
    changes: former ? checkChanges(former, report) : undefined,
    text: () => textOf(what, report),
    document: () => toChecksDocument(report),
  });
}

/** What was stopped says less than what was there before. */
async function again({ run, want }: Look, former: ChecksReport): Promise<ChecksReport> {
  try {
    const report = await checkStands(want, await run.runContext());
    return run.soft.aborted ? former : report;
  } catch (error) {
    if (!mayPass(error)) throw error;
    run.output.warn(error.message);
    return former;
  }
}

/** Answers what was found last. */
async function repeat(
  what: Look,
  first: ChecksReport,
  pauseMs: number,
  end: number | undefined,
): Promise<ChecksReport> {
  const { run } = what;
  const { clock } = await run.connect();
  const stop = AbortSignal.any([run.soft, run.unattended]);
  let report = first;
  const shown = new Again(what.io, run.output, clock);
  showAgain(what, shown, report, undefined);
  while (end === undefined || clock.wallTime() + pauseMs < end) {
    if (!(await rest(clock, pauseMs, stop))) break;
    const former = report;
    report = await again(what, former);
    if (report !== former) showAgain(what, shown, report, former);
  }
  return report;
}

/** False: somebody with a result is in no grade book. */
async function write(
  { flags, run }: Look,
  report: ChecksReport,
  users: ReadSelection['users'],
): Promise<boolean> {
  const grades = await writeCheckFiles(flags, report, users ?? []);
  if (!grades || !flags.grades) return true;
  gradeWarnings(grades, flags.grades).forEach((text) => run.output.warn(text));
  return grades.unknown.length === 0;
}

export async function runCheck(io: ProgramIo, flags: CheckFlags): Promise<void> {
  await assertCheckFiles(flags);
  await runChanging(io, flags, async (run) => {
    const selection = await needSelection(flags, run, { command: 'check' });
    const { stands, lab, users } = selection;
    const files = {
      ...(lab?.expires === undefined ? {} : { expires: lab.expires }),
      ...(users ? { users } : {}),
    };
    const want = { stands, checks: checksFor(flags, selection), files };
    const what = { io, flags, run, want };
    const { clock } = await run.connect();
    const end = endOf(flags, clock.wallTime());
    const first = await checkStands(want, await run.runContext());
    run.finish();
    if (flags.repeat === undefined) run.output.result(toChecksDocument(first), () => textOf(what, first));
    const { repeat: pause } = flags;
    const last = pause === undefined ? first : await repeat(what, first, pause * 1000, end);
    const isGraded = await write(what, last, users);
    const { failed, notRun } = last.totals;
    io.setExitCode(
      exitCodeOfFindings({
        stoppedBy: run.stoppedBy(),
        isPartial: notRun > 0 || !isGraded,
        isPending: flags.requirePass && failed > 0,
      }),
    );
  });
}
