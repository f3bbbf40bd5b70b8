/** A mail as the text of an .eml file: RFC 5322, UTF-8. Sends nothing. */
import { createHash } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';

export interface Mail {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly date: number;
  /** Whose it is: by it a file of ours is known again. */
  readonly userid: string;
}

const MARK = 'X-Deploy-Stand-User';

/** Is this the beginning of a mail of ours? */
export const isOurMail = (head: string): boolean => /^X-Deploy-Stand-User: /m.test(head);

/** The same mail has the same id, so that a mailbox that gets it twice can tell. */
function messageId({ from, to, subject, text, date }: Mail): string {
  const domain = /@([\w.-]+)>?$/.exec(from)?.[1] ?? 'deploy-stand.invalid';
  const hash = createHash('sha256')
    .update(JSON.stringify([to, subject, text, date]))
    .digest('hex')
    .slice(0, 32);
  return `<${hash}@${domain}>`;
}

export async function composeMail(mail: Mail): Promise<Buffer> {
  const { from, to, subject, text, date, userid } = mail;
  const composer = new MailComposer({
    from,
    to,
    subject,
    text,
    date: new Date(date),
    messageId: messageId(mail),
    headers: { [MARK]: userid, 'Auto-Submitted': 'auto-generated' },
    // Nothing of a name may fetch a file or an address.
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: '\r\n',
  });
  return composer.compile().build();
}
