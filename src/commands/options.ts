/** Options that commands share; each is also an environment variable `DEPLOY_STAND_<OPTION>`. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { spanText } from '../lib/pve-values/moment.ts';
import type { ProgressMode } from '../lib/ui/create-ui.ts';
import type { LogLevel } from '../lib/ui/debug-log.ts';
import { DEFAULT_LANGUAGE, LANGUAGES } from '../lib/render/languages/codes.ts';
import { USUAL_LOCK_WAIT, USUAL_MIN_AGE, USUAL_SINCE } from '../lib/workflow/patience.ts';
import { OUTPUT_FORMATS, type OutputFormat } from './output-formats.ts';

export interface GlobalFlags {
  readonly connection?: string;
  readonly connections?: string;
  readonly passphraseFile?: string;
  readonly identity?: readonly string[];
  /** True without a scenario file. */
  readonly simulate?: string | true;
  readonly simulateState?: string;
  readonly output: OutputFormat;
  readonly logLevel: LogLevel;
  readonly logFile?: string;
  readonly auditFile?: string;
  readonly quiet?: true;
  readonly wide?: true;
  readonly color: boolean;
  readonly progress: ProgressMode;
  readonly preflight: boolean;
}

/** An option that can be set by the environment too, under `name` or its own name; see environment.ts. */
export function envOption(flags: string, description: string, name?: string): Option {
  const option = new Option(flags, description);
  return option.env(`DEPLOY_STAND_${name ?? option.name().toUpperCase().replaceAll('-', '_')}`);
}

/** A file that a command writes: `-` would be one of that name. `instead`: what puts the same on stdout, or why nothing does. */
export function outOption(
  flags: string,
  description: string,
  { instead, name }: { readonly instead: string; readonly name?: string },
): Option {
  return envOption(flags, description, name).argParser((file: string) => {
    if (file !== '-' && file !== '') return file;
    throw new InvalidArgumentError(`It names a file or folder, never stdout: ${instead}.`);
  });
}

export function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new InvalidArgumentError(`"${text}" is not a positive whole number.`);
  return Number(text);
}

export function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new InvalidArgumentError(`"${text}" is not a port (1–65535).`);
  return port;
}

export function nonNegativeInteger(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a whole number from 0 on.`);
  return Number(text);
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `90`, `90s`, `10m`, `2h`, `1d` → seconds. */
export function durationSeconds(text: string): number {
  const [, count, unit = 's'] = /^(\d{1,6})([smhd])?$/.exec(text) ?? [];
  if (count === undefined)
    throw new InvalidArgumentError(`"${text}" is not a time such as 90s, 10m, 2h or 1d.`);
  return Number(count) * (UNITS[unit] ?? 1);
}

/** How long something rests before it is done again: not less than `least`, or it would never rest. */
export function pauseSeconds(least: number): (text: string) => number {
  return (text) => {
    const seconds = durationSeconds(text);
    if (seconds < least) throw new InvalidArgumentError(`"${text}" is less than ${spanText(least)}.`);
    return seconds;
  };
}

/** May be repeated: the lists add up. */
export function nameList(text: string, former?: readonly string[]): string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('give one or more names, separated by commas.');
  return [...(former ?? []), ...names];
}

/** For options that may be repeated. */
export function collectValues(value: string, former: readonly string[] | undefined): string[] {
  return [...(former ?? []), value];
}

const REPEATABLE: ReadonlySet<unknown> = new Set([collectValues, nameList]);

export function isRepeatable({ parseArg }: Option): boolean {
  return REPEATABLE.has(parseArg);
}

/** The choices of an option, in the order of help: the type says which there are, and the compiler that none is missing. */
export function allOf<T extends string>(choices: Readonly<Record<T, true>>): readonly string[] {
  return Object.keys(choices);
}

/** The lab of commands that take one. */
export function labOption(description = 'the lab (-: standard input)'): Option {
  return envOption('-c, --config <lab.yml>', description, 'LAB');
}

export function labNameOption(): Option {
  return envOption('--lab-name <name>', "the lab's name, instead of that in the file");
}

/** The class of commands that take one; all of them take several files. */
export function usersOption(): Option {
  const description = 'the class (YAML, or a CSV roster); may be repeated';
  return envOption('-u, --users <users.yml>', description, 'USERS').argParser(collectValues);
}

/** For commands that write a credentials file. */
export function encryptToOption(): Option {
  return envOption(
    '--encrypt-to <age1…>',
    'encrypt the credentials file for this recipient (may be repeated)',
  ).argParser(collectValues);
}

export function languageOption(description: string): Option {
  return envOption('--language <code>', description).choices(LANGUAGES).default(DEFAULT_LANGUAGE);
}

const LOG_LEVELS = allOf<GlobalFlags['logLevel']>({
  silent: true,
  error: true,
  warn: true,
  info: true,
  debug: true,
  trace: true,
});

export function addGlobalOptions(program: Command): Command {
  return program
    .addOption(envOption('--connection <name>', 'cluster of the connections file to use'))
    .addOption(envOption('--connections <file>', 'connections file (default: ./connections.yml)'))
    .addOption(
      envOption('--passphrase-file <file>', 'passphrase of encrypted secrets (or: DEPLOY_STAND_PASSPHRASE)'),
    )
    .addOption(
      envOption('--identity <file>', 'age identity of encrypted secrets (may be repeated)').argParser(
        collectValues,
      ),
    )
    .addOption(envOption('--simulate [scenario]', 'act on the embedded simulator instead of a cluster'))
    .addOption(
      envOption('--simulate-state <file>', 'keep the simulated cluster in this file between commands'),
    )
    .addOption(envOption('--output <format>', 'what stdout is').choices(OUTPUT_FORMATS).default('text'))
    .addOption(
      envOption('--progress <mode>', 'progress on stderr')
        .choices(allOf<GlobalFlags['progress']>({ auto: true, plain: true, json: true, none: true }))
        .default('auto'),
    )
    .addOption(envOption('--log-level <level>', 'debug record').choices(LOG_LEVELS).default('silent'))
    .addOption(envOption('--log-file <file>', 'where the debug record goes (default: stderr)'))
    .addOption(envOption('--audit-file <file>', 'append who changed what, as JSON lines'))
    .addOption(
      envOption('--quiet', 'no progress, only results and errors; nothing where there was nothing to do'),
    )
    .addOption(envOption('--wide', 'every line in full, also where the same is true of many'))
    .option('--no-preflight', 'do not compare the plan with the own privileges before the first write')
    .option('--no-color', 'no colours (also: NO_COLOR)');
}

/** Of commands that show the state of stands. */
export function sinceOption(): Option {
  return envOption('--since <time>', 'tell of tasks that failed within this time')
    .argParser(durationSeconds)
    .default(USUAL_SINCE.seconds, USUAL_SINCE.text);
}

export function minAgeOption(description: string): Option {
  return envOption('--min-age <time>', description)
    .argParser(durationSeconds)
    .default(USUAL_MIN_AGE.seconds, USUAL_MIN_AGE.text);
}

export function withNodes(command: Command, description: string): Command {
  return command.addOption(envOption('--node, --nodes <a,b>', description, 'NODES').argParser(nameList));
}

/** For every command that plans. */
export function withDryRun(command: Command): Command {
  return command
    .addOption(envOption('--dry-run', 'show the plan, change nothing'))
    .addOption(envOption('--detailed-exitcode', 'with --dry-run: exit 6 when something would change'))
    .addOption(notifyOption('tell what came of it'));
}

export function notifyOption(what: string): Option {
  return envOption('--notify <balance.yml>', `${what}, as the \`notify:\` section of this file says`);
}

/** How long a change of a machine waits for whatever holds it; `when`: by which option, where that is not all it does. */
export function withLockWait(command: Command, when = ''): Command {
  return command.addOption(
    envOption('--timeout <time>', `${when}how long to wait for a backup, snapshot or migration`)
      .argParser(durationSeconds)
      .default(USUAL_LOCK_WAIT.seconds, USUAL_LOCK_WAIT.text),
  );
}

/** For commands that remove machines. */
export function withRemovals(command: Command, when = ''): Command {
  const removing = command
    .option('--force-protected', `${when}also remove machines with the protection flag`)
    .addOption(
      envOption('--max-changes <n>', `${when}refuse to remove more objects than this`).argParser(
        nonNegativeInteger,
      ),
    );
  return withLockWait(removing, when);
}
