/** The flags of `simulate`. */
import { Command } from 'commander';
import type { ProgramIo } from '../io.ts';
import { envOption, portNumber, positiveInteger } from '../options.ts';
import type { SimulateFlags } from './run.ts';

const DEFAULT_PORT = 8006;

export function simulateCommand(io: ProgramIo): Command {
  return new Command('simulate')
    .description('serve the simulated cluster over HTTPS on 127.0.0.1, for other clients')
    .argument('[scenario.yml]', 'cluster to simulate (default: three nodes)')
    .addOption(envOption('--port <n>', 'port').argParser(portNumber).default(DEFAULT_PORT))
    .addOption(
      envOption(
        '--speed <n>',
        'how many times as fast all that takes time is over (default: as the scenario says); clocks go as ours, from clock.start of the scenario on (default: 2026-09-01)',
      ).argParser(positiveInteger),
    )
    .action(async (file: string | undefined, _: unknown, command: Command) => {
      const { runSimulate } = await import('./run.ts');
      await runSimulate(io, command.optsWithGlobals<SimulateFlags>(), file);
    });
}
