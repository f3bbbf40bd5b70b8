/** What `status` does with its flags: look, show; nothing is changed. */
import { rest } from '../../lib/clock.ts';
import { UsageError } from '../../lib/errors.ts';
import { exitCodeOfFindings } from '../../lib/outcome/exit-code.ts';
import { statusChanges } from '../../lib/render/status-changes.ts';
import { renderStatus, toStatusDocument } from '../../lib/render/status-text.ts';
import { mayPass } from '../../lib/workflow/follow.ts';
import { isStatusMetrics, writeStatusMetrics } from '../../lib/workflow/status-metrics.ts';
import { lookAtStands, type SeenStatus, type StatusWant } from '../../lib/workflow/status.ts';
import { Again } from '../again.ts';
import { runChanging, type Changing } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import { telling, type Teller } from '../notify.ts';
import { assertMetricsFile, orWarn } from '../metrics-file.ts';
import type { GlobalFlags } from '../options.ts';
import { readSelection, statusFiles } from '../selection.ts';
import type { SelectionFlags } from '../selection-options.ts';

export interface StatusFlags extends GlobalFlags, SelectionFlags {
  readonly wide?: true;
  readonly ips?: true;
  readonly snapshots?: true;
  readonly ownership?: true;
  readonly drift?: true;
  readonly driftExitcode?: true;
  readonly check?: true;
  readonly watch?: number;
  readonly metricsFile?: string;
  readonly notify?: string;
  readonly since: number;
}

function textOf(run: Changing, flags: StatusFlags, { report }: SeenStatus): string {
  return renderStatus(report, {
    ...run.output,
    files: statusFiles(flags),
    // What is told of machines needs a row for each.
    wide: [flags.wide, flags.ips, flags.snapshots, flags.ownership, flags.drift].includes(true),
    ownership: flags.ownership === true,
  });
}

interface Look {
  readonly io: ProgramIo;
  readonly flags: StatusFlags;
  readonly run: Changing;
  readonly want: StatusWant;
  readonly teller: Teller;
}

async function look({ flags, run, want, teller }: Look): Promise<SeenStatus> {
  const seen = await lookAtStands(want, await run.runContext());
  const { metricsFile } = flags;
  if (metricsFile !== undefined) {
    await orWarn(
      metricsFile,
      writeStatusMetrics(metricsFile, seen.report, flags.connection ?? 'default'),
      run.output,
    );
  }
  teller.saw(seen.report);
  return seen;
}

function show({ flags, run }: Look, seen: SeenStatus): void {
  run.output.result(toStatusDocument(seen.report, statusFiles(flags)), () => textOf(run, flags, seen));
}

function showAgain(
  { flags, run }: Look,
  again: Again,
  seen: SeenStatus,
  former: SeenStatus | undefined,
): void {
  again.show({
    now: seen.report.now,
    changes: former ? statusChanges(former.report, seen.report) : undefined,
    text: () => textOf(run, flags, seen),
    document: () => toStatusDocument(seen.report, statusFiles(flags)),
  });
}

async function watch(what: Look, first: SeenStatus, seconds: number): Promise<SeenStatus> {
  const end = AbortSignal.any([what.run.soft, what.run.unattended]);
  let seen = first;
  let told = '';
  const { clock } = await what.run.connect();
  const again = new Again(what.io, what.run.output, clock);
  showAgain(what, again, seen, undefined);
  while (await rest(clock, seconds * 1000, end)) {
    const former = seen;
    try {
      seen = await look(what);
      told = '';
      showAgain(what, again, seen, former);
    } catch (error) {
      if (!mayPass(error)) throw error;
      if (told !== error.message) what.run.output.warn(error.message);
      told = error.message;
    }
  }
  return seen;
}

function hasDrift({ report: { labs } }: SeenStatus): boolean {
  const machines = labs.flatMap(({ stands }) => stands.flatMap((stand) => stand.machines));
  // What only waits for a restart no student changed.
  return machines.some(({ drift }) => drift !== 'pending' && drift?.some(({ kind }) => kind !== 'waiting'));
}

function assertDriftFlags({ drift, driftExitcode, config, lab }: StatusFlags): void {
  if (drift && config === undefined) {
    throw new UsageError(
      'DRIFT_WITHOUT_LAB',
      '--drift compares machines with what their lab says, and no file of it was named',
      {
        // Both together would be refused.
        hint: lab === undefined ? 'add -c lab.yml' : 'give -c lab.yml in place of --lab',
      },
    );
  }
  if (driftExitcode && !drift) {
    throw new UsageError('DRIFT_EXITCODE', '--drift-exitcode has no meaning without --drift', {
      hint: 'add --drift, or leave it out',
    });
  }
}

export async function runStatus(io: ProgramIo, flags: StatusFlags): Promise<void> {
  assertDriftFlags(flags);
  if (flags.metricsFile !== undefined) await assertMetricsFile(flags.metricsFile, isStatusMetrics);
  await runChanging(io, flags, async (run) => {
    const { stands = {}, lab } = readSelection(flags, (text) => run.output.warn(text)) ?? {};
    const want: StatusWant = {
      stands,
      ...(lab ? { lab } : {}),
      sinceSeconds: flags.since,
      ips: flags.ips === true,
      snapshots: flags.snapshots === true,
      ownership: flags.ownership === true,
      templates: false,
      drift: flags.drift === true,
    };
    const about = { command: 'status', warn: (text: string) => run.output.warn(text) };
    await telling(io, flags, about, async (teller) => {
      const what = { io, flags, run, want, teller };
      const first = await look(what);
      await run.warnLacking(first.lacking);
      run.finish();
      if (flags.watch === undefined) show(what, first);
      const last = flags.watch === undefined ? first : await watch(what, first, flags.watch);
      const isPending =
        (flags.check && last.report.problems.length > 0) || (flags.driftExitcode && hasDrift(last));
      io.setExitCode(exitCodeOfFindings({ stoppedBy: run.stoppedBy(), isPending }));
    });
  });
}
