/** Hands mails to one SMTP server: TLS verified, one after the other. Must not retry, and keeps no account of what was sent. */
import { createTransport } from 'nodemailer';
import { ConfigError, ConnectionError } from '../errors.ts';
import { isLoopback } from '../proxmox/hosts.ts';

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; else STARTTLS, which is demanded. */
  readonly isTls: boolean;
  /** Plain text is for this machine only. */
  readonly isLocal: boolean;
  readonly user?: string;
}

export interface SmtpLogin {
  readonly password?: string;
  /** PEM; absent: the authorities of the system. */
  readonly ca?: string;
}

interface Envelope {
  readonly from: string;
  readonly to: string;
  readonly raw: Buffer;
}

/** This one was not taken; the next one may be. */
export class MailRefused extends Error {}

const TIMEOUT_MS = 30_000;

/** `smtps://user@mail.example`, `smtp://mail.example:587`. Throws a ConfigError. */
export function parseSmtp(written: string): SmtpServer {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  const isTls = url?.protocol === 'smtps:';
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '' || url.password !== '') {
    const hint =
      'write smtps://user@mail.school.example, or smtp://… for STARTTLS; the password goes elsewhere, see --smtp-password';
    throw new ConfigError('SMTP_URL', '--smtp is no address of a mail server', { hint });
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const user = decodeURIComponent(url.username);
  return {
    host,
    port: Number(url.port === '' ? (isTls ? 465 : 587) : url.port),
    isTls,
    isLocal: isLoopback(host),
    ...(user === '' ? {} : { user }),
  };
}

interface SmtpFailure {
  readonly code?: unknown;
  readonly responseCode?: unknown;
  readonly response?: unknown;
  readonly command?: unknown;
  readonly message: string;
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 200);

/** Refusals of one address or text; all else is the server's, or the connection's. */
const PER_MAIL = new Set(['EENVELOPE', 'EMESSAGE']);

function failureOf(error: unknown, { host, port, user }: SmtpServer): Error {
  if (!(error instanceof Error)) return new Error('unknown failure');
  const { code, response, message } = error as SmtpFailure;
  const words = oneLine(typeof response === 'string' ? response : message);
  if (typeof code === 'string' && PER_MAIL.has(code)) return new MailRefused(words);
  const hint =
    code === 'EAUTH'
      ? `check the login ${user ?? '(none is given: smtps://user@…)'} and DEPLOY_STAND_SMTP_PASSWORD`
      : 'is it the right host and port, and does its certificate fit? --smtp-ca-file names the file of its authority';
  return new ConnectionError('SMTP', `${host}:${port}: ${words}`, { hint });
}

export interface Post {
  /** Throws MailRefused for this mail, ConnectionError for the server. */
  send(mail: Envelope): Promise<void>;
  close(): void;
}

export function openPost(server: SmtpServer, { password, ca }: SmtpLogin): Post {
  const { host, port, isTls, isLocal, user } = server;
  const transport = createTransport({
    host,
    port,
    secure: isTls,
    // What a server that cannot is given in the clear, somebody on the way could ask for.
    requireTLS: !isTls && !isLocal,
    tls: { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
    pool: true,
    maxConnections: 1,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
  });
  return {
    send: async ({ from, to, raw }) => {
      try {
        await transport.sendMail({ envelope: { from, to: [to] }, raw });
      } catch (error) {
        throw failureOf(error, server);
      }
    },
    close: () => transport.close(),
  };
}
