/** What `users import` does with its flags: reads a course, writes users.yml. Contacts no cluster. */
import { readTextFile } from '../../lib/config/input/read-text.ts';
import { parseFingerprints, readAuthority } from '../../lib/config/connections/parts.ts';
import { parseUsers } from '../../lib/config/load.ts';
import { ConfigError, UsageError } from '../../lib/errors.ts';
import { isThere, readRegularFile } from '../../lib/files/open.ts';
import { FileProblem } from '../../lib/files/problem.ts';
import { makeFolderOf, replaceFile } from '../../lib/files/replace.ts';
import { decodeExport } from '../../lib/lms/decode.ts';
import { readExport } from '../../lib/lms/export-file.ts';
import type { ExportKind } from '../../lib/lms/headings.ts';
import { studentsOf } from '../../lib/lms/moodle-course.ts';
import { parseSite, readEnrolled } from '../../lib/lms/moodle-service.ts';
import type { People } from '../../lib/lms/person.ts';
import { importPeople, type Imported, type Present } from '../../lib/lms/users-file.ts';
import type { UseridFrom } from '../../lib/lms/userids.ts';
import { renderImport } from '../../lib/render/import-text.ts';
import { shellCommand } from '../../lib/shell.ts';
import { orRefuseOut } from '../../lib/workflow/shown-file.ts';
import { runChanging } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import { optionSecret } from '../option-secret.ts';
import type { GlobalFlags } from '../options.ts';
import type { Output } from '../output.ts';

const MAX_BYTES = 20 * 1024 * 1024;

export interface UsersImportFlags extends GlobalFlags {
  readonly from: ExportKind;
  readonly realm: string;
  readonly useridFrom?: UseridFrom;
  readonly out?: string;
  readonly merge?: string;
  readonly groups: boolean;
  readonly url?: string;
  readonly course?: number;
  readonly token?: string;
  readonly caFile?: string;
  readonly fingerprint?: string;
}

function usage(message: string, hint: string): never {
  throw new UsageError('IMPORT', message, { hint });
}

function readFile(file: string, kind: ExportKind, warn: Output['warn']): People {
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

function tlsOf({ caFile, fingerprint }: UsersImportFlags) {
  const parsed = fingerprint === undefined ? undefined : parseFingerprints([fingerprint]);
  if (parsed && 'problem' in parsed)
    usage(`--fingerprint ${parsed.problem}`, parsed.hint ?? 'give it as SHA-256');
  const ca = caFile === undefined ? undefined : readAuthority(caFile);
  if (caFile !== undefined && ca === undefined)
    usage(`${caFile} holds no PEM certificate`, 'name the file of an authority');
  return {
    verify: true,
    ...(ca === undefined ? {} : { ca }),
    ...(parsed ? { fingerprint: parsed.value } : {}),
  };
}

async function askMoodle(
  io: ProgramIo,
  flags: UsersImportFlags,
  url: string,
  tools: { readonly signal: AbortSignal; readonly warn: Output['warn'] },
): Promise<People> {
  const { course, from } = flags;
  if (from !== 'moodle')
    usage(`--url is for --from moodle, not ${from}`, `export a file from ${from}, and name it`);
  if (course === undefined) usage('--url needs --course', 'give the number in …/course/view.php?id=…');
  parseSite(url);
  const tls = tlsOf(flags);
  const asked = { option: '--token', written: flags.token, variable: 'DEPLOY_STAND_MOODLE_TOKEN' };
  const token = await optionSecret(io, flags, asked, tools.warn);
  if (token === undefined) {
    return usage(
      'no token for the web service of Moodle was given',
      'set DEPLOY_STAND_MOODLE_TOKEN, or give --token env:NAME, file:PATH or command:…',
    );
  }
  const users = await readEnrolled({ url, course, token, tls, signal: tools.signal });
  const people = studentsOf(users, `course ${course}`);
  if (people.people.length > 0) return people;
  throw new ConfigError('IMPORT_EMPTY', `course ${course} has no active student`, {
    hint: 'is it the right course? Teachers and suspended students are left out',
  });
}

function readPresent(file: string): Present {
  const { text } = readTextFile(file);
  const { users } = parseUsers(text, file);
  if (/^\s*(?:users\s*:|- |---|#)/m.test(text) && !/\.(?:csv|tsv|json)$/i.test(file)) return { text, users };
  return usage(
    `--merge ${file} is no YAML, and cannot be added to`,
    'give a users.yml; a CSV roster is imported with --from csv',
  );
}

/** A users file that is there is somebody's work. */
function targetOf({ out, merge }: UsersImportFlags, argv: readonly string[]): string {
  const target = out ?? merge;
  if (target === undefined || target === '')
    return usage('tell where to write the users', 'add --out users.yml, or --merge users.yml');
  if (out === undefined || !isThere(out)) return target;
  const again = shellCommand(
    'deploy-stand',
    ...argv.filter((word, at) => word !== '--out' && argv[at - 1] !== '--out'),
  );
  return usage(
    `${out} is there already, and a new one could give other userids`,
    `keep them: ${again} --merge ${shellCommand(out)}`,
  );
}

async function write(target: string, { text }: Imported): Promise<void> {
  makeFolderOf(target);
  await replaceFile(target, text, { isOurs: () => true });
}

export async function runUsersImport(
  io: ProgramIo,
  flags: UsersImportFlags,
  file: string | undefined,
): Promise<void> {
  await runChanging(io, flags, async (run) => {
    const warn = (text: string): void => run.output.warn(text);
    const { url } = flags;
    if ((file === undefined) === (url === undefined))
      usage('tell where the course is', 'name one exported file, or give --url and --course');
    const target = targetOf(flags, io.argv);
    const present = flags.merge === undefined ? undefined : readPresent(flags.merge);
    const found =
      url === undefined
        ? readFile(file ?? '', flags.from, warn)
        : await askMoodle(io, flags, url, { signal: run.hard, warn });
    const people = flags.groups ? found : { ...found, hasGroups: false };
    const want = { realm: flags.realm, ...(flags.useridFrom ? { from: flags.useridFrom } : {}) };
    const imported = importPeople(people, want, present);
    // What cannot be used must not be written.
    parseUsers(imported.text, target);
    imported.warnings.forEach(warn);
    const { users, added, changed, gone, groups } = imported;
    const isSame = target === flags.merge && added.length + changed.length === 0;
    if (!isSame) await orRefuseOut(target, write(target, imported));
    const result = { file: target, users, added, changed, gone, groups, leftOut: people.leftOut };
    run.output.result(result, () => renderImport(result, run.output));
  });
}
