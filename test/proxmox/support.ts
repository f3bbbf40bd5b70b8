/** What the client's tests share: a clock that skips waits, settings, and real servers on 127.0.0.1. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../src/lib/clock.ts';
import { createPveClient, type PveClient } from '../../src/lib/proxmox/client.ts';
import { PveHttp, type HttpOptions } from '../../src/lib/proxmox/http.ts';
import type { ConnectionSettings } from '../../src/lib/proxmox/types.ts';

export const ORIGIN = 'https://pve.test:8006';
export const TOKEN = 'lab@pve!ci';
export const UPID = 'UPID:pve1:0000A1B2:00C3D4E5:66000000:qmclone:100:lab@pve!ci:';

export interface FakeClock extends Clock {
  /** Length of every sleep so far. */
  readonly sleeps: number[];
  advance(ms: number): void;
}

/** Sleepers wake in the order of their time, as soon as everything else has come to rest. */
export function fakeClock(start = Date.UTC(2026, 2, 1)): FakeClock {
  let now = start;
  const sleepers: { due: number; wake: () => void }[] = [];
  const sleeps: number[] = [];
  const tick = (): void => {
    sleepers.sort((a, b) => a.due - b.due);
    const next = sleepers.shift();
    if (!next) return;
    now = Math.max(now, next.due);
    next.wake();
  };
  return {
    now: () => now,
    wallTime: () => now,
    sleeps,
    advance: (ms) => {
      now += ms;
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const sleeper = { due: now + ms, wake: resolve };
        sleeps.push(ms);
        sleepers.push(sleeper);
        signal?.addEventListener('abort', () => {
          const index = sleepers.indexOf(sleeper);
          if (index !== -1) sleepers.splice(index, 1);
          reject(signal.reason as Error);
        });
        setImmediate(() => setImmediate(tick));
      }),
  };
}

function settings(over: Partial<ConnectionSettings> = {}): ConnectionSettings {
  return {
    name: 'test',
    hosts: ['pve.test'],
    auth: { kind: 'token', tokenId: TOKEN, secret: 'cafe-babe' },
    tls: { verify: true },
    timeout: 5000,
    ...over,
  };
}

export const password = { auth: { kind: 'password', user: 'lab@pve', password: 'pa;ss=word' } } as const;

/** A client whose requests nock answers. */
export function client(
  over: Partial<ConnectionSettings> = {},
  options: Partial<HttpOptions> = {},
): PveClient {
  return createPveClient({ connection: settings(over), clock: fakeClock(), ...options });
}

export function transport(
  over: Partial<ConnectionSettings> = {},
  options: Partial<HttpOptions> = {},
): PveHttp {
  return new PveHttp({ connection: settings(over), clock: fakeClock(), ...options });
}

interface Heard {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface TestServer {
  readonly port: number;
  /** Everything it was asked. */
  readonly heard: Heard[];
  /** When it has been asked so many times. */
  hears(count: number): Promise<void>;
  /** Connections that were opened. */
  connections(): number;
  close(): Promise<void>;
}

type Reply = (response: ServerResponse, heard: Heard, request: IncomingMessage) => void;

/** A real server on 127.0.0.1; with `tls`, over https. */
export async function serve(
  reply: Reply,
  tls?: { readonly key: string; readonly cert: string },
  port = 0,
): Promise<TestServer> {
  const heard: Heard[] = [];
  const listeners = new Set<() => void>();
  let connections = 0;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const entry = { method, url, headers, body };
      heard.push(entry);
      listeners.forEach((listener) => listener());
      reply(response, entry, request);
    });
  };
  // However slowly a request comes in.
  const patient = { headersTimeout: 0, requestTimeout: 0 };
  const server: Server = tls
    ? createTlsServer({ ...tls, ...patient }, handle)
    : createServer(patient, handle);
  server.on(tls ? 'secureConnection' : 'connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    hears: (count) =>
      new Promise((resolve) => {
        const listener = (): void => {
          if (heard.length < count) return;
          listeners.delete(listener);
          resolve();
        };
        listeners.add(listener);
        listener();
      }),
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function json(response: ServerResponse, data: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = await serve(() => undefined);
  await server.close();
  return server.port;
}

/** The error a promise is rejected with. */
export async function failure(work: Promise<unknown>): Promise<Error> {
  const outcome = await work.then(
    () => new Error('did not fail'),
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new TypeError('rejected with something else than an Error');
  return outcome;
}
