/** The flags of `power`. The work is loaded only when it is asked for: `--help` has to be quick. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { PowerAction } from '../../lib/plan/document/plan.ts';
import type { IfState } from '../../lib/plan/day-two/power-deeds.ts';
import type { ProgramIo } from '../io.ts';
import { allOf, durationSeconds, envOption, nonNegativeInteger, withDryRun } from '../options.ts';
import { withSelection } from '../selection-options.ts';
import type { PowerFlags } from './run.ts';

const TWO_MINUTES = 120;
const THREE_MINUTES = 180;

const WORDS: Readonly<Record<PowerAction, string>> = {
  start: 'start machines; those that are suspended go on',
  shutdown: 'ask guests to shut down, and tell which do not',
  stop: 'cut the power of machines',
  reboot: 'shut machines down and start them again, which puts pending changes into force',
  suspend: 'write the memory of machines to disk and free it',
  resume: 'let suspended machines go on',
};

function percent(text: string): number {
  const value = /^\d{1,3}(\.\d+)?$/.test(text) ? Number(text) : Infinity;
  if (value > 100) throw new InvalidArgumentError(`"${text}" is not a share in percent (0–100).`);
  return value;
}

function withStagger(command: Command): Command {
  return command.addOption(
    envOption('--stagger <seconds>', 'at least so long between two starts on a node').argParser(
      nonNegativeInteger,
    ),
  );
}

function withIdle(command: Command): Command {
  return command
    .option('--idle <time>', 'only what nobody used for so long (10m to 24h)', durationSeconds)
    .addOption(
      envOption('--idle-cpu <percent>', 'with --idle: used less of its CPUs than this, on average')
        .argParser(percent)
        .default(5),
    )
    .addOption(
      envOption('--idle-network <KiB/s>', 'with --idle: sent and received less than this, on average')
        .argParser(nonNegativeInteger)
        .default(5),
    );
}

function withShutdownTime(command: Command): Command {
  return command.addOption(
    envOption('--timeout <time>', 'how long guests have to shut down')
      .argParser(durationSeconds)
      .default(THREE_MINUTES, '3m'),
  );
}

const fit = (): Option => envOption('--fit', 'switch on the stands that fit, and say which do not');

const OWN: Readonly<Record<PowerAction, (command: Command) => Command>> = {
  start: (command) => withStagger(command.addOption(fit())),
  resume: (command) => withStagger(command.addOption(fit())),
  reboot: (command) => withStagger(withShutdownTime(command)),
  shutdown: (command) =>
    withIdle(withShutdownTime(command)).option('--force', 'cut the power of guests that do not obey in time'),
  stop: withIdle,
  suspend: (command) =>
    withIdle(
      command
        .option('--pause', 'only halt the CPUs: quick, and the memory stays taken')
        .addOption(envOption('--storage <id>', 'where the memory goes (default: as PVE chooses it)'))
        .addOption(envOption('--fit', 'suspend the stands for whose memory there is room')),
    ),
};

function actionCommand(io: ProgramIo, action: PowerAction): Command {
  const command = withDryRun(withSelection(new Command(action).description(WORDS[action])));
  return OWN[action](command)
    .addOption(
      new Option('--if-state <state>', 'only machines that are in this state').choices(
        allOf<IfState>({ running: true, stopped: true, suspended: true }),
      ),
    )
    .addOption(
      envOption('--lock-wait <time>', 'how long to wait for a backup, snapshot or migration')
        .argParser(durationSeconds)
        .default(TWO_MINUTES, '2m'),
    )
    .action(async (_: unknown, self: Command) => {
      const { runPower } = await import('./run.ts');
      await runPower(io, action, self.optsWithGlobals<PowerFlags>());
    });
}

export function powerCommand(io: ProgramIo): Command {
  const command = new Command('power').description('switch machines on and off, in waves');
  for (const action of Object.keys(WORDS) as PowerAction[]) command.addCommand(actionCommand(io, action));
  return command;
}
