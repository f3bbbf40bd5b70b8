/**
 * Requests to one installation: login, one new login when the first has run out, patience with services that are asleep.
 * Must not repeat a write whose outcome is unknown.
 */
import { unlessAborted } from '../abort.ts';
import { ConfigError, ConnectionError } from '../errors.ts';
import { trustCommand } from '../proxmox/transports/how-to-trust.ts';
import { CallLimit } from '../proxmox/call-limit.ts';
import { toHost } from '../proxmox/hosts.ts';
import type { LinkOptions } from '../proxmox/link-options.ts';
import { ServerClock } from '../proxmox/server-clock.ts';
import { HttpsTransport } from '../proxmox/transports/https.ts';
import { NoAnswer, NotSent, TooLarge, type Connect, type Transport } from '../proxmox/transports/types.ts';
import type { RawAnswer } from '../proxmox/answer.ts';
import type { WriteEnding } from '../proxmox/types.ts';
import { SecretMask } from '../redact.ts';
import { isRecord, judge, noAnswer, type Asked } from './answer.ts';
import { VmmanagerAnswerLost, VmmanagerError, VmmanagerUnreachable } from './errors.ts';

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const AT_ONCE = 8;
/** A service that is asleep wakes up: the vendor's own sample asks ten times, each time a little later. */
const MOST_TRIES = 10;
const PAUSE_MS = 100;
const LOGIN = '/auth/v4/public/token';
const LONGEST_TOKEN = 4096;

interface Wanted {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly step?: string | undefined;
}

function howToTrust(connection: LinkOptions['connection'], seen: string): string {
  const command = trustCommand(connection, seen);
  const way = command === undefined ? `it goes into connections.yml as fingerprint: ${seen}` : command;
  return `Compare the fingerprint with that of the certificate on VMmanager's own machine, or name the file of its authority as ca_file:. If it is the same: ${way}`;
}

export class VmmanagerHttp {
  readonly #options: LinkOptions;
  readonly #who: string;
  readonly #password: string;
  readonly #peer: Transport;
  readonly #secrets = new SecretMask();
  readonly #calls = new CallLimit(AT_ONCE);
  readonly #closing = new AbortController();
  #token: Promise<string> | undefined;
  #requests = 0;
  readonly #serverClock: ServerClock;

  constructor(options: LinkOptions) {
    const { connection } = options;
    const { auth, hosts } = connection;
    const [host] = hosts;
    if (auth.kind !== 'password' || host === undefined)
      throw new ConfigError('CONNECTION', `connection ${connection.name} is none to VMmanager 6`);
    this.#options = options;
    this.#serverClock = new ServerClock(options.clock);
    this.#who = auth.user;
    this.#password = auth.password;
    this.#secrets.add(auth.password);
    const connect: Connect = options.connect ?? ((at, given) => new HttpsTransport(at, given));
    this.#peer = connect(toHost(host), {
      tls: connection.tls,
      timeout: connection.timeout,
      maxSockets: AT_ONCE,
      maxAnswerBytes: MAX_ANSWER_BYTES,
      howToTrust: (seen) => howToTrust(connection, seen),
    });
  }

  get requests(): number {
    return this.#requests;
  }

  serverTime(): Date {
    return this.#serverClock.now();
  }

  mask(text: string): string {
    return this.#secrets.mask(text);
  }

  close(): void {
    this.#closing.abort(new ConnectionError('CONNECTION_CLOSED', 'the connection to VMmanager was closed'));
    this.#peer.close();
  }

  get(path: string, signal?: AbortSignal): Promise<unknown> {
    return this.#send({ method: 'GET', path }, signal);
  }

  post(
    path: string,
    body: Readonly<Record<string, unknown>>,
    { step, signal }: { readonly step?: string; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<unknown> {
    return this.#send({ method: 'POST', path, body, step }, signal);
  }

  /** A refused token (401: nothing was done) is replaced once: migrations last longer than it does. */
  async #send(wanted: Wanted, signal?: AbortSignal): Promise<unknown> {
    const token = await this.#loggedIn(signal);
    try {
      return await this.#exchange(wanted, { 'x-xsrf-token': token }, signal);
    } catch (error) {
      if (!(error instanceof VmmanagerError) || error.status !== 401) throw error;
      this.#token = undefined;
    }
    const fresh = await this.#loggedIn(signal);
    return this.#exchange(wanted, { 'x-xsrf-token': fresh }, signal);
  }

  /** One login for all that wait for it; one caller's signal does not end it. */
  #loggedIn(signal: AbortSignal | undefined): Promise<string> {
    if (!this.#token) {
      const login = this.#login();
      login.catch(() => {
        if (this.#token === login) this.#token = undefined;
      });
      this.#token = login;
    }
    return unlessAborted(this.#token, [signal]);
  }

  async #login(): Promise<string> {
    const body = { email: this.#who, password: this.#password };
    let answer: unknown;
    try {
      answer = await this.#exchange({ method: 'POST', path: LOGIN, body }, {});
    } catch (error) {
      throw this.#loginFailure(error);
    }
    const { token, confirmed } = isRecord(answer) ? answer : {};
    if (typeof token === 'string') this.#secrets.add(token);
    const refuse = (text: string, hint: string): never => {
      throw new VmmanagerError({ method: 'POST', path: LOGIN, status: 401, text, hint }, 'AUTH_FAILED');
    };
    if (confirmed === false)
      return refuse(
        `${this.#who} has a second factor, which a program cannot answer`,
        'use an account without one for this connection',
      );
    // It goes into a header.
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token) || token.length > LONGEST_TOKEN)
      return refuse('the answer to the login holds no token', 'is this the address of VMmanager 6?');
    return token;
  }

  /** A login changes nothing, so one without an answer is merely one that failed. */
  #loginFailure(error: unknown): unknown {
    if (error instanceof VmmanagerAnswerLost)
      return new VmmanagerUnreachable('the login', error.message, error);
    if (!(error instanceof VmmanagerError) || error.status < 400 || error.status >= 500) return error;
    const { status, message } = error;
    return new VmmanagerError(
      {
        ...{ method: 'POST', path: LOGIN, status },
        text: `the login of ${this.#who} is refused: ${message.slice(message.indexOf(': ') + 2)}`,
        hint: `check email and password of the connection; an account that is blocked or has a second factor cannot log in here`,
      },
      'AUTH_FAILED',
    );
  }

  async #exchange(
    { method, path, body, step }: Wanted,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const asked: Asked = { method, path, who: this.#who, mask: (text) => this.mask(text) };
    const json = body === undefined ? '' : JSON.stringify(body);
    const end =
      method === 'POST'
        ? await this.#options.witness?.begin({ method, path, params: asWords(body ?? {}), step })
        : undefined;
    try {
      const raw = await this.#awake({ method, path, json, headers }, signal);
      const document = judge(asked, raw);
      await end?.({ result: 'done', status: raw.status });
      return document;
    } catch (thrown) {
      const error = meaningOf(thrown, asked);
      await end?.(endingOf(error));
      throw error;
    }
  }

  /** 503 to a read or a login: the service was asleep. What became of any other write nobody knows. */
  async #awake(form: Form, signal?: AbortSignal): Promise<RawAnswer> {
    for (let tries = 1; ; tries += 1) {
      const raw = await this.#once(form, signal);
      const mayRepeat = form.method === 'GET' || form.path === LOGIN;
      if (raw.status !== 503 || !mayRepeat || tries >= MOST_TRIES) return raw;
      await this.#options.clock.sleep(PAUSE_MS * tries, signal);
    }
  }

  async #once({ method, path, json, headers }: Form, signal?: AbortSignal): Promise<RawAnswer> {
    const { clock, onRequest } = this.#options;
    return this.#calls.run(async () => {
      this.#closing.signal.throwIfAborted();
      this.#requests += 1;
      const begun = clock.now();
      const report = (outcome: { readonly status: number } | { readonly error: string }): void =>
        onRequest?.({
          ...{ method, path, host: this.#peer.host.label, params: {} },
          durationMs: clock.now() - begun,
          ...outcome,
        });
      try {
        const raw = await this.#peer.send({ method, path, params: {}, json, headers }, signal);
        report({ status: raw.status });
        this.#serverClock.hear(raw.date);
        return raw;
      } catch (error) {
        report({ error: this.mask(error instanceof Error ? error.message : 'aborted') });
        throw error;
      }
    }, signal);
  }
}

interface Form {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly json: string;
  readonly headers: Readonly<Record<string, string>>;
}

function asWords(body: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, String(value)]));
}

/** What a failure on the way proves. */
function meaningOf(error: unknown, asked: Asked): unknown {
  if (error instanceof TooLarge && asked.method === 'GET')
    return new VmmanagerError({ ...asked, status: 200, text: `unexpected answer: ${error.message}` });
  if (error instanceof NoAnswer) return noAnswer(asked, asked.mask(error.message), error.cause);
  if (error instanceof NotSent)
    return new VmmanagerUnreachable(`${asked.method} ${asked.path}`, asked.mask(error.message), error.cause);
  return error;
}

function endingOf(error: unknown): WriteEnding {
  if (!(error instanceof ConnectionError)) return { result: 'lost' };
  const { code, message } = error;
  if (error instanceof VmmanagerError) return { result: 'refused', status: error.status, code, message };
  return { result: error instanceof VmmanagerAnswerLost ? 'lost' : 'not-sent', code, message };
}
