/** The flags of `graph`. The work is loaded only when it is asked for: `--help` has to be quick. */
import { Command } from 'commander';
import type { ProgramIo } from '../io.ts';
import { allOf, envOption, labNameOption, labOption, outOption } from '../options.ts';
import type { GraphFlags, GraphFormat } from './run.ts';

export function graphCommand(io: ProgramIo): Command {
  return new Command('graph')
    .description('how the machines of a lab are wired, as a picture; contacts nothing')
    .addOption(labOption().makeOptionMandatory())
    .addOption(labNameOption())
    .addOption(
      envOption(
        '--format <format>',
        "what to write (default: by the file's name; svg to stdout)",
        'GRAPH_FORMAT',
      ).choices(allOf<GraphFormat>({ svg: true, mermaid: true, dot: true })),
    )
    .addOption(
      outOption('--out <file>', 'where to (default: stdout)', {
        instead: 'without --out it is written to stdout',
        name: 'GRAPH_OUT',
      }),
    )
    .action(async (_: unknown, self: Command) => {
      const { runGraph } = await import('./run.ts');
      await runGraph(io, self.optsWithGlobals<GraphFlags>());
    });
}
