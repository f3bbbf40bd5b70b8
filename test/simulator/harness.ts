/** Starts a simulator for a test and speaks HTTP to it, with nothing of our own client in between. */
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { defaultScenario, type Scenario } from '../../src/lib/simulator/scenario.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/lib/simulator/simulator.ts';

/** Parsed JSON of which the test knows the shape. */
export type Loose = ReturnType<typeof JSON.parse>;

export interface Reply {
  readonly status: number;
  /** The reason phrase, as UTF-8. */
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Parsed body; empty object when there is none. */
  readonly body: {
    data?: Loose;
    errors?: Record<string, string>;
    message?: string;
    changes?: string;
    total?: number;
  };
  readonly data: Loose;
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly agent?: Agent | undefined;
}

export function send(
  url: string,
  { method = 'GET', path, headers = {}, body, agent }: RawRequest,
): Promise<Reply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        hostname,
        port,
        method,
        path,
        agent: agent ?? false,
        headers: {
          ...headers,
          ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const parsed = text === '' ? {} : JSON.parse(text);
          resolve({
            status: response.statusCode ?? 0,
            reason: Buffer.from(response.statusMessage ?? '', 'latin1').toString('utf8'),
            headers: response.headers,
            text,
            body: parsed,
            data: parsed.data,
          });
        });
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

export type Form = Readonly<Record<string, string | number>>;

export const encode = (form: Form): string =>
  Object.entries(form)
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join('&');

/** A caller with one kind of credentials. */
export class Caller {
  readonly url: string;
  readonly #headers: Record<string, string>;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(url: string, headers: Record<string, string>) {
    this.url = url;
    this.#headers = headers;
  }

  call(method: string, path: string, form: Form = {}): Promise<Reply> {
    const text = encode(form);
    const inBody = method === 'POST' || method === 'PUT';
    return send(this.url, {
      method,
      path: `/api2/json${path}${!inBody && text !== '' ? `?${text}` : ''}`,
      headers: {
        ...this.#headers,
        ...(inBody ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}),
      },
      ...(inBody ? { body: text } : {}),
      agent: this.#agent,
    });
  }

  get = (path: string, form?: Form): Promise<Reply> => this.call('GET', path, form);
  post = (path: string, form?: Form): Promise<Reply> => this.call('POST', path, form);
  put = (path: string, form?: Form): Promise<Reply> => this.call('PUT', path, form);
  del = (path: string, form?: Form): Promise<Reply> => this.call('DELETE', path, form);

  /** Must succeed; the data. */
  async ok(method: string, path: string, form?: Form): Promise<Loose> {
    const reply = await this.call(method, path, form);
    if (reply.status !== 200)
      throw new Error(`${method} ${path}: ${reply.status} ${reply.reason} ${reply.text}`);
    return reply.data;
  }

  /** Starts a task, waits for its end, returns its exit status. */
  async task(method: string, path: string, form?: Form): Promise<string> {
    return this.ended(await this.ok(method, path, form));
  }

  async ended(upid: string): Promise<string> {
    const node = upid.split(':')[1] ?? '';
    for (;;) {
      const status = await this.ok('GET', `/nodes/${node}/tasks/${encodeURIComponent(upid)}/status`);
      if (status.status === 'stopped') return status.exitstatus;
      await pause(2); // polling without pause keeps the simulator's clock from moving
    }
  }
}

const running: Simulator[] = [];

/** After each test, see setup.ts. */
export async function closeAll(): Promise<void> {
  for (const simulator of running.splice(0)) await simulator.close();
}

export interface Started {
  readonly sim: Simulator;
  /** root@pam's full-rights token. */
  readonly root: Caller;
  /** Another caller by API token `user@realm!id=secret`. */
  readonly as: (token: string) => Caller;
}

/** The default cluster, changed; fast and without request latency unless the test says otherwise. */
export async function start(
  change: Partial<Scenario> = {},
  options: Partial<SimulatorOptions> = {},
): Promise<Started> {
  const base = defaultScenario();
  const scenario: Scenario = { ...base, ...change, latency: { request_ms: 1, ...change.latency } };
  const sim = await startSimulator({ speed: 1000, ...options, scenario });
  running.push(sim);
  const as = (token: string): Caller => new Caller(sim.url, { Authorization: `PVEAPIToken=${token}` });
  return { sim, root: as(`${sim.credentials.tokenId}=${sim.credentials.secret}`), as };
}

export const secret = '11111111-1111-4111-a111-111111111111';

/** A scenario user with one full-rights token, `as(`${userid}!t=${secret}`)`. */
export const userWithToken = (
  userid: string,
): { userid: string; tokens: { id: string; secret: string; privsep: boolean }[] } => ({
  userid,
  tokens: [{ id: 't', secret, privsep: false }],
});

/** Logs in and returns the ticket's headers. */
export async function login(sim: Simulator, username: string, password: string): Promise<Caller> {
  const reply = await send(sim.url, {
    method: 'POST',
    path: '/api2/json/access/ticket',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: encode({ username, password }),
  });
  if (reply.status !== 200) throw new Error(`login: ${reply.status} ${reply.reason}`);
  return new Caller(sim.url, {
    Cookie: `PVEAuthCookie=${encodeURIComponent(reply.data.ticket)}`,
    CSRFPreventionToken: reply.data.CSRFPreventionToken,
  });
}
