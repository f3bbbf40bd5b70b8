/** What `bridges` does with its flags: list; or plan, apply, render. */
import { isBridgeName } from '../../lib/pve-values/bridge-name.ts';
import { UsageError } from '../../lib/errors.ts';
import { renderBridges, toBridgesDocument } from '../../lib/render/bridges-text.ts';
import { renderPlan } from '../../lib/render/plan-text.ts';
import { toResultDocument } from '../../lib/render/result-json.ts';
import { renderSummary } from '../../lib/render/summary-text.ts';
import { changeBridges, listBridges, previewBridges, type BridgesWant } from '../../lib/workflow/bridges.ts';
import { exitCodeOf } from '../../lib/outcome/exit-code.ts';
import { runChanging } from '../changing.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { commandLine } from '../output.ts';

export interface NodeFlags extends GlobalFlags {
  readonly nodes?: readonly string[];
}

interface ChangeFlags extends NodeFlags {
  readonly dryRun?: true;
  readonly detailedExitcode?: true;
}

export interface CreateFlags extends ChangeFlags {
  readonly vlanAware?: true;
}

export interface PruneFlags extends ChangeFlags {
  readonly minAge: number;
}

const PENDING = 6;

/** The newest PVE allows every name that any does. */
const NEWEST = '9.2';

async function change(io: ProgramIo, flags: ChangeFlags, want: BridgesWant): Promise<void> {
  await runChanging(io, flags, async (run) => {
    if (flags.dryRun) {
      const { plan, summary, lacking } = await previewBridges(want, await run.runContext());
      await run.warnLacking(lacking);
      run.output.result(toResultDocument(plan, summary), () => renderPlan(plan, run.output));
      if (flags.detailedExitcode && plan.steps.length > 0) io.setExitCode(PENDING);
      return;
    }
    const outcome = await changeBridges(want, await run.runContext());
    run.finish();
    run.output.result(toResultDocument(outcome.plan, outcome.summary), () =>
      renderSummary(outcome.plan, outcome.summary, { ...run.output, resumeCommand: commandLine(io.argv) }),
    );
    io.setExitCode(exitCodeOf(outcome, run.stoppedBy()));
  });
}

const nodesOf = ({ nodes }: NodeFlags) => (nodes === undefined ? {} : { nodes });

export async function runList(io: ProgramIo, flags: NodeFlags): Promise<void> {
  await runChanging(io, flags, async (run) => {
    const report = await listBridges(flags.nodes, await run.runContext());
    run.output.result(toBridgesDocument(report), () => renderBridges(report, run.output));
  });
}

export async function runCreate(io: ProgramIo, flags: CreateFlags, names: readonly string[]): Promise<void> {
  const illegal = names.filter((name) => !isBridgeName(name, NEWEST));
  if (illegal.length > 0) {
    throw new UsageError('BRIDGE_NAME', `"${illegal.join('", "')}" cannot be the name of a bridge`, {
      hint: 'use 2 to 10 letters and digits, a letter first; vmbr0–vmbr4094 are understood by all versions of PVE',
    });
  }
  const vlanAware = flags.vlanAware === true;
  await change(io, flags, { do: 'create', names, vlanAware, ...nodesOf(flags) });
}

export async function runPrune(io: ProgramIo, flags: PruneFlags): Promise<void> {
  await change(io, flags, { do: 'prune', minAgeSeconds: flags.minAge, ...nodesOf(flags) });
}
