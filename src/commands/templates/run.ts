/** What `templates` does with its flags: list; or plan, apply, render. */
import { renderPlan } from '../../lib/render/plan-text.ts';
import { toResultDocument } from '../../lib/render/result-json.ts';
import { renderSummary } from '../../lib/render/summary-text.ts';
import { renderTemplates, toTemplatesDocument } from '../../lib/render/templates-text.ts';
import { exitCodeOf } from '../../lib/outcome/exit-code.ts';
import {
  changeTemplates,
  listTemplates,
  previewTemplates,
  type TemplatesWant,
} from '../../lib/workflow/templates.ts';
import { runChanging } from '../changing.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { commandLine } from '../output.ts';
import { loadWant } from '../want.ts';

export interface LabFlags extends GlobalFlags {
  readonly config?: string;
  readonly labName?: string;
}

interface ChangeFlags extends GlobalFlags {
  readonly nodes?: readonly string[];
  readonly dryRun?: true;
  readonly detailedExitcode?: true;
}

export interface ReplicateFlags extends ChangeFlags {
  readonly config: string;
  readonly labName?: string;
}

export interface PruneFlags extends ChangeFlags {
  readonly minAge: number;
}

const PENDING = 6;

function labOf(flags: LabFlags & { readonly config: string }, warn: (text: string) => void) {
  const { config, labName } = flags;
  const { lab, warnings } = loadWant({ config, ...(labName === undefined ? {} : { labName }) }, undefined);
  for (const warning of warnings) warn(warning);
  return lab;
}

async function change(
  io: ProgramIo,
  flags: ChangeFlags,
  wanted: (warn: (text: string) => void) => TemplatesWant,
): Promise<void> {
  await runChanging(io, flags, async (run) => {
    const want = wanted((text) => run.output.warn(text));
    if (flags.dryRun) {
      const { plan, summary, lacking } = await previewTemplates(want, await run.runContext());
      await run.warnLacking(lacking);
      run.output.result(toResultDocument(plan, summary), () => renderPlan(plan, run.output));
      const isRefused = plan.nodes?.some(({ refused }) => refused !== undefined) === true;
      if (flags.detailedExitcode && (plan.steps.length > 0 || isRefused)) io.setExitCode(PENDING);
      return;
    }
    const outcome = await changeTemplates(want, await run.runContext());
    run.finish();
    run.output.result(toResultDocument(outcome.plan, outcome.summary), () =>
      renderSummary(outcome.plan, outcome.summary, { ...run.output, resumeCommand: commandLine(io.argv) }),
    );
    io.setExitCode(exitCodeOf(outcome, run.stoppedBy()));
  });
}

const nodesOf = ({ nodes }: ChangeFlags) => (nodes === undefined ? {} : { nodes });

export async function runList(io: ProgramIo, flags: LabFlags): Promise<void> {
  await runChanging(io, flags, async (run) => {
    const { config } = flags;
    const lab =
      config === undefined ? undefined : labOf({ ...flags, config }, (text) => run.output.warn(text));
    const report = await listTemplates(lab, await run.runContext());
    run.output.result(toTemplatesDocument(report), () => renderTemplates(report, run.output));
  });
}

export async function runReplicate(io: ProgramIo, flags: ReplicateFlags): Promise<void> {
  await change(io, flags, (warn) => ({ do: 'replicate', lab: labOf(flags, warn), ...nodesOf(flags) }));
}

export async function runPrune(io: ProgramIo, flags: PruneFlags): Promise<void> {
  await change(io, flags, () => ({ do: 'prune', minAgeSeconds: flags.minAge, ...nodesOf(flags) }));
}
