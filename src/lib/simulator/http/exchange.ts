/** One HTTP request as pve-http-server takes it, from its limits to the bytes of the answer. Must not touch sockets, nor know endpoints. */
import type { Answer, ApiRequest } from './dispatcher.ts';
import { decodeBody, decodeForm } from './form.ts';

const apiRoot = '/api2/json';

/** A request on the wire. */
export interface WireRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** A function: it has not come in yet, and is read when it is wanted. */
  readonly body: string | (() => Promise<string>);
}

/** An answer on the wire. */
export interface WireAnswer {
  readonly status: number;
  /** Bytes, one character each. */
  readonly reason: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string;
  /** The connection is cut instead of answered. */
  readonly drop: boolean;
}

/** `rawPath` is what was asked for, below /api2/json, without the query. */
type Handle = (request: ApiRequest, rawPath: string) => Promise<Answer>;

export interface ExchangeOptions {
  readonly bodyLimit: number;
  readonly now: () => number;
  readonly handle: Handle;
}

interface Refusal {
  readonly status: number;
  readonly reason: string;
}

/** What the headers alone decide: PVE does not read such a body. */
function refuse({ method, headers }: WireRequest, bodyLimit: number): Refusal | undefined {
  const length = Number(headers['content-length'] ?? 0);
  if (!['GET', 'POST', 'PUT', 'DELETE'].includes(method)) {
    return { status: 501, reason: `method '${method}' not available` };
  }
  if (headers['transfer-encoding'] !== undefined) {
    return { status: 501, reason: 'chunked transfer encoding not supported' };
  }
  if (length > 0 && method !== 'POST' && method !== 'PUT') {
    return { status: 501, reason: `Unexpected content for method '${method}'` };
  }
  return length > bodyLimit ? { status: 501, reason: 'for data too large' } : undefined;
}

/** Unlike values of forms, a path stays what its bytes are: nobody decodes UTF-8 in it. */
function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  return path.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Perl writes a text's characters as bytes. Control characters may not go out. */
function reasonPhrase(text: string): string {
  return text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ' ');
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

async function answer(request: WireRequest, { bodyLimit, handle }: ExchangeOptions): Promise<Answer> {
  const refusal = refuse(request, bodyLimit);
  if (refusal) return refusal;
  const { method, target, headers } = request;
  const sent = typeof request.body === 'string' ? request.body : await request.body();
  const [path, query] = splitOnce(target, '?');
  if (path !== apiRoot && !path.startsWith(`${apiRoot}/`)) {
    return { status: 404, reason: `no such file '${path}'` };
  }
  const body = decodeBody(headers['content-type'], sent);
  if (!body.ok) return body;
  const rawPath = path.slice(apiRoot.length);
  return handle(
    {
      method,
      path: decodePath(rawPath),
      raw: { ...body.params, ...decodeForm(query) },
      authorization: headers['authorization'],
      cookie: headers['cookie'],
      csrf: headers['csrfpreventiontoken'],
    },
    rawPath,
  );
}

export async function exchange(request: WireRequest, options: ExchangeOptions): Promise<WireAnswer> {
  const { status, reason, body, drop = false } = await answer(request, options);
  const text = body === undefined ? '' : JSON.stringify(body);
  return {
    status,
    reason: reasonPhrase(reason),
    body: text,
    drop,
    headers: {
      Date: new Date(options.now()).toUTCString(),
      Server: 'pve-api-daemon/3.0',
      'Cache-Control': 'max-age=0',
      Pragma: 'no-cache',
      ...(text === '' ? {} : { 'Content-Type': 'application/json;charset=UTF-8' }),
      'Content-Length': Buffer.byteLength(text),
    },
  };
}
