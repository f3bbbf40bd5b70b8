/** One request from authentication to answer: routing, rights, forwarding, workers, validation. Must not touch sockets. */
import { officialEndpointsOf } from '../contract/contract.ts';
import type { Contract } from '../contract/parse-tables.ts';
import type { Faults, RequestFault } from '../faults.ts';
import { isToken } from '../access/permissions.ts';
import { PveError, die, firstLine, notModelled, permError } from '../pve-error.ts';
import type { Call, Handler, Sim } from '../sim.ts';
import { validateParams, type RawParams } from '../contract/validate.ts';
import type { Version } from '../version.ts';
import { authenticate } from './auth.ts';
import { isWide } from './wide-character.ts';
import { Router, type Route } from './router.ts';
import { WorkerPools } from './workers.ts';

export interface ApiRequest {
  readonly method: string;
  /** Decoded, below /api2/json. */
  readonly path: string;
  readonly raw: RawParams;
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  readonly csrf: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** Absent: an empty body. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** The connection is cut instead of answered. */
  readonly drop?: boolean;
}

/** pveproxy waits 30 s for the daemon or node that it forwarded to. */
const proxyTimeoutMs = 30_000;
const loginDelayMs = 3_000;

const noToken = new Set(['POST /access/ticket', 'PUT /access/password']);

/** The daemon or node behind dies over such a text, and the proxy in front sees the connection end. */
function overWideText(error: unknown): Answer {
  if (error instanceof PveError && isWide(firstLine(error.message)))
    return { status: 596, reason: 'Unexpected end-of-file' };
  throw error;
}

const modelled = new WeakMap<Contract, Router>();

function modelledRoutes(contract: Contract): Router {
  const routes = modelled.get(contract) ?? new Router(contract.endpoints.values());
  modelled.set(contract, routes);
  return routes;
}

type OfficialRouter = Router<ReturnType<typeof officialEndpointsOf>[number]>;
const official = new Map<Version, OfficialRouter>();

function officialRoutes(version: Version): OfficialRouter {
  const routes = official.get(version) ?? new Router(officialEndpointsOf(version));
  official.set(version, routes);
  return routes;
}

export class Dispatcher {
  readonly #sim: Sim;
  readonly #faults: Faults;
  readonly #handlers: Readonly<Record<string, Handler>>;
  readonly #router: Router;
  readonly #workers = new WorkerPools();

  constructor(sim: Sim, faults: Faults, handlers: Readonly<Record<string, Handler>>) {
    this.#sim = sim;
    this.#faults = faults;
    this.#handlers = handlers;
    this.#router = modelledRoutes(sim.contract);
  }

  route(method: string, path: string): Route | undefined {
    return this.#router.find(method, path);
  }

  async handle(request: ApiRequest, route: Route | undefined): Promise<Answer> {
    const template = route?.spec.path ?? request.path;
    const { method, path } = request;
    const struck = this.#faults.strike({ method, template, path, task: route?.spec.task === true });
    for (const fault of struck) {
      switch (fault.action) {
        case 'slow':
          await this.#sim.clock.sleep(fault.ms);
          break;
        case 'drop-before':
          return { status: 0, reason: '', drop: true };
        case 'fail':
          return this.#failure(new PveError(fault.status, fault.text), false);
        // Later: when it is answered, and when its task begins.
        case 'drop-after':
        case 'no-worker':
        case 'task-fail':
      }
    }
    const answer = await this.#answer(request, route, struck);
    return struck.some((fault) => fault.action === 'drop-after') ? { ...answer, drop: true } : answer;
  }

  async #answer(
    request: ApiRequest,
    route: Route | undefined,
    struck: readonly RequestFault[],
  ): Promise<Answer> {
    let user = '';
    try {
      if (route?.spec.permission !== 'world') user = authenticate(this.#sim, request.method, request);
    } catch (error) {
      await this.#sim.clock.sleep(loginDelayMs);
      return this.#failure(error, true);
    }
    try {
      if (!route) throw this.#absent(request.method, request.path);
      return await this.#authorized(request, route, user, struck);
    } catch (error) {
      if (error instanceof PveError && error.status === 401) await this.#sim.clock.sleep(loginDelayMs);
      return this.#failure(error, false);
    }
  }

  /** What PVE has and we have not must not look like what PVE has not. */
  #absent(method: string, path: string): PveError {
    return officialRoutes(this.#sim.facts.version).find(method, path)
      ? notModelled(`${method} ${path}`)
      : new PveError(501, `Method '${method} ${path}' not implemented`);
  }

  async #authorized(
    request: ApiRequest,
    route: Route,
    user: string,
    struck: readonly RequestFault[],
  ): Promise<Answer> {
    const raw: RawParams = { ...request.raw, ...route.variables };
    this.#checkRights(request, route, user, raw);
    const node = this.#executingNode(route);
    const offline = node !== undefined && this.#sim.world.nodes.get(node)?.online !== true;
    if (offline) {
      await this.#sim.clock.sleep(3_000);
      return { status: 595, reason: 'No route to host' };
    }
    const entry = this.entryNode();
    const where = node ?? entry;
    const work = this.#execute(route, raw, user, where, struck);
    return where === entry && !route.spec.protected ? work : this.#withTimeout(work);
  }

  #checkRights(request: ApiRequest, route: Route, user: string, raw: RawParams): void {
    const { spec } = route;
    // Without a ticket the token's header alone is enough to be refused, also where nobody is asked who he is.
    const byToken =
      request.cookie === undefined && request.authorization?.startsWith('PVEAPIToken=') === true;
    if ((isToken(user) || byToken) && noToken.has(`${spec.method} ${spec.path}`)) {
      throw permError(`URI '${request.path}' not available with API token, need proper ticket.\n`);
    }
    const text = (name: string): string | undefined => {
      const value = raw[name];
      return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
    };
    this.#sim.rights.checkEndpoint(spec.permission, user, text);
  }

  /** The node that clients reach: the first that is up. */
  entryNode(): string {
    for (const node of this.#sim.world.nodes.values()) if (node.online) return node.name;
    return this.#sim.world.nodes.keys().next().value ?? '';
  }

  #executingNode(route: Route): string | undefined {
    if (!route.spec.onNode) return undefined;
    const name = route.variables['node'] ?? '';
    if (name === 'localhost') return undefined;
    if (!this.#sim.world.nodes.has(name)) {
      die(
        `hostname lookup '${name}' failed - failed to get address info for: ${name}: Name or service not known`,
      );
    }
    return name;
  }

  async #execute(
    route: Route,
    raw: RawParams,
    user: string,
    node: string,
    struck: readonly RequestFault[],
  ): Promise<Answer> {
    const { spec } = route;
    const { worker, free } = await this.#workers.take(node, spec.protected ? 'pvedaemon' : 'pveproxy');
    try {
      await this.#sim.clock.sleep(this.#sim.latency.request_ms);
      const params = validateParams(spec.params, raw, {
        contract: this.#sim.contract,
        major: this.#sim.facts.major,
      });
      const handler = this.#handlers[`${spec.method} ${spec.path}`];
      if (!handler) throw new Error(`no handler for ${spec.method} ${spec.path}`);
      const call = this.#call(params, user, { node, worker, spec }, struck);
      const data: unknown = (await handler(call)) ?? null;
      return { status: 200, reason: 'OK', body: { data, ...call.attributes } };
    } finally {
      free();
    }
  }

  #call(
    params: Call['params'],
    user: string,
    { node, worker, spec }: Pick<Call, 'node' | 'worker'> & Pick<Route, 'spec'>,
    struck: readonly RequestFault[],
  ): Call {
    const fault = struck.find((one) => one.action === 'task-fail')?.exitstatus;
    return {
      sim: this.#sim,
      user,
      node,
      worker,
      params,
      attributes: {},
      startTask: (type, id, kind, args) => {
        // Faults of tasks, and what is said of them when a scenario is read, go by the table.
        if (!spec.task) throw new Error(`${spec.method} ${spec.path}: its contract says nothing of a task`);
        if (struck.some((one) => one.action === 'no-worker')) die('got no worker upid - start worker failed');
        return this.#sim.tasks.start({ node, type, id, user, kind, args, fault });
      },
    };
  }

  /** The operation goes on when nobody waits for its answer any more. */
  #withTimeout(work: Promise<Answer>): Promise<Answer> {
    const { clock } = this.#sim;
    return new Promise((resolve, reject) => {
      const cancel = clock.at(clock.after(proxyTimeoutMs), () => {
        resolve({ status: 596, reason: 'Connection timed out' });
      });
      work.catch(overWideText).then(resolve, reject).finally(cancel);
    });
  }

  #failure(error: unknown, emptyBody: boolean): Answer {
    if (!(error instanceof PveError)) throw error;
    const reason = firstLine(error.message);
    // `Wide character` in the status line: the write dies, and the connection ends without an answer.
    if (isWide(reason)) return { status: 0, reason: '', drop: true };
    if (emptyBody) return { status: error.status, reason };
    const message = this.#sim.facts.messageInBody ? { message: `${error.message.replace(/\n$/, '')}\n` } : {};
    const errors = error.errors ? { errors: error.errors } : {};
    return { status: error.status, reason, body: { data: null, ...message, ...errors } };
  }
}
