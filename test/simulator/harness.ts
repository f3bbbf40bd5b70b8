/** Starts a simulator for a test and speaks HTTP to it, with nothing of our own client in between. */
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { defaultScenario, type Scenario } from '../../src/lib/simulator/scenario.ts';
import {
  createSimulator,
  startSimulator,
  type BareSimulator,
  type Simulator,
  type SimulatorOptions,
} from '../../src/lib/simulator/simulator.ts';
import { VirtualTime } from '../../src/lib/simulator/time/virtual-time.ts';
import { afterwards } from '../cleanups.ts';

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

function replyOf(
  status: number,
  rawReason: string,
  headers: Readonly<Record<string, unknown>>,
  text: string,
): Reply {
  const body = text === '' ? {} : JSON.parse(text);
  return {
    status,
    reason: Buffer.from(rawReason, 'latin1').toString('utf8'),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
    ),
    text,
    body,
    data: body.data,
  };
}

/** Gets a request to a server and its answer back. */
export type Send = (request: RawRequest) => Promise<Reply>;

export const toServer =
  ({ serve }: BareSimulator): Send =>
  async ({ method = 'GET', path, headers = {}, body = '' }) => {
    const answer = await serve({
      method,
      target: path,
      headers: {
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
        ...(body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      },
      body,
    });
    if (answer.drop) throw new Error('socket hang up');
    return replyOf(answer.status, answer.reason, answer.headers, answer.body);
  };

/** Over a socket. */
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
          resolve(replyOf(response.statusCode ?? 0, response.statusMessage ?? '', response.headers, text));
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

type Pause = (ms: number) => Promise<void>;

/** A caller with one kind of credentials. */
export class Caller {
  readonly #send: Send;
  readonly #headers: Record<string, string>;
  readonly #pause: Pause;

  /** `pause`: between two looks at a task. */
  constructor(to: Send, headers: Record<string, string>, pause: Pause = () => Promise.resolve()) {
    this.#send = to;
    this.#headers = headers;
    this.#pause = pause;
  }

  call(method: string, path: string, form: Form = {}): Promise<Reply> {
    const text = encode(form);
    const inBody = method === 'POST' || method === 'PUT';
    return this.#send({
      method,
      path: `/api2/json${path}${!inBody && text !== '' ? `?${text}` : ''}`,
      headers: {
        ...this.#headers,
        ...(inBody ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}),
      },
      ...(inBody ? { body: text } : {}),
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
    // Of a task that takes minutes the end is seen a twentieth of them late.
    for (let waited = 0, ms = 200; ; waited += ms, ms = Math.max(200, waited / 20)) {
      const status = await this.ok('GET', `/nodes/${node}/tasks/${encodeURIComponent(upid)}/status`);
      if (status.status === 'stopped') return status.exitstatus;
      await this.#pause(ms);
    }
  }
}

export interface Started<T extends BareSimulator = BareSimulator> {
  readonly sim: T;
  /** root@pam's full-rights token. */
  readonly root: Caller;
  /** Another caller by API token `user@realm!id=secret`. */
  readonly as: (token: string) => Caller;
}

/** How callers wait between two looks at a task. */
const pauses = new WeakMap<BareSimulator, Pause>();

function callersOf<T extends BareSimulator>(sim: T, to: Send, pause?: Pause): Started<T> {
  if (pause) pauses.set(sim, pause);
  const as = (token: string): Caller => new Caller(to, { Authorization: `PVEAPIToken=${token}` }, pause);
  return { sim, root: as(`${sim.credentials.tokenId}=${sim.credentials.secret}`), as };
}

/** The default cluster, changed; without request latency unless the test says otherwise. */
function scenarioOf(change: Partial<Scenario>): Scenario {
  const base = defaultScenario();
  return { ...base, ...change, latency: { request_ms: 1, ...change.latency } };
}

export interface Virtual extends Started {
  readonly time: VirtualTime;
}

/** In this process, on virtual time: it stands still while the test is at work. */
export function start(
  change: Partial<Scenario> = {},
  options: Pick<SimulatorOptions, 'state' | 'onMutation'> = {},
): Promise<Virtual> {
  const { simulator, time } = createSimulator(
    { ...options, scenario: scenarioOf(change) },
    (now) => new VirtualTime(now),
  );
  afterwards(() => time.stop());
  return Promise.resolve({ ...callersOf(simulator, toServer(simulator), (ms) => time.sleep(ms)), time });
}

/** Behind sockets, in real time. */
export async function startServed(
  change: Partial<Scenario> = {},
  options: Partial<SimulatorOptions> = {},
): Promise<Started<Simulator>> {
  const sim = await startSimulator({ speed: 1, ...options, scenario: scenarioOf(change) });
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  afterwards(async () => {
    agent.destroy();
    await sim.close();
  });
  return callersOf(sim, (request) => send(sim.url, { agent, ...request }));
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
export async function login(sim: BareSimulator, username: string, password: string): Promise<Caller> {
  const to = toServer(sim);
  const reply = await to({
    method: 'POST',
    path: '/api2/json/access/ticket',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: encode({ username, password }),
  });
  if (reply.status !== 200) throw new Error(`login: ${reply.status} ${reply.reason}`);
  const headers = {
    Cookie: `PVEAuthCookie=${encodeURIComponent(reply.data.ticket)}`,
    CSRFPreventionToken: reply.data.CSRFPreventionToken,
  };
  return new Caller(to, headers, pauses.get(sim));
}
