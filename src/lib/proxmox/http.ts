/**
 * The one place that sends requests: login, encoding, time limits, failover, and retries of what did not happen. Must
 * not know any endpoint but the login, and must not repeat a write whose outcome is unknown.
 */
import http from 'node:http';
import https from 'node:https';
import axios, { isAxiosError } from 'axios';
import type { Clock } from '../clock.ts';
import { ConnectionError } from '../errors.ts';
import { isSecretName, redactParams } from '../redact.ts';
import { ConnectFailure, createAgent, type PveAgent } from './agents.ts';
import { judge, noAnswer, type Answer, type Asked, type RawAnswer } from './answer.ts';
import { AnswerLostError, AuthError, PveError, UnreachableError, type HttpMethod } from './errors.ts';
import { encodeForm, plainParams, type Params } from './form.ts';
import { Gate } from './gate.ts';
import { parseHost, type Host } from './hosts.ts';
import { rowOf } from './rows.ts';
import { TicketKeeper, type Ticket } from './ticket.ts';
import type { ConnectionSettings, RequestEvent } from './types.ts';

const TRIES = 3;
const FIRST_PAUSE_MS = 500;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_CONCURRENCY = 32;
/** Codes that only connecting or looking up a name can end in. */
const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

export interface HttpOptions {
  readonly connection: ConnectionSettings;
  readonly clock: Clock;
  /** Hears of every exchange, secrets masked. */
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
  /** Requests under way at once; more wait. */
  readonly maxConcurrent?: number | undefined;
  /** Larger answers are refused. */
  readonly maxAnswerBytes?: number | undefined;
}

interface Outgoing {
  readonly method: HttpMethod;
  /** Percent-encoded, below `/api2/json`. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

interface Peer {
  readonly host: Host;
  readonly agent: PveAgent;
}

/** This host never got the request. */
class NotSent extends Error {}
/** The host may have got it; there is no usable answer. */
class NoAnswer extends Error {}
class TooLarge extends NoAnswer {}

export class PveHttp {
  readonly #connection: ConnectionSettings;
  readonly #clock: Clock;
  readonly #onRequest: HttpOptions['onRequest'];
  readonly #maxAnswerBytes: number;
  readonly #peers: readonly Peer[];
  readonly #gate: Gate;
  readonly #tickets: TicketKeeper | undefined;
  /** Index of the host that answered last. */
  #current = 0;
  #heard: { readonly serverTime: number; readonly at: number } | undefined;

  constructor(options: HttpOptions) {
    const { connection, clock } = options;
    const concurrency = options.maxConcurrent ?? DEFAULT_CONCURRENCY;
    const connectTimeout = Math.min(connection.timeout, CONNECT_TIMEOUT_MS);
    this.#connection = connection;
    this.#clock = clock;
    this.#onRequest = options.onRequest;
    this.#maxAnswerBytes = options.maxAnswerBytes ?? MAX_ANSWER_BYTES;
    this.#peers = connection.hosts.map(parseHost).map((host) => ({
      host,
      agent: createAgent({ host, tls: connection.tls, connectTimeout }, concurrency),
    }));
    this.#gate = new Gate(concurrency);
    const { auth } = connection;
    if (auth.kind === 'password') {
      this.#tickets = new TicketKeeper((secret) => this.#login(auth.user, secret), auth.password, clock);
    }
  }

  /** Label of the host that requests go to now. */
  get host(): string {
    return this.#peers[this.#current]?.host.label ?? '';
  }

  /** Server's clock as of its last answer, advanced by ours. */
  serverTime(): Date {
    const now = this.#clock.now();
    return new Date(this.#heard ? this.#heard.serverTime + (now - this.#heard.at) : now);
  }

  close(): void {
    for (const { agent } of this.#peers) agent.close();
  }

  async get(path: string, params: Params = {}, signal?: AbortSignal): Promise<Answer> {
    return this.#send('GET', path, params, signal);
  }
  async post(path: string, params: Params = {}, signal?: AbortSignal): Promise<Answer> {
    return this.#send('POST', path, params, signal);
  }
  async put(path: string, params: Params = {}, signal?: AbortSignal): Promise<Answer> {
    return this.#send('PUT', path, params, signal);
  }
  async delete(path: string, params: Params = {}, signal?: AbortSignal): Promise<Answer> {
    return this.#send('DELETE', path, params, signal);
  }

  async #send(
    ...[method, path, params, signal]: [HttpMethod, string, Params, AbortSignal | undefined]
  ): Promise<Answer> {
    const plain = plainParams(params);
    return this.#retrying(() => this.#authorised({ method, path, params: plain }, signal), signal);
  }

  /** Repeats what certainly did not happen; everything else is for the caller to judge. */
  async #retrying<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof UnreachableError) || tries >= TRIES) throw error;
        await this.#clock.sleep(FIRST_PAUSE_MS * 3 ** (tries - 1), signal);
      }
    }
  }

  /** One request with the login; a refused ticket (401: nothing was done) is replaced once. */
  async #authorised(request: Omit<Outgoing, 'headers'>, signal?: AbortSignal): Promise<Answer> {
    const { auth } = this.#connection;
    if (auth.kind === 'token') {
      const headers = { Authorization: `PVEAPIToken=${auth.tokenId}=${auth.secret}` };
      return this.#exchange({ ...request, headers }, signal);
    }
    const ticket = await this.#ticket(signal);
    try {
      return await this.#exchange({ ...request, headers: ticketHeaders(ticket, request.method) }, signal);
    } catch (error) {
      if (!(error instanceof AuthError) || error.status !== 401) throw error;
      this.#tickets?.discard(ticket);
    }
    const fresh = await this.#ticket(signal);
    return this.#exchange({ ...request, headers: ticketHeaders(fresh, request.method) }, signal);
  }

  async #ticket(signal: AbortSignal | undefined): Promise<Ticket> {
    if (!this.#tickets) throw new TypeError('no ticket without a password');
    // The login is shared by many requests, so one caller's signal must not end it.
    return unlessAborted(this.#tickets.current(), signal);
  }

  async #login(username: string, password: string): Promise<Ticket> {
    const params = { username, password };
    const [method, path] = ['POST', '/access/ticket'] as const;
    const answer = await this.#exchange({ method, path, params, headers: {} }).catch((error: unknown) => {
      // A login changes nothing, so one without an answer may be repeated.
      throw error instanceof AnswerLostError
        ? new UnreachableError(method, path, error.message, error)
        : error;
    });
    const row = rowOf(answer);
    if (row.flag('NeedTFA')) {
      throw new AuthError({
        method,
        path,
        status: 401,
        text: `${username} has a second factor, which a program cannot answer`,
        hint: 'use an API token (token_name and token_value) for this connection',
      });
    }
    return { ticket: row.text('ticket'), csrf: row.text('CSRFPreventionToken') };
  }

  async #exchange(request: Outgoing, signal?: AbortSignal): Promise<Answer> {
    const { auth } = this.#connection;
    const asked: Asked = {
      method: request.method,
      path: decodeURIComponent(request.path),
      who: auth.kind === 'token' ? auth.tokenId : auth.user,
      secrets: secretsOf(request.params),
    };
    try {
      return judge(asked, await this.#viaAnyHost(request, signal));
    } catch (error) {
      if (error instanceof TooLarge && asked.method === 'GET') {
        throw new PveError({ ...asked, status: 200, text: `unexpected answer: ${error.message}` });
      }
      if (error instanceof NoAnswer) throw noAnswer(asked, error.message, error.cause);
      if (error instanceof NotSent) {
        throw new UnreachableError(asked.method, asked.path, error.message, error.cause);
      }
      throw error;
    }
  }

  /** Tries the hosts in turn, from the one that answered last, until one is reached. */
  async #viaAnyHost(request: Outgoing, signal?: AbortSignal): Promise<RawAnswer> {
    const failures: NotSent[] = [];
    const first = this.#current;
    for (let turn = 0; turn < this.#peers.length; turn += 1) {
      const index = (first + turn) % this.#peers.length;
      const peer = this.#peers[index];
      if (!peer) break;
      try {
        const answer = await this.#gate.run(() => this.#reported(peer, request, signal), signal);
        this.#current = index;
        return answer;
      } catch (error) {
        if (!(error instanceof NotSent)) throw error;
        failures.push(error);
      }
    }
    const reasons = failures.map((failure) => failure.message).join('; ');
    throw new NotSent(reasons, { cause: failures[0]?.cause });
  }

  async #reported(peer: Peer, request: Outgoing, signal?: AbortSignal): Promise<RawAnswer> {
    if (!this.#onRequest) return this.#attempt(peer, request, signal);
    const started = this.#clock.now();
    const report = (outcome: { readonly status: number } | { readonly error: string }): void => {
      this.#onRequest?.({
        method: request.method,
        path: decodeURIComponent(request.path),
        host: peer.host.label,
        params: redactParams(request.params),
        durationMs: this.#clock.now() - started,
        ...outcome,
      });
    };
    try {
      const answer = await this.#attempt(peer, request, signal);
      report({ status: answer.status });
      return answer;
    } catch (error) {
      report({ error: error instanceof Error ? error.message : 'aborted' });
      throw error;
    }
  }

  /** One request to one host. */
  async #attempt({ host, agent }: Peer, request: Outgoing, signal?: AbortSignal): Promise<RawAnswer> {
    agent.dropStale();
    const limit = timeLimit(this.#connection.timeout, signal);
    let sent = false;
    const transport = {
      request: (options: https.RequestOptions, onAnswer: (answer: http.IncomingMessage) => void) => {
        const outgoing = (host.secure ? https : http).request(options, onAnswer);
        return outgoing.once('socket', () => {
          sent = true;
        });
      },
    };
    try {
      const response = await axios.request<string>({
        ...wireForm(host, request),
        transport,
        httpAgent: agent.http,
        httpsAgent: agent.https,
        signal: limit.signal,
        maxContentLength: this.#maxAnswerBytes,
        // A proxy of the environment would see the login.
        proxy: false,
        maxRedirects: 0,
        responseType: 'text',
        transformResponse: (body: string) => body,
        validateStatus: () => true,
      });
      this.#hear(response.headers['date']);
      const location: unknown = response.headers['location'];
      return {
        status: response.status,
        reason: response.statusText,
        body: response.data,
        ...(typeof location === 'string' ? { location } : {}),
      };
    } catch (error) {
      signal?.throwIfAborted();
      const reason = limit.expired() ? `no answer within ${this.#connection.timeout / 1000} s` : undefined;
      throw failureOf(error, { host, sent, reason });
    } finally {
      limit.clear();
    }
  }

  #hear(date: unknown): void {
    const serverTime = typeof date === 'string' ? Date.parse(date) : Number.NaN;
    if (Number.isFinite(serverTime)) this.#heard = { serverTime, at: this.#clock.now() };
  }
}

function ticketHeaders({ ticket, csrf }: Ticket, method: HttpMethod): Record<string, string> {
  const cookie = { Cookie: `PVEAuthCookie=${encodeURIComponent(ticket)}` };
  return method === 'GET' ? cookie : { ...cookie, CSRFPreventionToken: csrf };
}

/** PVE forbids a body on GET and DELETE: parameters go into the query there. */
function wireForm(
  host: Host,
  { method, path, params, headers }: Outgoing,
): { method: HttpMethod; url: string; headers: Record<string, string>; data?: string } {
  const base = `${host.secure ? 'https' : 'http'}://${host.label}/api2/json${path}`;
  const form = encodeForm(params);
  const common = { Accept: 'application/json', 'User-Agent': 'deploy-stand', ...headers };
  if (method === 'GET' || method === 'DELETE') {
    return { method, url: form === '' ? base : `${base}?${form}`, headers: common };
  }
  return {
    method,
    url: base,
    data: form,
    headers: { ...common, 'Content-Type': 'application/x-www-form-urlencoded' },
  };
}

interface Circumstances {
  readonly host: Host;
  readonly sent: boolean;
  readonly reason: string | undefined;
}

/** What a failed exchange proves. */
function failureOf(error: unknown, { host, sent, reason }: Circumstances): Error {
  const chain = causesOf(error);
  const distrust = chain.find((cause) => cause instanceof ConnectionError);
  if (distrust) return distrust;
  const failure = chain.find((cause) => cause instanceof ConnectFailure);
  const code = isAxiosError(error) ? error.code : undefined;
  const words = `${host.label}: ${reason ?? failure?.message ?? chain[0]?.message ?? 'no answer'}`;
  // axios' own errors carry the request, and with it the login.
  const cause = chain.find((link) => !isAxiosError(link));
  if (failure || !sent || (code !== undefined && NEVER_CONNECTED.has(code)))
    return new NotSent(words, { cause });
  return /maxContentLength/.test(words) ? new TooLarge(words, { cause }) : new NoAnswer(words, { cause });
}

function causesOf(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  for (let at = error; at instanceof Error && !chain.includes(at); at = at.cause) chain.push(at);
  return chain;
}

function secretsOf(params: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(params).flatMap(([name, value]) => (isSecretName(name) ? [value] : []));
}

/** Aborts after `ms`, or with the caller's signal; leaves no listener behind. */
function timeLimit(
  ms: number,
  signal: AbortSignal | undefined,
): { readonly signal: AbortSignal; expired(): boolean; clear(): void } {
  const controller = new AbortController();
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    controller.abort();
  }, ms);
  const onAbort = (): void => controller.abort();
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    expired: () => expired,
    clear: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
