/** Answers the requests that VMmanager 6 answers: logins, lists with filters, migrations. Strict where its ways are known. */
import { Faults, type RequestFault } from '../simulator/faults.ts';
import type { SimClock } from '../simulator/time/sim-clock.ts';
import { beginsTask, ENDPOINTS, LOGIN, templateOf, type EndpointName } from './endpoints.ts';
import { Refused, type Installation } from './installation.ts';
import { guestRow, historyRow, nodeRow, targetForm, taskRow } from './views.ts';

export interface WireRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface WireAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string;
  readonly drop: boolean;
}

export interface MutationEvent {
  /** Counts the requests that change something. */
  readonly n: number;
  readonly phase: 'before' | 'after';
  readonly path: string;
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

const REQUEST_MS = 20;

interface Asked {
  readonly params: Readonly<Record<string, string>>;
  readonly where: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  readonly failure: string | undefined;
}

type Answer = Readonly<Record<string, unknown>>;
type Endpoint = (asked: Asked) => Answer;

/** `id EQ 5`, also in brackets. Other fields of hosts and nodes end in 500, as seen on real ones. */
function filtered<T extends Answer>(rows: readonly T[], where: string | undefined, field: string): T[] {
  if (where === undefined) return [...rows];
  const [, name, number] = /^\(?(\w+) EQ (\d+)\)?$/.exec(where) ?? [];
  if (name !== field) throw new Refused(500, 1000, 'internal error');
  return rows.filter((row) => row[field] === Number(number));
}

function list(rows: readonly Answer[]): Answer {
  return { last_notify: 1, list: rows, size: rows.length };
}

function numberOf(text: string | undefined): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new Refused(400, 1001, 'bad number');
  return number;
}

export class Server {
  readonly requests: { readonly method: string; readonly path: string; readonly status: number }[] = [];
  readonly #installation: Installation;
  readonly #clock: SimClock;
  readonly #credentials: Credentials;
  readonly #onMutation: ((event: MutationEvent) => void | Promise<void>) | undefined;
  readonly #faults = new Faults();
  readonly #tokens = new Map<string, number>();
  #mutations = 0;
  #logins = 0;

  constructor(
    installation: Installation,
    clock: SimClock,
    {
      credentials,
      onMutation,
    }: {
      readonly credentials: Credentials;
      readonly onMutation?: ((event: MutationEvent) => void | Promise<void>) | undefined;
    },
  ) {
    this.#installation = installation;
    this.#clock = clock;
    this.#credentials = credentials;
    this.#onMutation = onMutation;
  }

  get logins(): number {
    return this.#logins;
  }

  addFault(fault: RequestFault): void {
    this.#faults.add(fault);
  }

  /** All logins run out at once. */
  forgetLogins(): void {
    this.#tokens.clear();
  }

  readonly serve = async (request: WireRequest): Promise<WireAnswer> => {
    const url = new URL(request.target, 'https://vmmanager');
    const path = url.pathname;
    const [{ method }, template] = [request, templateOf(path)];
    const struck = this.#faults.strike({ method, template, path, task: beginsTask(method, template) });
    const slow = struck.find((fault) => fault.action === 'slow');
    await this.#clock.sleep(REQUEST_MS + (slow?.action === 'slow' ? slow.ms : 0));
    if (struck.some(({ action }) => action === 'drop-before')) return this.#record(request, path, 0, {});
    const failed = struck.find((fault) => fault.action === 'fail');
    if (failed?.action === 'fail')
      return this.#record(request, path, failed.status, {
        error: { code: failed.status, msg: failed.text, value: {} },
      });
    const n = request.method === 'POST' && path !== LOGIN ? (this.#mutations += 1) : undefined;
    if (n !== undefined) await this.#onMutation?.({ n, phase: 'before', path });
    const taskFault = struck.find((fault) => fault.action === 'task-fail');
    const [status, document] = this.#answer(request, url, taskFault);
    if (n !== undefined) await this.#onMutation?.({ n, phase: 'after', path });
    const isLost = struck.some(({ action }) => action === 'drop-after');
    return this.#record(request, path, isLost ? 0 : status, document);
  };

  #record({ method }: WireRequest, path: string, status: number, document: Answer): WireAnswer {
    this.requests.push({ method, path, status });
    return {
      status: status === 0 ? 200 : status,
      reason: '',
      headers: { Date: new Date(this.#clock.now()).toUTCString(), 'Content-Type': 'application/json' },
      body: JSON.stringify(document),
      drop: status === 0,
    };
  }

  #answer(request: WireRequest, url: URL, fault: RequestFault | undefined): [number, Answer] {
    try {
      const body = this.#bodyOf(request);
      if (url.pathname === LOGIN && request.method === 'POST') return [201, this.#login(body)];
      this.#assertLoggedIn(request);
      const found = this.#endpoint(request.method, url.pathname);
      if (!found) throw new Refused(404, 1002, `no such function: ${request.method} ${url.pathname}`);
      const failure = fault?.action === 'task-fail' ? fault.exitstatus : undefined;
      const where = url.searchParams.get('where') ?? undefined;
      for (const name of url.searchParams.keys())
        if (name !== 'where') throw new Refused(400, 1003, `unknown parameter ${name}`);
      return [200, found.endpoint({ params: found.params, where, body, failure })];
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return [error.status, { error: { code: error.code, msg: error.message, value: {} } }];
    }
  }

  #bodyOf({ method, body, headers }: WireRequest): Readonly<Record<string, unknown>> {
    if (method === 'GET') return {};
    if (headers['content-type'] !== 'application/json') throw new Refused(400, 1004, 'JSON is expected');
    try {
      const parsed: unknown = JSON.parse(body);
      if (typeof parsed === 'object' && parsed !== null) return parsed as Readonly<Record<string, unknown>>; // looked at key by key
    } catch {
      // as below
    }
    throw new Refused(400, 1004, 'JSON is expected');
  }

  #login(body: Readonly<Record<string, unknown>>): Answer {
    const { email, password } = this.#credentials;
    if (body['email'] !== email || body['password'] !== password)
      throw new Refused(401, 3002, 'wrong e-mail or password');
    this.#logins += 1;
    const token = `${this.#logins}-${'simulated'.repeat(3)}-${this.#clock.now()}`;
    const { token_seconds: life = 3600, second_factor: isHalf = false } = this.#installation.scenario;
    const until = this.#clock.now() + life * 1000;
    if (!isHalf) this.#tokens.set(token, until);
    const written = new Date(until).toISOString().slice(0, 19).replace('T', ' ');
    return { id: this.#logins, token, expires_at: written, confirmed: !isHalf };
  }

  #assertLoggedIn({ headers }: WireRequest): void {
    const until = this.#tokens.get(headers['x-xsrf-token'] ?? '');
    if (until === undefined || until <= this.#clock.now()) throw new Refused(401, 3000, 'Unauthorized');
  }

  #endpoint(
    method: string,
    path: string,
  ): { readonly endpoint: Endpoint; readonly params: Readonly<Record<string, string>> } | undefined {
    const id = /\/(\d+)(?=\/|$)/.exec(path)?.[1];
    const name = ENDPOINTS.find((one) => one === `${method} ${templateOf(path)}`);
    return name && { endpoint: this.#endpoints[name], params: id === undefined ? {} : { id } };
  }

  #has(what: NonNullable<Installation['scenario']['without']>[number]): void {
    if (this.#installation.scenario.without?.includes(what) === true)
      throw new Refused(404, 1002, 'no such function');
  }

  #guest(id: string | undefined) {
    const guest = this.#installation.guests.get(numberOf(id));
    if (!guest) throw new Refused(404, 4000, `there is no host ${id ?? ''}`);
    return guest;
  }

  readonly #endpoints: Readonly<Record<EndpointName, Endpoint>> = {
    'GET /vm/v3/cluster': ({ where }) =>
      list(
        filtered(
          this.#installation.scenario.clusters.map((one) => ({ ...one })),
          where,
          'id',
        ),
      ),
    'GET /vm/v3/node': ({ where }) =>
      list(
        filtered(
          [...this.#installation.nodes.values()].map((node) => nodeRow(node, this.#installation)),
          where,
          'id',
        ),
      ),
    'GET /vm/v3/host': ({ where }) =>
      list(
        filtered(
          [...this.#installation.guests.values()].map((one) => guestRow(one, this.#installation)),
          where,
          'id',
        ),
      ),
    'GET /vm/v3/host/{id}/migrate': ({ params }) => {
      this.#has('target-form');
      return targetForm(this.#guest(params['id']), this.#installation);
    },
    'GET /vm/v3/host/{id}/history': ({ params }) => {
      this.#has('history');
      const { id } = this.#guest(params['id']);
      const offset = this.#installation.scenario.utc_offset_hours ?? 0;
      const rows = this.#installation.history.filter(({ guest }) => guest === id);
      return {
        last_notify: 1,
        max_id: Math.max(0, ...rows.map((row) => row.id)),
        list: rows.map((row) => historyRow(row, offset)),
      };
    },
    'GET /vm/v3/task': ({ where }) => {
      this.#has('task-list');
      return list(filtered(this.#installation.tasks.map(taskRow), where, 'consul_id'));
    },
    'GET /vm/v3/task/{id}': ({ params }) => {
      this.#has('task-number');
      const task = this.#installation.tasks.find(({ consul }) => consul === numberOf(params['id']));
      if (!task) throw new Refused(404, 1005, 'there is no such task');
      return { task: taskRow(task) };
    },
    'POST /vm/v3/host/{id}/migrate': ({ params, body, failure }) => {
      for (const key of Object.keys(body))
        if (!['node', 'plain', 'disks'].includes(key)) throw new Refused(400, 1003, `unknown key ${key}`);
      if (typeof body['node'] !== 'number') throw new Refused(400, 1001, 'node: a number is expected');
      const task = this.#installation.migrate(numberOf(params['id']), body['node'], failure);
      return { id: task.guest, task: task.consul };
    },
  };
}
