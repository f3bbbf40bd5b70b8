/** The flags of `report`. The work is loaded only when it is asked for: `--help` has to be quick. */
import { Command } from 'commander';
import type { DocumentFormat } from '../format-by-name.ts';
import type { ProgramIo } from '../io.ts';
import { allOf, envOption, languageOption, outOption, sinceOption } from '../options.ts';
import { withSelection } from '../selection-options.ts';
import type { ReportFlags } from './run.ts';

export function reportCommand(io: ProgramIo): Command {
  const command = new Command('report').description(
    'the class as one page to look at, to print, to hand on; without a selection: all of ours',
  );
  return withSelection(command)
    .addOption(
      outOption('--out <file>', 'the file, for example class.html', {
        instead: '`status --output json` prints the class',
        name: 'REPORT_OUT',
      }).makeOptionMandatory(),
    )
    .addOption(
      envOption('--format <format>', "what it is (default: by the file's name)", 'REPORT_FORMAT').choices(
        allOf<DocumentFormat>({ html: true, markdown: true, csv: true, json: true }),
      ),
    )
    .addOption(envOption('--checks <file>', 'results of `check --out results.json`', 'REPORT_CHECKS'))
    .addOption(languageOption('of a page, or of Markdown'))
    .addOption(envOption('--snapshots', 'snapshots of each machine; one call for each'))
    .addOption(envOption('--ips', 'addresses, by the guest agent; one call for each running machine'))
    .addOption(sinceOption())
    .action(async (_: unknown, self: Command) => {
      const { runReport } = await import('./run.ts');
      await runReport(io, self.optsWithGlobals<ReportFlags>());
    });
}
