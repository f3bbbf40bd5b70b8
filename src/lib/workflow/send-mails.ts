/** Sends each student's mail once: what was sent is in the credentials file before the next one goes. Renders nothing. */
import type { Clock } from '../clock.ts';
import type { CredentialsFile } from '../credentials/credentials-file.ts';
import { wasSent, withSent, type Handout } from '../credentials/sent.ts';
import type { StandError } from '../errors.ts';
import { ConnectionError } from '../errors.ts';
import { composeMail, type Mail } from '../mail/compose.ts';
import { MailLost, MailRefused, type Post } from '../mail/smtp.ts';

export interface Letter {
  readonly mail: Omit<Mail, 'date'>;
  readonly pool: string;
  readonly handout: Handout;
}

export interface SendContext {
  readonly post: Post;
  readonly credentials: CredentialsFile;
  readonly clock: Clock;
  /** Mails per minute. */
  readonly rate: number;
  readonly signal: AbortSignal;
  readonly onPhase: (text: string, share?: number) => void;
}

export interface Sent {
  readonly sent: readonly string[];
  /** Sent by an earlier run. */
  readonly before: readonly string[];
  readonly failed: readonly { readonly user: string; readonly reason: string }[];
  /** The server is gone, or refuses all: nobody else was tried. */
  readonly stopped?: StandError;
}

const MINUTE = 60_000;

/**
 * A refusal of one mail is that student's, and so is a connection that breaks at one; at two in a row the server is gone.
 * Whatever the server refuses ends the run, and the next run goes on.
 */
export async function sendMails(letters: readonly Letter[], context: SendContext): Promise<Sent> {
  const { post, credentials, clock, rate, signal, onPhase } = context;
  const isOld = ({ mail, handout }: Letter): boolean => wasSent(credentials.row(mail.userid)?.sent, handout);
  const before = letters.filter(isOld).map(({ mail }) => mail.userid);
  const sent: string[] = [];
  const failed: { user: string; reason: string }[] = [];
  const missing = letters.filter((letter) => !isOld(letter));
  let wasLost = false;
  for (const [at, { mail, pool, handout }] of missing.entries()) {
    const { userid, from, to } = mail;
    try {
      if (at > 0) await clock.sleep(MINUTE / rate, signal);
      if (signal.aborted) break;
      const now = clock.wallTime();
      await post.send({ from, to, raw: await composeMail({ ...mail, date: now }) });
      await credentials.markSent({ userid, pool }, withSent(credentials.row(userid)?.sent, handout, now));
      sent.push(userid);
      wasLost = false;
    } catch (error) {
      if (signal.aborted) break;
      if (error instanceof MailLost && !wasLost) {
        wasLost = true;
        failed.push({
          user: userid,
          reason: `the mail server does not say whether it took the mail to ${to}: ${error.message}`,
        });
      } else if (error instanceof MailRefused) {
        wasLost = false;
        failed.push({ user: userid, reason: `the mail server refuses ${to}: ${error.message}` });
      } else if (error instanceof ConnectionError) return { sent, before, failed, stopped: error };
      else throw error;
    }
    onPhase(`mails: ${at + 1} of ${missing.length}`, (at + 1) / missing.length);
  }
  return { sent, before, failed };
}
