/** The sockets: HTTP(S) as pve-http-server speaks it, keep-alive included. Must not know endpoints. */
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { WireAnswer, WireRequest } from './exchange.ts';

const requestsPerConnection = 100;
const idleMs = 5_000;

export interface FrontOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  readonly serve: (request: WireRequest) => Promise<WireAnswer>;
}

function headersOf(request: http.IncomingMessage): WireRequest['headers'] {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}

function readBody(request: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
  });
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
        const reason = `simulator defect: ${String(error)}`.replaceAll(/[^\x20-\x7e]/g, ' ');
        this.#send(request, response, { status: 500, reason, headers: {}, body: '', drop: false });
      });
    };
    const common = {
      maxHeaderSize: 8 * 1024,
      keepAliveTimeout: idleMs,
      // Node's own limits: what pveproxy does with a request that comes in slowly is not modelled.
      headersTimeout: 0,
      requestTimeout: 0,
    };
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
    const { method = 'GET', url: target = '/' } = request;
    const body = (): Promise<string> => readBody(request);
    const headers = headersOf(request);
    this.#send(request, response, await this.#options.serve({ method, target, headers, body }));
  }

  #send(request: http.IncomingMessage, response: http.ServerResponse, answer: WireAnswer): void {
    const { socket } = request;
    if (answer.drop) {
      socket.destroy();
      return;
    }
    if (response.writableEnded || socket.destroyed) return;
    const count = (this.#served.get(socket) ?? 0) + 1;
    this.#served.set(socket, count);
    response.sendDate = false;
    response.writeHead(answer.status, answer.reason, {
      ...answer.headers,
      ...(answer.status >= 400 || count >= requestsPerConnection ? { Connection: 'close' } : {}),
    });
    response.end(answer.body);
  }
}
