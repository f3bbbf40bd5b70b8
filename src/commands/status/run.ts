/** What `status` does with its flags: look, show; nothing is changed. */
import type { StatusFiles } from '../../lib/render/status-problems.ts';
import { renderStatus, toStatusDocument } from '../../lib/render/status-text.ts';
import { lookAtStands, type SeenStatus } from '../../lib/workflow/status.ts';
import { runChanging, type Changing } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { PENDING } from '../planned-command.ts';
import { readSelection } from '../selection.ts';
import type { SelectionFlags } from '../selection-options.ts';

export interface StatusFlags extends GlobalFlags, SelectionFlags {
  readonly wide?: true;
  readonly ips?: true;
  readonly snapshots?: true;
  readonly ownership?: true;
  readonly check?: true;
  readonly since: number;
}

/** With these a way out is a command. */
function filesOf({ config, users }: StatusFlags): StatusFiles | undefined {
  return config !== undefined && users ? { lab: config, users } : undefined;
}

function show(run: Changing, flags: StatusFlags, { report }: SeenStatus): void {
  const files = filesOf(flags);
  run.output.result(toStatusDocument(report, files), () =>
    renderStatus(report, {
      ...run.output,
      files,
      // What is told of machines needs a row for each.
      wide: [flags.wide, flags.ips, flags.snapshots, flags.ownership].includes(true),
      ownership: flags.ownership === true,
    }),
  );
}

export async function runStatus(io: ProgramIo, flags: StatusFlags): Promise<void> {
  await runChanging(io, flags, async (run) => {
    const { stands = {}, lab } = readSelection(flags, (text) => run.output.warn(text)) ?? {};
    const want = {
      stands,
      ...(lab ? { lab } : {}),
      sinceSeconds: flags.since,
      ips: flags.ips === true,
      snapshots: flags.snapshots === true,
      ownership: flags.ownership === true,
    };
    const seen = await lookAtStands(want, await run.runContext());
    await run.warnLacking(seen.lacking);
    run.finish();
    show(run, flags, seen);
    if (flags.check && seen.report.problems.length > 0) io.setExitCode(PENDING);
  });
}
