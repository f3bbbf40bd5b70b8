/** What `templates` does with its flags: list; or plan, apply, render. */
import { renderTemplates, toTemplatesDocument } from '../../lib/render/templates-text.ts';
import {
  changeTemplates,
  listTemplates,
  previewTemplates,
  type TemplatesWant,
} from '../../lib/workflow/templates.ts';
import type { RunContext } from '../../lib/workflow/context.ts';
import { runChanging } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { runPlanned, type PlanFlags } from '../planned-command.ts';
import { loadWant } from '../class-files.ts';

export interface LabFlags extends GlobalFlags {
  readonly config?: string;
  readonly labName?: string;
}

interface ChangeFlags extends PlanFlags {
  readonly nodes?: readonly string[];
}

export interface ReplicateFlags extends ChangeFlags {
  readonly config: string;
  readonly labName?: string;
}

export interface PruneFlags extends ChangeFlags {
  readonly minAge: number;
}

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
  await runPlanned(io, flags, (run) => {
    const want = wanted((text) => run.output.warn(text));
    return {
      verb: want.do,
      preview: (context) => previewTemplates(want, context),
      apply: (context: RunContext) => changeTemplates(want, context),
    };
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
