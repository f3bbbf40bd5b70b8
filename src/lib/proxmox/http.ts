/**
 * Requests to a cluster: login, failover between its hosts, and retries of what did not happen. Must not know any
 * endpoint but the login, and must not repeat a write whose outcome is unknown.
 */
import { unlessAborted } from '../abort.ts';
import type { Clock } from '../clock.ts';
import { ConnectionError } from '../errors.ts';
import { isSecretName, redactParams, SecretMask } from '../redact.ts';
import { judge, type Answer, type Asked, type RawAnswer } from './answer.ts';
import { badEndingOf, endingOf, meaningOf } from './exchange-ending.ts';
import { AnswerLostError, AuthError, UnreachableError, type HttpMethod } from './errors.ts';
import { plainParams, type Params, type SentParams } from './form.ts';
import { CallLimit } from './call-limit.ts';
import { howToTrustNode } from './transports/how-to-trust.ts';
import { toHost } from './hosts.ts';
import type { LinkOptions } from './link-options.ts';
import { LoginProof } from './login-proof.ts';
import { ServerClock } from './server-clock.ts';
import { HttpsTransport } from './transports/https.ts';
import { NotSent, type Connect, type Outgoing, type Transport } from './transports/types.ts';
import { rowOf } from './rows.ts';
import { TicketKeeper, type Ticket } from './ticket.ts';
import type { ConnectionSettings, WriteWitness } from './types.ts';

const TRIES = 3;
const FIRST_PAUSE_MS = 500;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const DEFAULT_CONCURRENCY = 32;

export interface HttpOptions extends LinkOptions {
  /** Requests under way at once; more wait. */
  readonly maxConcurrent?: number | undefined;
  /** Larger answers are refused. */
  readonly maxAnswerBytes?: number | undefined;
}

/** What endpoints need of it. */
export type Requests = Pick<PveHttp, 'serverTime' | 'mask' | 'get' | 'post' | 'put' | 'delete'>;

/** A request as it was asked for, before anybody has logged in. */
interface Wanted {
  readonly method: HttpMethod;
  readonly path: string;
  readonly params: Params;
  readonly signal: AbortSignal | undefined;
  /** Larger answers are refused. */
  readonly maxAnswerBytes?: number | undefined;
  /** The step that it is for; only the witness wants to know. */
  readonly step?: string | undefined;
}

type Unauthorised = Omit<Outgoing, 'headers'> & Pick<Wanted, 'step'>;
type Authorised = Outgoing & Pick<Wanted, 'step'>;

export class PveHttp {
  readonly #connection: ConnectionSettings;
  readonly #clock: Clock;
  readonly #onRequest: HttpOptions['onRequest'];
  readonly #witness: WriteWitness | undefined;
  readonly #secrets = new SecretMask();
  readonly #peers: readonly Transport[];
  readonly #calls: CallLimit;
  readonly #proof = new LoginProof();
  #requests = 0;
  /** Given when the client is closed: nothing is sent any more. */
  readonly #closing = new AbortController();
  readonly #tickets: TicketKeeper | undefined;
  /** Index of the host that answered last. */
  #current = 0;
  readonly #serverClock: ServerClock;

  constructor(options: HttpOptions) {
    const { connection, clock } = options;
    const concurrency = options.maxConcurrent ?? DEFAULT_CONCURRENCY;
    this.#connection = connection;
    this.#clock = clock;
    this.#serverClock = new ServerClock(clock);
    this.#onRequest = options.onRequest;
    this.#witness = options.witness;
    const transportOptions = {
      tls: connection.tls,
      timeout: connection.timeout,
      maxSockets: concurrency,
      maxAnswerBytes: options.maxAnswerBytes ?? MAX_ANSWER_BYTES,
      howToTrust: (seen: string) => howToTrustNode(connection, seen),
    };
    const connect: Connect = options.connect ?? ((host, given) => new HttpsTransport(host, given));
    this.#peers = connection.hosts.map((written) => connect(toHost(written), transportOptions));
    this.#calls = new CallLimit(concurrency);
    const { auth } = connection;
    this.#secrets.add(auth.kind === 'token' ? auth.secret : auth.password);
    if (auth.kind === 'password') {
      this.#tickets = new TicketKeeper((secret) => this.#login(auth.user, secret), auth.password, clock);
    }
  }

  /** Label of the host that requests go to now. */
  get host(): string {
    return this.#peers[this.#current]?.host.label ?? '';
  }

  /** Requests that were sent so far, logins and repeated ones among them. */
  get requests(): number {
    return this.#requests;
  }

  /** Server's clock as of its last answer, advanced by ours. */
  serverTime(): Date {
    return this.#serverClock.now();
  }

  /** Takes secrets of this connection, and all that it has sent, out of a text that the server wrote. */
  mask(text: string): string {
    return this.#secrets.mask(text);
  }

  /** Ends what is under way, and what waits for its turn. */
  close(): void {
    this.#closing.abort(
      new ConnectionError('CONNECTION_CLOSED', `the connection to ${this.host} was closed`),
    );
    for (const peer of this.#peers) peer.close();
  }

  /** `maxAnswerBytes`: where less is taken than of any other. */
  async get(
    path: string,
    params: Params = {},
    signal?: AbortSignal,
    maxAnswerBytes?: number,
  ): Promise<Answer> {
    return this.#send({ method: 'GET', path, params, signal, maxAnswerBytes });
  }
  async post(path: string, params: Params = {}, signal?: AbortSignal): Promise<Answer> {
    return this.#send({ method: 'POST', path, params, signal });
  }
  async put(path: string, params: Params = {}, signal?: AbortSignal): Promise<Answer> {
    return this.#send({ method: 'PUT', path, params, signal });
  }
  async delete(path: string, params: Params = {}, signal?: AbortSignal): Promise<Answer> {
    return this.#send({ method: 'DELETE', path, params, signal });
  }

  /** The same for one step of a plan. */
  forStep(step: string): Requests {
    const by =
      (method: HttpMethod) =>
      (path: string, params: Params = {}, signal?: AbortSignal, maxAnswerBytes?: number): Promise<Answer> =>
        this.#send({ method, path, params, signal, step, maxAnswerBytes });
    return {
      serverTime: () => this.serverTime(),
      mask: (text) => this.mask(text),
      get: by('GET'),
      post: by('POST'),
      put: by('PUT'),
      delete: by('DELETE'),
    };
  }

  async #send({ method, path, params, signal, step, maxAnswerBytes }: Wanted): Promise<Answer> {
    const plain = plainParams(params);
    const request = { method, path, params: plain, step, maxAnswerBytes };
    const authorised = (): Promise<Answer> => this.#authorised(request, signal);
    return this.#proof.run(() => this.#retrying(authorised, signal), [signal, this.#closing.signal]);
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
  async #authorised(request: Unauthorised, signal?: AbortSignal): Promise<Answer> {
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
    return unlessAborted(this.#tickets.current(), [signal]);
  }

  async #login(username: string, password: string): Promise<Ticket> {
    const params = { username, password };
    const [method, path] = ['POST', '/access/ticket'] as const;
    const answer = await this.#exchange({ method, path, params, headers: {} }).catch((error: unknown) => {
      // A login changes nothing, so one without an answer may be repeated.
      if (!(error instanceof AnswerLostError)) throw error;
      throw new UnreachableError({ method, path, isSent: true, troubles: error.troubles, cause: error });
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
    const made = { ticket: row.text('ticket'), csrf: row.text('CSRFPreventionToken') };
    // Behind the last colons is what makes a ticket one; the rest anybody can guess.
    for (const secret of [made.ticket, made.ticket.split('::').at(-1) ?? '', made.csrf])
      this.#secrets.add(secret);
    return made;
  }

  async #exchange(request: Authorised, signal?: AbortSignal): Promise<Answer> {
    const { auth } = this.#connection;
    const asked: Asked = {
      method: request.method,
      path: decodeURIComponent(request.path),
      who: auth.kind === 'token' ? auth.tokenId : auth.user,
      mask: (text) => this.#secrets.mask(text),
    };
    for (const secret of secretsOf(request.params)) this.#secrets.add(secret);
    const { method, path } = asked;
    const { params, step } = request;
    const end =
      method === 'GET'
        ? undefined
        : await this.#witness?.begin({ method, path, params: asWords(params), step });
    try {
      const raw = await this.#viaAnyHost(request, signal);
      const answer = judge(asked, raw);
      await end?.(endingOf(answer, raw));
      return answer;
    } catch (thrown) {
      const error = meaningOf(thrown, asked);
      await end?.(badEndingOf(error));
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
        const answer = await this.#calls.run(async () => {
          this.#closing.signal.throwIfAborted();
          this.#requests += 1;
          return this.#reported(peer, request, signal);
        }, signal);
        this.#current = index;
        this.#serverClock.hear(answer.date);
        return answer;
      } catch (error) {
        if (!(error instanceof NotSent)) throw error;
        failures.push(error);
      }
    }
    const troubles = failures.flatMap((failure) => failure.troubles);
    throw new NotSent(troubles, { cause: failures[0]?.cause });
  }

  async #reported(peer: Transport, request: Outgoing, signal?: AbortSignal): Promise<RawAnswer> {
    if (!this.#onRequest) return peer.send(request, signal);
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
      const answer = await peer.send(request, signal);
      report({ status: answer.status });
      return answer;
    } catch (error) {
      report({ error: this.mask(error instanceof Error ? error.message : 'aborted') });
      throw error;
    }
  }
}

function asWords(params: SentParams): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, [value].flat().join(' ')]));
}

function ticketHeaders({ ticket, csrf }: Ticket, method: HttpMethod): Record<string, string> {
  const cookie = { Cookie: `PVEAuthCookie=${encodeURIComponent(ticket)}` };
  return method === 'GET' ? cookie : { ...cookie, CSRFPreventionToken: csrf };
}

function secretsOf(params: SentParams): readonly string[] {
  return Object.entries(params).flatMap(([name, value]) => (isSecretName(name) ? [value].flat() : []));
}
