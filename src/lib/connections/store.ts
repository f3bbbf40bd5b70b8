/** Reads a connections file to change it, and writes it back: whole or not at all, for its owner alone. Must not edit. */
import { accessSync, constants, lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseConnections, readConnections } from '../config/connections-file.ts';
import { configError, type Issues } from '../config/issues.ts';
import { readTextFile } from '../config/read-text.ts';
import { checkSchema } from '../config/schema.ts';
import { mapping, type Written } from '../config/written.ts';
import { writePrivateFile } from '../credentials/private-file.ts';
import { ConfigError } from '../errors.ts';
import { cannotEdit } from './splice.ts';

export interface OpenFile {
  /** As the user named it. */
  readonly file: string;
  /** Behind all symbolic links. */
  readonly target: string;
  readonly text: string;
  /** Empty for a file that is yet to be made. */
  readonly value: Written;
  /** Where complaints about what stands in the file go; undefined when nothing does. */
  readonly issues?: Issues;
  readonly isNew: boolean;
}

function refuse(file: string, message: string, hint: string): never {
  throw configError([{ file, path: '', message, hint }]);
}

function assertChangeable(file: string, target: string): void {
  const me = process.geteuid?.();
  const { uid } = statSync(target);
  // Replacing it would hand the file, and its secrets, to another owner.
  if (me !== undefined && me !== 0 && uid !== me)
    refuse(
      file,
      'the file belongs to another user of this machine',
      'let its owner do it, or name a file of yours with --connections',
    );
  try {
    accessSync(target, constants.W_OK);
    accessSync(dirname(target), constants.W_OK);
  } catch {
    refuse(file, 'the file or its folder is write-protected', `chmod u+w ${file}, and its folder`);
  }
}

/** Nothing but comments. */
function isBlank(text: string): boolean {
  return text.replaceAll(/^\s*#.*$/gm, '').trim() === '';
}

/** Throws a ConfigError for a file that is no sound connections file, is not ours, or cannot be replaced. */
export function openFile(file: string): OpenFile {
  const isThere = lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  if (!isThere) return { file, target: file, text: '', value: {}, isNew: true };
  if (statSync(file, { throwIfNoEntry: false }) === undefined)
    refuse(file, 'this is a symbolic link to nothing', 'remove the link, or make the file that it names');
  const { text } = readTextFile(file);
  const target = realpathSync(file);
  assertChangeable(file, target);
  if (isBlank(text)) return { file, target, text, value: {}, isNew: false };
  const { value, issues } = readConnections(file);
  if (issues.errors.length === 0) checkSchema('connections', value, issues);
  if (issues.errors.length > 0) throw configError(issues.errors);
  return { file, target, text, value, issues, isNew: false };
}

function valueOf(text: string, file: string): Written {
  try {
    return mapping(parseConnections(text, file).value);
  } catch (error) {
    if (error instanceof ConfigError) throw cannotEdit(file);
    throw error;
  }
}

/**
 * Writes the changed text, mode 0600, by replacing the file: a reader sees the old or the new one. Text that does not
 * mean what it should is not written.
 */
export async function saveFile(
  open: OpenFile,
  text: string,
  isMeant: (value: Written) => boolean,
): Promise<void> {
  const { file, target, isNew } = open;
  if (!isMeant(isBlank(text) ? {} : valueOf(text, file))) throw cannotEdit(file);
  const isThere = lstatSync(target, { throwIfNoEntry: false }) !== undefined;
  if (isNew ? isThere : !isThere || readTextFile(target).text !== open.text)
    refuse(file, 'the file was changed by somebody else meanwhile', 'run the command again');
  try {
    await writePrivateFile(target, text);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    refuse(file, `the file cannot be written (${code})`, 'nothing was changed; see to its folder');
  }
}
