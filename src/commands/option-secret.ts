/** Secrets that an option names the place of: never on the command line itself, which everybody on the machine can read. */
import { split } from 'shlex';
import { readAgeKeys } from '../lib/config/connections/age-keys.ts';
import { resolveSecret } from '../lib/config/connections/secret-resolve.ts';
import { parseSecret } from '../lib/config/connections/secret-source.ts';
import type { SecretSource } from '../lib/config/connections/types.ts';
import { UsageError } from '../lib/errors.ts';
import type { ProgramIo } from './io.ts';
import type { GlobalFlags } from './options.ts';
import { connectionOptions } from './session.ts';

interface Asked {
  /** `--token` */
  readonly option: string;
  readonly written: string | undefined;
  /** May hold the secret itself, or its place. */
  readonly variable: string;
}

function refuse(message: string, { option, variable }: Asked, hint?: string): never {
  throw new UsageError('SECRET', message, {
    hint: hint ?? `set ${variable}, or give ${option} env:NAME, file:PATH or command:'program argument'`,
  });
}

function wordsOf(text: string, asked: Asked): string[] {
  try {
    return split(text);
  } catch {
    return refuse(`the command of ${asked.option} has a quote that is not closed`, asked);
  }
}

function parse(text: string, asked: Asked): SecretSource {
  const [, command] = /^command:(.*)$/s.exec(text) ?? [];
  const parsed = parseSecret(
    command === undefined ? text : { command: wordsOf(command, asked) },
    process.cwd(),
  );
  if ('value' in parsed) return parsed.value;
  return refuse(`${asked.option}: ${parsed.problem}`, asked, parsed.hint);
}

/** Undefined: neither the option nor the variable is there. */
export async function optionSecret(
  io: ProgramIo,
  flags: GlobalFlags,
  asked: Asked,
  warn: (text: string) => void,
): Promise<string | undefined> {
  const { option, written, variable } = asked;
  const text = written ?? io.env[variable];
  if (text === undefined || text === '') return undefined;
  const source = parse(text, asked);
  if (written !== undefined && source.kind === 'plain')
    refuse(`${option} was given a secret: everybody on this machine can read the command line`, asked);
  const keys = () => readAgeKeys(connectionOptions(io, flags), warn);
  const resolved = await resolveSecret(source, { env: io.env, keys, warn });
  if ('value' in resolved) return resolved.value;
  return refuse(`${written === undefined ? variable : option}: ${resolved.problem}`, asked, resolved.hint);
}
