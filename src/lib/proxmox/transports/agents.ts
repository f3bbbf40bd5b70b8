/**
 * Connections: made, and trusted, before a request gets hold of them. Must not know what is sent over them.
 *
 * Node gives a TLS socket to a request before the handshake is over, and what the request writes waits in it. These
 * agents hand a socket over only after the handshake and our verdict, so nothing of a request (it carries the login)
 * can leave earlier, on any new socket; and a failure before that point proves that nothing was sent. As Node's own do,
 * they send what is written at once: nothing waits for the acknowledgement of what was sent before.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connect as connectTcp, isIP, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { ConnectionError } from '../../errors.ts';
import { troublesText, type Trouble } from '../../unanswered.ts';
import type { Host } from '../hosts.ts';
import type { ConnectionSettings } from '../types.ts';
import type { HowToTrust } from './types.ts';

/** pveproxy closes idle connections after 5 s; a write on one that is just being closed has an unknown outcome. */
const IDLE_MS = 4000;

/** No connection came about. */
export class ConnectFailure extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble, options?: ErrorOptions) {
    super(troublesText([trouble]), options);
    this.trouble = trouble;
  }
}

interface Dial {
  readonly host: Host;
  readonly tls: ConnectionSettings['tls'];
  readonly connectTimeout: number;
  readonly howToTrust: HowToTrust;
}
type Done = (error: Error | null, socket: Duplex) => void;
/** How the agents of node:http and node:https declare the callback of createConnection. */
type Created = ((error: Error | null, socket: Duplex) => void) | undefined;

export interface PveAgent {
  readonly http?: HttpAgent;
  readonly https?: HttpsAgent;
  /** Drops connections that have been idle for too long; to be called before a request. */
  dropStale(): void;
  close(): void;
}

/** One keep-alive agent per host. */
export function createAgent(dial: Dial, maxSockets: number): PveAgent {
  const idle = new IdleSockets();
  const options = { keepAlive: true, maxSockets, scheduling: 'lifo' as const };
  const agent = dial.host.secure
    ? new TrustingAgent(options, dial, idle)
    : new LoopbackAgent(options, dial, idle);
  return {
    ...(agent instanceof HttpsAgent ? { https: agent } : { http: agent }),
    dropStale: () => idle.dropStale(),
    close: () => {
      idle.isClosed = true;
      agent.destroy();
    },
  };
}

class IdleSockets {
  /** From then on a connection that was still being made is of no use to anybody. */
  isClosed = false;
  readonly #since = new Map<Duplex, number>();
  /** Sockets that are watched for their end: once each, however often they are idle. */
  readonly #watched = new WeakSet<Duplex>();

  add(socket: Duplex): void {
    this.#since.set(socket, performance.now());
    if (!this.#watched.has(socket)) {
      this.#watched.add(socket);
      socket.once('close', () => this.#since.delete(socket));
    }
    // The agent destroys a free socket that times out.
    if (socket instanceof Socket) socket.setTimeout(IDLE_MS);
  }

  remove(socket: Duplex): void {
    this.#since.delete(socket);
    if (socket instanceof Socket) socket.setTimeout(0);
  }

  /** The timers above come late when the process was busy; this never does. */
  dropStale(): void {
    const limit = performance.now() - IDLE_MS;
    for (const [socket, since] of this.#since) {
      if (since < limit) socket.destroy();
    }
  }
}

class TrustingAgent extends HttpsAgent {
  readonly #dial: Dial;
  readonly #idle: IdleSockets;

  constructor(options: ConstructorParameters<typeof HttpsAgent>[0], dial: Dial, idle: IdleSockets) {
    super(options);
    this.#dial = dial;
    this.#idle = idle;
  }

  override createConnection(_options: unknown, created?: Created): undefined {
    if (created) openTls(this.#dial, created);
  }

  override keepSocketAlive(socket: Duplex): boolean {
    if (this.#idle.isClosed) return false;
    super.keepSocketAlive(socket);
    this.#idle.add(socket);
    return true;
  }

  override reuseSocket(...[socket, request]: Parameters<HttpsAgent['reuseSocket']>): void {
    this.#idle.remove(socket);
    super.reuseSocket(socket, request);
  }
}

class LoopbackAgent extends HttpAgent {
  readonly #dial: Dial;
  readonly #idle: IdleSockets;

  constructor(options: ConstructorParameters<typeof HttpAgent>[0], dial: Dial, idle: IdleSockets) {
    super(options);
    this.#dial = dial;
    this.#idle = idle;
  }

  override createConnection(_options: unknown, created?: Created): undefined {
    if (created) openTcp(this.#dial, created);
  }

  override keepSocketAlive(socket: Duplex): boolean {
    if (this.#idle.isClosed) return false;
    super.keepSocketAlive(socket);
    this.#idle.add(socket);
    return true;
  }

  override reuseSocket(...[socket, request]: Parameters<HttpAgent['reuseSocket']>): void {
    this.#idle.remove(socket);
    super.reuseSocket(socket, request);
  }
}

function openTcp({ host, connectTimeout }: Dial, done: Done): void {
  const socket = connectTcp({ host: host.hostname, port: host.port }).setNoDelay();
  settleOn(socket, 'connect', { connectTimeout, verdict: () => null, done });
}

export function openTls(dial: Dial, done: Done): void {
  const { host, tls, connectTimeout } = dial;
  const socket = connectTls({
    host: host.hostname,
    port: host.port,
    // An address is not allowed as SNI.
    servername: isIP(host.hostname) === 0 ? host.hostname : '',
    ALPNProtocols: ['http/1.1'],
    // Node checks chain and name all the same and leaves the result in `authorized`; `distrust` is the judge, because
    // only a finished handshake shows the fingerprint that the message needs.
    rejectUnauthorized: false,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
  }).setNoDelay();
  settleOn(socket, 'secureConnect', { connectTimeout, verdict: () => distrust(socket, dial), done });
}

/** Calls `done` exactly once: with the connected and trusted socket, or with the reason and a destroyed one. */
function settleOn(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  { connectTimeout, verdict, done }: { connectTimeout: number; verdict: () => Error | null; done: Done },
): void {
  const settle = (error: Error | null): void => {
    clearTimeout(timer);
    socket.off(event, onReady).off('error', onError).off('close', onClose);
    if (error) socket.on('error', () => undefined).destroy();
    done(error, socket);
  };
  const onReady = (): void => settle(verdict());
  const onError = (error: Error): void => settle(new ConnectFailure(troubleOf(error), { cause: error }));
  const onClose = (): void => settle(new ConnectFailure({ kind: 'handshake-closed' }));
  const timer = setTimeout(
    () => settle(new ConnectFailure({ kind: 'no-connection', seconds: connectTimeout / 1000 })),
    connectTimeout,
  );
  socket.once(event, onReady).once('error', onError).once('close', onClose);
}

/** What OpenSSL makes of an answer in the clear; the last one of PVE's redirect to https. */
const NO_TLS = /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNKNOWN_PROTOCOL)$/;

function troubleOf(error: Error & { readonly code?: unknown }): Trouble {
  if (NO_TLS.test(String(error.code))) return { kind: 'no-tls' };
  // Several addresses of one name fail as an AggregateError without a message.
  const words = error.message || (typeof error.code === 'string' ? error.code : error.name);
  return { kind: 'said', words };
}

/** Why this certificate is not good enough, or null. */
function distrust(socket: TLSSocket, { tls, host, howToTrust }: Dial): Error | null {
  const seen = fingerprintOf(socket);
  if (tls.fingerprint !== undefined) {
    const wanted = tls.fingerprint.split(/[\s,]+/).filter((text) => text !== '');
    if (wanted.some((text) => bare(text) === bare(seen))) return null;
    return new ConnectionError(
      'TLS_FINGERPRINT',
      `the certificate of ${host.label} has SHA-256 fingerprint ${seen}, expected ${wanted.join(' or ')}`,
      {
        hint: `nothing was sent; was the certificate renewed? ${howToTrust(seen)}`,
      },
    );
  }
  if (!tls.verify || socket.authorized) return null;
  return new ConnectionError(
    'TLS_UNTRUSTED',
    `the certificate of ${host.label} is not trusted: ${untrustedBecause(socket)}`,
    {
      hint: `nothing was sent. ${howToTrust(seen)}`,
    },
  );
}

function fingerprintOf(socket: TLSSocket): string {
  // An empty object when there is no certificate, whatever the declaration says.
  const certificate: { readonly fingerprint256?: string } = socket.getPeerCertificate();
  return certificate.fingerprint256 ?? '(none)';
}

function untrustedBecause(socket: TLSSocket): string {
  // Declared as an Error; in fact OpenSSL's code as text.
  const reason: unknown = socket.authorizationError;
  return reason instanceof Error ? reason.message : String(reason);
}

function bare(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toUpperCase();
}
