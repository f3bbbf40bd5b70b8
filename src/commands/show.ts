/** `show`: a saved plan in words; contacts nothing. */
import { Command } from 'commander';
import type { ProgramIo } from './io.ts';
import type { GlobalFlags } from './options.ts';

export function showCommand(io: ProgramIo): Command {
  return new Command('show')
    .description('show a saved plan (--out of a command) in words; contacts nothing')
    .argument('<plan.json>', 'the saved plan')
    .action(async (file: string, _: unknown, command: Command) => {
      const { createOutput } = await import('./output.ts');
      const { summarizePlan } = await import('../lib/outcome/summary.ts');
      const { renderPlan } = await import('../lib/render/plan-text.ts');
      const { toResultDocument } = await import('../lib/render/result-json.ts');
      const { loadPlan } = await import('../lib/workflow/plan-file.ts');
      const output = createOutput(io, command.optsWithGlobals<GlobalFlags>());
      const plan = loadPlan(file);
      output.result(toResultDocument(plan, summarizePlan(plan)), () => renderPlan(plan, output));
    });
}
