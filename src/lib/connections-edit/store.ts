/** Reads a connections file to change it, and writes it back: whole or not at all, for its owner alone. Must not edit. */
import { parseConnections, readConnections } from '../config/connections/file.ts';
import { configError, type Issues } from '../config/input/issues.ts';
import { readTextFile } from '../config/input/read-text.ts';
import { checkSchema } from '../config/input/schema.ts';
import { mapping, type Written } from '../config/input/written.ts';
import { ConfigError } from '../errors.ts';
import { targetOf } from '../files/open.ts';
import { FileProblem } from '../files/problem.ts';
import { makeFolderOf, replaceFile } from '../files/replace.ts';
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

const WAYS_OUT: Readonly<Partial<Record<FileProblem['kind'], readonly [message: string, hint: string]>>> = {
  dangling: ['this is a symbolic link to nothing', 'remove the link, or make the file that it names'],
  // Replacing it would hand the file, and its secrets, to another owner.
  foreign: [
    'the file belongs to another user of this machine',
    'let its owner do it, or name a file of yours with --connections',
  ],
  denied: ['the file or its folder is write-protected', 'chmod u+w the file and its folder'],
};

/** Undefined: there is nothing yet. Throws a ConfigError for a file that cannot be replaced. */
function changeable(file: string): string | undefined {
  try {
    return targetOf(file);
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    const [message, hint] = WAYS_OUT[error.kind] ?? [
      `the file cannot be changed: ${error.message}`,
      'name another file with --connections',
    ];
    return refuse(file, message, hint);
  }
}

/** Nothing but comments. */
function isBlank(text: string): boolean {
  return text.replaceAll(/^\s*#.*$/gm, '').trim() === '';
}

/** Throws a ConfigError for a file that is no sound connections file, is not ours, or cannot be replaced. */
export function openFile(file: string): OpenFile {
  const target = changeable(file);
  if (target === undefined) return { file, target: file, text: '', value: {}, isNew: true };
  const { text } = readTextFile(file);
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

/** A moment ago it held the connections that were changed, or nothing. */
const isAsRead = (): boolean => true;

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
  const isThere = changeable(target) !== undefined;
  if (isNew ? isThere : !isThere || readTextFile(target).text !== open.text)
    refuse(file, 'the file was changed by somebody else meanwhile', 'run the command again');
  try {
    makeFolderOf(target);
    await replaceFile(target, text, { mode: 0o600, isOurs: isAsRead });
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    const hint = 'nothing was changed; see to its folder';
    refuse(file, `the file cannot be written (${error.message})`, hint);
  }
}
