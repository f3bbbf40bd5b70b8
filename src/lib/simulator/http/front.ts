/** The sockets: HTTP(S) as pve-http-server speaks it, limits and keep-alive included. Must not know endpoints. */
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { decodeBody, decodeForm } from './form.ts';
import type { Answer, ApiRequest } from './dispatcher.ts';

const apiRoot = '/api2/json';
const requestsPerConnection = 100;
const idleMs = 5_000;

export interface FrontOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  readonly bodyLimit: number;
  readonly now: () => number;
  /** `rawPath` is what was asked for, below /api2/json, without the query. */
  readonly handle: (request: ApiRequest, rawPath: string) => Promise<Answer>;
}

interface Refusal {
  readonly status: number;
  readonly reason: string;
}

const header = (request: http.IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

function refuse(request: http.IncomingMessage, bodyLimit: number): Refusal | undefined {
  const length = Number(header(request, 'content-length') ?? 0);
  const method = request.method ?? 'GET';
  if (!['GET', 'POST', 'PUT', 'DELETE'].includes(method)) {
    return { status: 501, reason: `method '${method}' not available` };
  }
  if (header(request, 'transfer-encoding') !== undefined) {
    return { status: 501, reason: 'chunked transfer encoding not supported' };
  }
  if (length > 0 && method !== 'POST' && method !== 'PUT') {
    return { status: 501, reason: `Unexpected content for method '${method}'` };
  }
  return length > bodyLimit ? { status: 501, reason: 'for data too large' } : undefined;
}

function readBody(request: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
  });
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Reason phrases are bytes: UTF-8 goes out as it is, control characters may not. */
function reasonPhrase(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ' ');
}

export class Front {
  readonly #options: FrontOptions;
  readonly #server: http.Server | https.Server;
  readonly #served = new WeakMap<Socket, number>();

  constructor(options: FrontOptions) {
    this.#options = options;
    const listener = (request: http.IncomingMessage, response: http.ServerResponse): void => {
      this.#serve(request, response).catch((error: unknown) => {
        // A defect of ours, never a PVE answer: visible in tests as a broken 500.
        this.#send(request, response, { status: 500, reason: `simulator defect: ${String(error)}` });
      });
    };
    const common = { maxHeaderSize: 8 * 1024, keepAliveTimeout: idleMs };
    this.#server = options.tls
      ? https.createServer({ ...common, key: options.tls.key, cert: options.tls.cert }, listener)
      : http.createServer(common, listener);
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, resolve);
    });
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : this.#options.port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const [target, query] = splitOnce(request.url ?? '/', '?');
    const refusal = refuse(request, this.#options.bodyLimit);
    if (refusal) {
      this.#send(request, response, refusal);
      return;
    }
    if (target !== apiRoot && !target.startsWith(`${apiRoot}/`)) {
      this.#send(request, response, { status: 404, reason: `no such file '${target}'` });
      return;
    }
    const body = decodeBody(header(request, 'content-type'), await readBody(request));
    if (!body.ok) {
      this.#send(request, response, body);
      return;
    }
    const rawPath = target.slice(apiRoot.length);
    const answer = await this.#options.handle(
      {
        method: request.method ?? 'GET',
        path: decodePath(rawPath),
        raw: { ...body.params, ...decodeForm(query) },
        authorization: header(request, 'authorization'),
        cookie: header(request, 'cookie'),
        csrf: header(request, 'csrfpreventiontoken'),
      },
      rawPath,
    );
    this.#send(request, response, answer);
  }

  #send(request: http.IncomingMessage, response: http.ServerResponse, answer: Answer): void {
    const { socket } = request;
    if (answer.drop === true) {
      socket.destroy();
      return;
    }
    if (response.writableEnded || socket.destroyed) return;
    const count = (this.#served.get(socket) ?? 0) + 1;
    this.#served.set(socket, count);
    const text = answer.body === undefined ? '' : JSON.stringify(answer.body);
    response.sendDate = false;
    response.writeHead(answer.status, reasonPhrase(answer.reason), {
      Date: new Date(this.#options.now()).toUTCString(),
      Server: 'pve-api-daemon/3.0',
      'Cache-Control': 'max-age=0',
      Pragma: 'no-cache',
      ...(text === '' ? {} : { 'Content-Type': 'application/json;charset=UTF-8' }),
      'Content-Length': Buffer.byteLength(text),
      ...(answer.status >= 400 || count >= requestsPerConnection ? { Connection: 'close' } : {}),
    });
    response.end(text);
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
