/** What `users export --mail` and `--send` do with their flags: a mail per student, as a file or on its way. */
import { join } from 'node:path';
import { configError } from '../../lib/config/input/issues.ts';
import { readTextFile } from '../../lib/config/input/read-text.ts';
import { readAuthority } from '../../lib/config/connections/parts.ts';
import type { CredentialsFile } from '../../lib/credentials/credentials-file.ts';
import { writePrivateFile } from '../../lib/credentials/private-file.ts';
import { ApplyError, UsageError } from '../../lib/errors.ts';
import { exitCodeOfFindings } from '../../lib/outcome/exit-code.ts';
import { composeMail, isOurMail } from '../../lib/mail/compose.ts';
import { openPost, parseSmtp } from '../../lib/mail/smtp.ts';
import type { Card } from '../../lib/render/card.ts';
import { mailOf, parseTemplate, PLACEHOLDERS, type MailTemplate } from '../../lib/render/mail-text.ts';
import type { CardsExport } from '../../lib/workflow/export.ts';
import { orRefuseOut } from '../../lib/workflow/shown-file.ts';
import { sendMails, type Letter, type Sent } from '../../lib/workflow/send-mails.ts';
import type { Changing } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import { optionSecret } from '../option-secret.ts';
import type { UsersExportFlags } from './export-flags.ts';
import type { Selection } from './selection.ts';

function usage(message: string, hint: string): never {
  throw new UsageError('MAIL', message, { hint });
}

function readTemplate(file: string): MailTemplate {
  const parsed = parseTemplate(readTextFile(file).text);
  if (!('problem' in parsed)) return parsed;
  const hint = `there are {{${PLACEHOLDERS.join('}}, {{')}}}`;
  throw configError([{ file, line: parsed.line, path: '', message: parsed.problem, hint }]);
}

/** One bare address: what is more would be another mailbox, or a name. */
const ADDRESS = /^[^\s<>@,;:]+@[^\s<>@,;:]+$/;

export interface MailPlan {
  readonly from: string;
  readonly template?: MailTemplate;
}

/** Everything that can be wrong before anything is contacted. */
export function checkMail(flags: UsersExportFlags): MailPlan | undefined {
  const { mail, send, out, mailFrom, smtp, template } = flags;
  if (mail === undefined && send !== true) return undefined;
  if (out !== undefined)
    usage('--out and mails are two exports', 'leave --out out, or run the command twice');
  if (mail === '') usage('--mail names no folder', 'give --mail outbox');
  if (mailFrom === undefined || !ADDRESS.test(mailFrom))
    return usage('whom are the mails from?', 'add --mail-from lab@school.example, a bare address');
  if (send === true && smtp === undefined)
    usage('--send needs a mail server', 'add --smtp smtps://user@mail.school.example');
  if (smtp !== undefined) parseSmtp(smtp);
  return { from: mailFrom, ...(template === undefined ? {} : { template: readTemplate(template) }) };
}

interface Outgoing extends CardsExport {
  readonly letters: readonly Letter[];
}

/** The account's own address counts, then that of the users file. */
function lettersOf(
  found: CardsExport,
  plan: MailPlan,
  { flags, selection }: { readonly flags: UsersExportFlags; readonly selection: Selection },
): Outgoing {
  const addresses = new Map((selection.users ?? []).map(({ userid, email }) => [userid, email]));
  const lab = selection.lab?.name ?? '';
  const leftOut = [...found.leftOut];
  const cards: Card[] = [];
  const letters: Letter[] = [];
  for (const card of found.cards) {
    const { userid, pool, password } = card;
    const to = card.email ?? addresses.get(userid) ?? '';
    if (!ADDRESS.test(to)) {
      leftOut.push({ user: userid, reason: 'no mail address is known, neither of the account nor in -u' });
      continue;
    }
    const { template } = plan;
    const text = mailOf(card, { lab, language: flags.language, ...(template ? { template } : {}) });
    cards.push(card);
    letters.push({ mail: { from: plan.from, to, userid, ...text }, pool, handout: { lab, to, password } });
  }
  return { cards, leftOut, letters };
}

async function writeAll(folder: string, letters: readonly Letter[], now: number): Promise<void> {
  for (const { mail } of letters) {
    const file = join(folder, `${mail.userid.replaceAll(/[^A-Za-z0-9@._-]/g, '_')}.eml`);
    const text = (await composeMail({ ...mail, date: now })).toString('utf8');
    await orRefuseOut(file, writePrivateFile(file, text, isOurMail), 'name another folder with --mail');
  }
}

interface MailRun {
  readonly io: ProgramIo;
  readonly flags: UsersExportFlags;
  readonly run: Changing;
  readonly credentials: CredentialsFile;
  readonly selection: Selection;
  readonly plan: MailPlan;
}

async function send({ io, flags, run, credentials }: MailRun, letters: readonly Letter[]): Promise<Sent> {
  const server = parseSmtp(flags.smtp ?? '');
  const asked = {
    option: '--smtp-password',
    written: flags.smtpPassword,
    variable: 'DEPLOY_STAND_SMTP_PASSWORD',
  };
  const password = await optionSecret(io, flags, asked, (text) => run.output.warn(text));
  const { smtpCaFile } = flags;
  const ca = smtpCaFile === undefined ? undefined : readAuthority(smtpCaFile);
  if (smtpCaFile !== undefined && ca === undefined)
    usage('--smtp-ca-file holds no PEM certificate', 'name the file of an authority');
  const post = openPost(server, {
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
  });
  const { clock, onPhase } = await run.runContext();
  try {
    return await sendMails(letters, {
      ...{ post, credentials, clock, onPhase },
      ...{ rate: flags.mailRate, signal: run.soft },
    });
  } finally {
    post.close();
  }
}

/** What is told of a run; `leftOut` has whom the server refused, too. */
export interface MailReport {
  readonly leftOut: CardsExport['leftOut'];
  readonly cards: readonly Card[];
  readonly sent?: readonly string[];
  readonly before?: readonly string[];
  /** To whom nothing was sent because the run was stopped. */
  readonly untried?: number;
}

export async function mailCards(mail: MailRun, found: CardsExport): Promise<MailReport> {
  const { io, flags, run, plan, selection } = mail;
  const { letters, leftOut, cards } = lettersOf(found, plan, { flags, selection });
  if (flags.mail !== undefined) await writeAll(flags.mail, letters, io.clock.wallTime());
  if (flags.send !== true) return { cards, leftOut };
  const { sent, before, failed, stopped } = await send(mail, letters);
  const undone = letters.length - sent.length - before.length;
  if (stopped && sent.length === 0) throw stopped;
  if (stopped) {
    throw new ApplyError(
      'MAIL_STOPPED',
      `${sent.length} mails were sent, ${undone} were not: ${stopped.message}`,
      {
        hint: 'run the same command again: it sends what is missing',
      },
    );
  }
  const untried = undone - failed.length;
  const stoppedBy = untried > 0 ? run.stoppedBy() : undefined;
  io.setExitCode(exitCodeOfFindings({ stoppedBy, isPartial: undone > 0 }));
  return { cards, leftOut: [...leftOut, ...failed], sent, before, untried };
}
