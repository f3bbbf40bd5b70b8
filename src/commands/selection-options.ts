/** The options by which every command on stands is told which. Loaded for `--help` too: nothing heavy here. */
import type { Command } from 'commander';
import { collect, labNameOption, labOption, nameList, usersOption } from './options.ts';

export interface SelectionFlags {
  readonly config?: string;
  readonly users?: readonly string[];
  readonly labName?: string;
  readonly lab?: string;
  readonly user?: readonly string[];
  readonly only?: readonly string[];
  readonly machine?: readonly string[];
  readonly node?: readonly string[];
}

/** `machines`: also of which machines, and on which nodes; not for commands that treat stands as a whole. */
export function withSelection(command: Command, options: { readonly machines?: boolean } = {}): Command {
  command
    .addOption(labOption('with -u: the stands of these users in this lab'))
    .addOption(usersOption())
    .addOption(labNameOption())
    .option('--lab <name>', 'stands of this lab, without its file')
    .option('--user <id>', 'stands of this user (may be repeated)', collect)
    .option('--only <user,…>', 'only these users of the file', nameList);
  if (options.machines === false) return command;
  return command
    .option('--machine <name>', 'only this machine of each stand (may be repeated)', collect)
    .option('--node <name>', 'only machines on this node (may be repeated)', collect);
}
