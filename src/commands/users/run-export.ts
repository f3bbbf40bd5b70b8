/** What `users export` does with its flags: writes a private file, shows nothing of it. */
import { CredentialsFile } from '../../lib/credentials/credentials-file.ts';
import { assertReplaceableExport } from '../../lib/credentials/own-file.ts';
import { writePrivateFile } from '../../lib/credentials/private-file.ts';
import { PlanRefusedError, UsageError } from '../../lib/errors.ts';
import type { Card } from '../../lib/render/card.ts';
import { escapeControl } from '../../lib/render/escape.ts';
import { paragraph } from '../../lib/render/layout.ts';
import { CARD_FILES, isCardFile } from '../../lib/render/card-files.ts';
import { runChanging, type Changing } from '../cluster-command.ts';
import { foldedLines } from '../../lib/render/fold.ts';
import { exportCards, type CardsExport } from '../../lib/workflow/export.ts';
import { orRefuseOut } from '../../lib/workflow/shown-file.ts';
import { readOnlySealing, sealingOf } from '../age-recipient.ts';
import { DOCUMENT_FORMATS, formatByName, type DocumentFormat } from '../format-by-name.ts';
import { passwordsElsewhere } from '../former-passwords.ts';
import type { ProgramIo } from '../io.ts';
import type { UsersExportFlags } from './export-flags.ts';
import { checkMail, mailCards, type MailReport } from './run-mail.ts';
import { credentialsPath, readUsersSelection } from './selection.ts';

function counted(cards: readonly Card[]): string {
  return `${cards.length} ${cards.length === 1 ? 'user' : 'users'}`;
}

type Shown = Pick<Changing['output'], 'width' | 'wide'>;

function renderReport(head: string, leftOut: CardsExport['leftOut'], { width, wide }: Shown): string {
  const said = leftOut.map(({ user, reason }) => ({ who: user, text: reason, own: [user] }));
  return [
    ...paragraph(escapeControl(head), { width, hang: 2 }),
    ...foldedLines(said, { width, wide }, ({ who, text }) => `left out: ${who}: ${text}`),
  ].join('\n');
}

function formatOf(out: string): DocumentFormat {
  const format = formatByName(out, DOCUMENT_FORMATS);
  if (format) return format;
  throw new UsageError('EXPORT_FORMAT', `the name ${out} does not say in which format`, {
    hint: 'name a file that ends in .csv, .json, .md or .html, or add --format; a browser prints the .html as PDF',
  });
}

interface Target {
  readonly file: string;
  readonly format: DocumentFormat;
}

function targetOf({ out, format }: UsersExportFlags): Target {
  if (out === undefined) {
    throw new UsageError('MISSING_OPTION', 'users export needs a place to write to', {
      hint: 'add --out cards.html, or --mail outbox for a mail per student',
    });
  }
  const target = { file: out, format: format ?? formatOf(out) };
  assertReplaceableExport(out);
  return target;
}

function mailedReport(
  flags: UsersExportFlags,
  { cards, leftOut, sent, before, untried = 0 }: MailReport,
  shown: Shown,
): string {
  const where = flags.mail === undefined ? 'mails' : `${flags.mail} (readable by you alone)`;
  const rest = untried === 0 ? '' : `, ${untried} not yet: run the same command again`;
  const told = sent ? `, ${sent.length} sent now, ${before?.length ?? 0} before${rest}` : '';
  return renderReport(`${where}: ${counted(cards)}${told}`, leftOut, shown);
}

export async function runUsersExport(io: ProgramIo, flags: UsersExportFlags): Promise<void> {
  await runChanging(io, flags, async (run) => {
    const warn = (text: string): void => run.output.warn(text);
    const selection = readUsersSelection(flags, warn);
    const plan = checkMail(flags);
    const target = plan ? undefined : targetOf(flags);
    const { url } = await run.connect();
    const file = credentialsPath(flags, selection);
    // What is sent is noted there.
    const sealing = flags.send === true ? await sealingOf(io, flags, warn) : readOnlySealing(io, flags, warn);
    const credentials = await CredentialsFile.open(file, { url, ...sealing });
    const found = await exportCards(
      {
        url,
        ...(selection.users ? { users: selection.users.map((user) => user.userid) } : {}),
        ...(selection.lab ? { lab: selection.lab.name, labFile: selection.lab } : {}),
      },
      await run.runContext(),
      credentials,
    );
    const { cards, leftOut } = found;
    const without = leftOut.map(({ user }) => user);
    const elsewhere = await passwordsElsewhere(io, flags, { file, users: without, url });
    const ways = elsewhere.map((text) => `--credentials ${text}`);
    if (cards.length === 0) {
      const why = renderReport('', leftOut, { ...run.output, width: Infinity });
      const hint = 'name the file that deploy or users passwd wrote with --credentials';
      throw new PlanRefusedError(
        'NO_PASSWORDS',
        `${file} has no password of these users that is valid${why}`,
        { hint: ways.length === 0 ? hint : ways.join('\n') },
      );
    }
    for (const text of ways) warn(text);
    const users = cards.map((card) => card.userid);
    if (target) {
      const text = CARD_FILES[target.format].render(cards, flags.language, selection.lab?.name ?? '');
      await orRefuseOut(target.file, writePrivateFile(target.file, text, isCardFile));
      run.output.result({ ...target, users, leftOut }, () =>
        renderReport(`${target.file}: ${counted(cards)}; readable by you alone`, leftOut, run.output),
      );
    } else if (plan) {
      const report = await mailCards({ io, flags, run, credentials, selection, plan }, found);
      const { sent, before } = report;
      const mailed = report.cards.map((card) => card.userid);
      run.output.result({ folder: flags.mail, users: mailed, leftOut: report.leftOut, sent, before }, () =>
        mailedReport(flags, report, run.output),
      );
    }
  });
}
