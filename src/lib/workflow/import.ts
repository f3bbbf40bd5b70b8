/** The story of `users import`: the people of a course, as a users file. Contacts the learning platform at most. */
import { parseUsers } from '../config/load.ts';
import { readTextFile } from '../config/input/read-text.ts';
import { ConfigError, UsageError } from '../errors.ts';
import { readRegularFile } from '../files/open.ts';
import { FileProblem } from '../files/problem.ts';
import { makeFolderOf, replaceFile } from '../files/replace.ts';
import { decodeExport } from '../lms/decode.ts';
import { readExport } from '../lms/export-file.ts';
import type { ExportKind } from '../lms/headings.ts';
import { studentsOf } from '../lms/moodle-course.ts';
import { readEnrolled } from '../lms/moodle-service.ts';
import type { People } from '../lms/person.ts';
import { importPeople, type Imported, type Present } from '../lms/users-file.ts';
import type { UseridFrom } from '../lms/userids.ts';
import { orRefuseOut } from './shown-file.ts';

/** A course that its Moodle is asked about. */
export type MoodleCourse = Omit<Parameters<typeof readEnrolled>[0], 'signal'>;

export interface ImportWant {
  readonly from: ExportKind;
  /** What was exported, or whom to ask. */
  readonly course: { readonly file: string } | MoodleCourse;
  /** Written to. */
  readonly target: string;
  /** A users file of which the userids are kept; may be the target. */
  readonly merge?: string;
  readonly realm: string;
  readonly useridFrom?: UseridFrom;
  /** With the groups of the platform. */
  readonly groups: boolean;
}

interface ImportContext {
  readonly warn: (text: string) => void;
  readonly signal: AbortSignal;
}

type ImportResult = Pick<Imported, 'users' | 'added' | 'changed' | 'gone' | 'groups'> &
  Pick<People, 'leftOut'>;

const MAX_BYTES = 20 * 1024 * 1024;

function readFile(file: string, kind: ExportKind, warn: ImportContext['warn']): People {
  let bytes: Buffer;
  try {
    ({ bytes } = readRegularFile(file, { maxBytes: MAX_BYTES }));
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw new ConfigError('IMPORT_FILE', `${file} cannot be read: ${error.message}`, {
      hint: 'name the file that the platform exported',
    });
  }
  const decoded = decodeExport(bytes);
  if (!decoded) {
    throw new ConfigError('IMPORT_FILE', `${file} is no text`, {
      hint: 'export it as CSV (plain text), not as a workbook',
    });
  }
  if (decoded.encoding.startsWith('windows'))
    warn(
      `${file} is read as ${decoded.encoding}, as its letters look like; if names are garbled, save it as UTF-8`,
    );
  return readExport(decoded.text, file, kind);
}

async function askMoodle(asked: MoodleCourse, signal: AbortSignal): Promise<People> {
  const { course } = asked;
  const people = studentsOf(await readEnrolled({ ...asked, signal }), `course ${course}`);
  if (people.people.length > 0) return people;
  throw new ConfigError('IMPORT_EMPTY', `course ${course} has no active student`, {
    hint: 'is it the right course? Teachers and suspended students are left out',
  });
}

function readPresent(file: string): Present {
  const { text } = readTextFile(file);
  const { users } = parseUsers(text, file);
  if (/^\s*(?:users\s*:|- |---|#)/m.test(text) && !/\.(?:csv|tsv|json)$/i.test(file)) return { text, users };
  throw new UsageError('IMPORT', `--merge ${file} is no YAML, and cannot be added to`, {
    hint: 'give a users.yml; a CSV roster is imported with --from csv',
  });
}

async function write(target: string, { text }: Imported): Promise<void> {
  makeFolderOf(target);
  await replaceFile(target, text, { isOurs: () => true });
}

/** Writes nothing where a merge found nothing new. */
export async function importUsers(want: ImportWant, { warn, signal }: ImportContext): Promise<ImportResult> {
  const { from, course, target, merge, realm, useridFrom } = want;
  const present = merge === undefined ? undefined : readPresent(merge);
  const found = 'file' in course ? readFile(course.file, from, warn) : await askMoodle(course, signal);
  const people = want.groups ? found : { ...found, hasGroups: false };
  const imported = importPeople(people, { realm, ...(useridFrom ? { from: useridFrom } : {}) }, present);
  // What cannot be used must not be written.
  parseUsers(imported.text, target);
  imported.warnings.forEach(warn);
  const { users, added, changed, gone, groups } = imported;
  const isSame = target === merge && added.length + changed.length === 0;
  if (!isSame) await orRefuseOut(target, write(target, imported));
  return { users, added, changed, gone, groups, leftOut: people.leftOut };
}
