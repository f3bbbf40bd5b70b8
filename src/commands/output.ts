/** Writes results to stdout as text, JSON or YAML, and words to stderr. */
import { stringify } from 'yaml';
import type { ProgramIo } from './io.ts';
import type { GlobalFlags } from './options.ts';

export interface Output {
  readonly color: boolean;
  readonly width: number;
  readonly isText: boolean;
  /** The one document of this command. */
  result(document: unknown, text: () => string): void;
  warn(text: string): void;
}

const NARROW = 80;

/** The command that was given, to be given again. */
export function commandLine(argv: readonly string[]): string {
  const words = argv.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
  );
  return ['deploy-stand', ...words].join(' ');
}

export function createOutput(io: ProgramIo, flags: Pick<GlobalFlags, 'output' | 'color' | 'quiet'>): Output {
  const wantsColor = flags.color && io.env['NO_COLOR'] === undefined && io.env['TERM'] !== 'dumb';
  return {
    color: wantsColor && io.stdout.isTTY === true,
    width: io.stdout.isTTY === true ? Math.max(NARROW, io.stdout.columns ?? NARROW) : Infinity,
    isText: flags.output === 'text',
    result: (document, text) => {
      if (flags.output === 'json') io.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
      else if (flags.output === 'yaml') io.stdout.write(stringify(document));
      else io.stdout.write(`${text().trimEnd()}\n`);
    },
    warn: (text) => {
      io.stderr.write(`warning: ${text}\n`);
    },
  };
}
