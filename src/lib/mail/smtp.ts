/** Hands mails to one SMTP server: TLS verified, one after the other, each once. Keeps no account of what was sent. */
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

/** Nobody knows whether this one was taken: the connection broke, or the server fell silent. The next one may be taken. */
export class MailLost extends ConnectionError {}

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
  readonly syscall?: unknown;
  readonly timeoutType?: unknown;
  readonly message: string;
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 200);

/** Refusals of one address or text. Who sends is the same in all mails: that one is refused for all. */
function isOfOneMail({ code, command }: SmtpFailure): boolean {
  return code === 'EMESSAGE' || (code === 'EENVELOPE' && command !== 'MAIL FROM');
}

/** After the connection stood. Up to then it is the server's: no mail was on its way. */
function isBroken({ code, syscall, timeoutType }: SmtpFailure): boolean {
  if (code === 'ETIMEDOUT') return timeoutType === 'SOCKET_TIMEOUT';
  return code === 'ECONNECTION' || (code === 'ESOCKET' && (syscall === 'read' || syscall === 'write'));
}

function hintFor({ code, command, message }: SmtpFailure, { user }: SmtpServer): string {
  if (code === 'EAUTH')
    return `check the login ${user ?? '(none is given: smtps://user@…)'} and DEPLOY_STAND_SMTP_PASSWORD`;
  if (command === 'MAIL FROM') return 'is it allowed to send from the address of --mail-from?';
  if (message.includes('wrong version number'))
    return 'it does not speak TLS from the first byte there: write smtp://… for STARTTLS, or another port';
  return 'is it the right host and port, and does its certificate fit? --smtp-ca-file names the file of its authority';
}

function failureOf(error: unknown, server: SmtpServer): Error {
  if (!(error instanceof Error)) return new Error('unknown failure');
  const failure = error as SmtpFailure;
  const { response, message } = failure;
  const words = oneLine(typeof response === 'string' ? response : message);
  if (isOfOneMail(failure)) return new MailRefused(words);
  const text = `${server.host}:${server.port}: ${words}`;
  const Kind = isBroken(failure) ? MailLost : ConnectionError;
  return new Kind('SMTP', text, { hint: hintFor(failure, server) });
}

export interface Post {
  /** Throws MailRefused and MailLost for this mail, another ConnectionError for the server. */
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
    // A mail whose answer was lost may have been taken: whether it goes again is not decided here.
    maxRequeues: 0,
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
