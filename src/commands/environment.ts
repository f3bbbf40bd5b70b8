/** Options from the environment that the caller passes in, not from the process's own. Knows no single option. */
import type { EventEmitter } from 'node:events';
import type { Command, Option } from 'commander';
import { UsageError } from '../lib/errors.ts';
import type { ProgramIo } from './io.ts';

const NO = /^(|0|no|off|false)$/i;
const YES = /^(1|yes|on|true)$/i;

/** Sources that a variable goes before. */
const WEAKER = new Set<string | undefined>([undefined, 'default', 'config', 'env']);

/** Of a switch, before the options of the command line are read. */
export const saysYes = (value: string | undefined): boolean => value !== undefined && YES.test(value);

type Reading = { readonly value: string | null } | undefined;

/**
 * What a variable says of its option; undefined: nothing. commander takes any value of the variable of a switch for
 * "on"; `DEPLOY_STAND_DRY_RUN=false` must mean what it says.
 */
function read(option: Option, key: string, value: string): Reading {
  if (option.required) return { value };
  if (NO.test(value)) return undefined;
  // null: the option without its value.
  if (YES.test(value)) return { value: null };
  if (!option.isBoolean()) return { value };
  throw new UsageError('ENVIRONMENT', `${key} is "${value}", not a yes or no`, { hint: 'use 1 or 0' });
}

function apply(command: Command, env: ProgramIo['env']): void {
  for (const option of command.options) {
    const key = option.envVar;
    const value = key === undefined ? undefined : env[key];
    if (key === undefined || value === undefined) continue;
    if (!WEAKER.has(command.getOptionValueSource(option.attributeName()))) continue;
    const reading = read(option, key, value);
    // The event that commander itself sends: parsing, choices and error texts are its own. Its declaration leaves out
    // that a Command is an EventEmitter.
    if (reading) (command as unknown as EventEmitter).emit(`optionEnv:${option.name()}`, reading.value);
  }
}

/**
 * Makes a command and those below it read `env` instead of `process.env`. commander has no setting for this; the method
 * replaced here is where it looks into the environment (commander 14, lib/command.js).
 */
export function readEnvironment(command: Command, env: ProgramIo['env']): void {
  Object.assign(command, { _parseOptionsEnv: () => apply(command, env) });
  for (const sub of command.commands) readEnvironment(sub, env);
}
