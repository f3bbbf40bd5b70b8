/** The flags of `check`. The work is loaded only when it is asked for: `--help` has to be quick. */
import { Command } from 'commander';
import type { GradePlatform } from '../../lib/render/grades.ts';
import type { ProgramIo } from '../io.ts';
import { allOf, envOption, languageOption, outOption, pauseSeconds } from '../options.ts';
import { withSelection } from '../selection-options.ts';
import type { CheckFlags } from './run.ts';

export function checkCommand(io: ProgramIo): Command {
  const command = new Command('check').description(
    "what works in the students' machines, by the checks of the lab; points, and grades of them",
  );
  return withSelection(command)
    .addOption(envOption('--checks <file>', 'the checks, instead of those in the lab', 'CHECKS'))
    .addOption(
      envOption('--repeat <time>', 'check again and again, with so much rest between').argParser(
        pauseSeconds(1),
      ),
    )
    .option('--until <time>', 'with --repeat: until then, HH:MM of today')
    .addOption(
      outOption('--out <file>', 'the results: results.csv or results.json', {
        instead: '--output json prints the results',
        name: 'CHECK_OUT',
      }),
    )
    .addOption(
      envOption('--grades <platform>', 'with --out and -u: points to import there instead').choices(
        allOf<GradePlatform>({ moodle: true, canvas: true }),
      ),
    )
    .option('--grade-item <name>', 'with --grades: what the points are of (default: the name of the lab)')
    .option('--count-not-run', 'with --grades: what could not be checked counts nothing, not as no grade')
    .addOption(languageOption('of the feedback beside grades'))
    .addOption(
      outOption('--junit <file>', 'the results as JUnit XML, for CI', {
        instead: '--output json prints the results',
      }),
    )
    .addOption(envOption('--require-pass', 'exit 6 when a check was not passed'))
    .action(async (_: unknown, self: Command) => {
      const { runCheck } = await import('./run.ts');
      await runCheck(io, self.optsWithGlobals<CheckFlags>());
    });
}
