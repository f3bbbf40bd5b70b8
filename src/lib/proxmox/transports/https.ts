/** Requests to one host, and what their failure proves. Must not retry, and must not know logins or endpoints. */
import http from 'node:http';
import https from 'node:https';
import axios, { isAxiosError, type AxiosRequestConfig } from 'axios';
import { onAbort } from '../../abort.ts';
import { ConnectionError } from '../../errors.ts';
import type { Trouble } from '../../unanswered.ts';
import { ConnectFailure, createAgent, type PveAgent } from './agents.ts';
import type { RawAnswer } from '../answer.ts';
import type { Host } from '../hosts.ts';
import {
  NoAnswer,
  NotSent,
  TooLarge,
  type Outgoing,
  type Transport,
  type TransportOptions,
} from './types.ts';
import { wireForm, type WireForm } from './wire.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** Codes that only connecting or looking up a name can end in. */
const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

/** One host with its connections. */
export class HttpsTransport implements Transport {
  readonly host: Host;
  readonly #options: TransportOptions;
  readonly #agent: PveAgent;
  readonly #closing = new AbortController();

  constructor(host: Host, options: TransportOptions) {
    const connectTimeout = Math.min(options.timeout, CONNECT_TIMEOUT_MS);
    const { tls, howToTrust } = options;
    this.host = host;
    this.#options = options;
    this.#agent = createAgent({ host, tls, connectTimeout, howToTrust }, options.maxSockets);
  }

  /** Also ends what is still connecting, which the agent does not know yet. */
  close(): void {
    this.#closing.abort();
    this.#agent.close();
  }

  send(request: Outgoing, signal?: AbortSignal): Promise<RawAnswer> {
    return this.exchange(wireForm(request), signal, request.maxAnswerBytes);
  }

  /** Throws NotSent, NoAnswer, an error of trust, or the signal's reason. */
  async exchange(
    form: WireForm,
    signal?: AbortSignal,
    maxAnswerBytes = this.#options.maxAnswerBytes,
  ): Promise<RawAnswer> {
    const { host } = this;
    const { timeout } = this.#options;
    this.#agent.dropStale();
    const limit = timeLimit(timeout, [this.#closing.signal, ...(signal ? [signal] : [])]);
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
        ...axiosForm(host, form),
        transport,
        httpAgent: this.#agent.http,
        httpsAgent: this.#agent.https,
        signal: limit.signal,
        maxContentLength: maxAnswerBytes,
        // A proxy of the environment would see the login.
        proxy: false,
        maxRedirects: 0,
        responseType: 'text',
        transformResponse: (body: string) => body,
        validateStatus: () => true,
      });
      const date: unknown = response.headers['date'];
      const location: unknown = response.headers['location'];
      return {
        status: response.status,
        reason: response.statusText,
        body: response.data,
        ...(typeof location === 'string' ? { location } : {}),
        ...(typeof date === 'string' ? { date } : {}),
      };
    } catch (error) {
      signal?.throwIfAborted();
      const closed: Trouble | undefined = this.#closing.signal.aborted ? { kind: 'closed' } : undefined;
      const late: Trouble = { kind: 'no-answer', seconds: timeout / 1000 };
      throw failureOf(error, { host, sent, ended: limit.expired() ? late : closed });
    } finally {
      limit.clear();
    }
  }
}

function axiosForm(host: Host, { method, target, headers, body }: WireForm): AxiosRequestConfig {
  const url = `${host.secure ? 'https' : 'http'}://${host.label}${target}`;
  return { method, url, headers, ...(body === undefined ? {} : { data: body }) };
}

interface Circumstances {
  readonly host: Host;
  readonly sent: boolean;
  /** By us, and why. */
  readonly ended: Trouble | undefined;
}

/** What a failed exchange proves. */
function failureOf(error: unknown, { host, sent, ended }: Circumstances): Error {
  const chain = causesOf(error);
  const distrust = chain.find((cause) => cause instanceof ConnectionError);
  if (distrust) return distrust;
  const failure = chain.find((cause) => cause instanceof ConnectFailure);
  const code = isAxiosError(error) ? error.code : undefined;
  const words = chain[0]?.message ?? String(error);
  const trouble = ended ?? failure?.trouble ?? { kind: 'said', words };
  const troubles = [{ ...trouble, host: host.label }];
  // axios' own errors carry the request, and with it the login.
  const cause = chain.find((link) => !isAxiosError(link));
  if (failure || !sent || (code !== undefined && NEVER_CONNECTED.has(code)))
    return new NotSent(troubles, { cause });
  const isTooLarge = !ended && /maxContentLength/.test(words);
  return isTooLarge ? new TooLarge(troubles, { cause }) : new NoAnswer(troubles, { cause });
}

function causesOf(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  for (let at = error; at instanceof Error && !chain.includes(at); at = at.cause) chain.push(at);
  return chain;
}

/** Aborts after `ms`, or with one of the signals; leaves no listener behind. */
function timeLimit(
  ms: number,
  signals: readonly AbortSignal[],
): { readonly signal: AbortSignal; expired(): boolean; clear(): void } {
  const controller = new AbortController();
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    controller.abort();
  }, ms);
  const listening = signals.map((signal) => onAbort(signal, () => controller.abort()));
  if (signals.some((signal) => signal.aborted)) controller.abort();
  return {
    signal: controller.signal,
    expired: () => expired,
    clear: () => {
      clearTimeout(timer);
      for (const withdraw of listening) withdraw();
    },
  };
}
