/** What `users import` does with its flags: says which course, and which file. Contacts no cluster. */
import { parseFingerprints, readAuthority } from '../../lib/config/connections/parts.ts';
import { UsageError } from '../../lib/errors.ts';
import { isThere } from '../../lib/files/open.ts';
import type { ExportKind } from '../../lib/lms/headings.ts';
import { parseSite } from '../../lib/lms/moodle-service.ts';
import type { UseridFrom } from '../../lib/lms/userids.ts';
import { renderImport } from '../../lib/render/import-text.ts';
import { shellCommand } from '../../lib/shell.ts';
import { importUsers, type MoodleCourse } from '../../lib/workflow/import.ts';
import { runChanging } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import { optionSecret } from '../option-secret.ts';
import type { GlobalFlags } from '../options.ts';
import type { Output } from '../output.ts';

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

async function courseOf(
  io: ProgramIo,
  flags: UsersImportFlags,
  url: string,
  warn: Output['warn'],
): Promise<MoodleCourse> {
  const { course, from } = flags;
  if (from !== 'moodle')
    usage(`--url is for --from moodle, not ${from}`, `export a file from ${from}, and name it`);
  if (course === undefined) usage('--url needs --course', 'give the number in …/course/view.php?id=…');
  parseSite(url);
  const tls = tlsOf(flags);
  const asked = { option: '--token', written: flags.token, variable: 'DEPLOY_STAND_MOODLE_TOKEN' };
  const token = await optionSecret(io, flags, asked, warn);
  if (token === undefined) {
    return usage(
      'no token for the web service of Moodle was given',
      'set DEPLOY_STAND_MOODLE_TOKEN, or give --token env:NAME, file:PATH or command:…',
    );
  }
  return { url, course, token, tls };
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
    const imported = await importUsers(
      {
        ...{ from: flags.from, target, realm: flags.realm, groups: flags.groups },
        ...(flags.useridFrom ? { useridFrom: flags.useridFrom } : {}),
        ...(flags.merge === undefined ? {} : { merge: flags.merge }),
        course: url === undefined ? { file: file ?? '' } : await courseOf(io, flags, url, warn),
      },
      { warn, signal: run.hard },
    );
    const result = { file: target, ...imported };
    run.output.result(result, () => renderImport(result, run.output));
  });
}
