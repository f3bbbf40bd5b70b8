/** The embedded Proxmox VE: puts clock, state, rules and HTTP together. Shares no code with the client. */
import { handlers, registerWorkers } from './api/handlers.ts';
import { buildState, latencyOf } from './build/build-state.ts';
import { contractOf } from './contract/contract.ts';
import { Faults, type Fault, type NodeFault, type QuorumFault } from './faults.ts';
import { Dispatcher, type Answer, type ApiRequest } from './http/dispatcher.ts';
import { exchange, type WireAnswer, type WireRequest } from './http/exchange.ts';
import { Front } from './http/front.ts';
import { Locks } from './tasks/locks.ts';
import { Rights } from './access/permissions.ts';
import { scenarioFaults } from './scenario.ts';
import type { Scenario } from './scenario-types.ts';
import { createSimClock, type SimClock } from './time/sim-clock.ts';
import type { Sim } from './sim.ts';
import type { ClusterState } from './state.ts';
import { TaskManager } from './tasks/tasks.ts';
import { versionFacts, type Version } from './version.ts';
import type { RawParams } from './contract/validate.ts';
import { World } from './world.ts';

export interface MutationEvent {
  readonly n: number;
  readonly phase: 'before' | 'after';
  readonly method: string;
  readonly path: string;
}

export interface SimulatorOptions {
  /** From loadScenario or defaultScenario. */
  readonly scenario: Scenario;
  /** Resumes a saved cluster; tasks under way go on. */
  readonly state?: ClusterState;
  /** How many times as fast all that takes time is over; overrides scenario.clock.speed. */
  readonly speed?: number;
  /** Default: any free port. */
  readonly port?: number;
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly host?: string;
  /**
   * Called around each mutating (non-GET, not /access/ticket) request, in order of arrival; n counts from 1. A promise
   * is awaited.
   */
  readonly onMutation?: (event: MutationEvent) => void | Promise<void>;
}

export interface RecordedRequest {
  readonly n: number;
  readonly method: string;
  /** The endpoint's template, such as `/nodes/{node}/network`; the path itself when there is no such endpoint. */
  readonly path: string;
  readonly rawPath: string;
  /** Body and query, without the variables of the path. */
  readonly params: RawParams;
  /** 0: the connection was cut. */
  readonly status: number;
  /** Simulated milliseconds. */
  readonly at: number;
  readonly durationMs: number;
}

/** A simulator without sockets. */
export interface BareSimulator {
  /** One HTTP request. */
  readonly serve: (request: WireRequest) => Promise<WireAnswer>;
  readonly version: Version;
  readonly credentials: ClusterState['credentials'];
  /** A deep copy, plain JSON. */
  snapshot(): ClusterState;
  readonly requests: readonly RecordedRequest[];
  /** Simulated milliseconds since the epoch. */
  now(): number;
  addFault(fault: Fault): void;
  /** Resolves when no task runs. */
  idle(): Promise<void>;
}

export interface Simulator extends BareSimulator {
  readonly url: string;
  readonly port: number;
  readonly speed: number;
  close(): Promise<void>;
}

const defaultSpeed = 20;

function createSim(scenario: Scenario, state: ClusterState, clock: SimClock): Sim {
  const world = new World(state);
  const facts = versionFacts(state.version);
  const sim: Sim = {
    world,
    clock,
    facts,
    locks: new Locks(clock, facts.cfsHastens, () => world.quorate),
    tasks: new TaskManager(clock, world, state.tasks, scenario.task_index_size),
    rights: new Rights(world, facts),
    contract: contractOf(state.version),
    latency: latencyOf(scenario),
    agents: new Map((scenario.agents ?? []).map(({ vmid, agent }) => [vmid, agent])),
  };
  registerWorkers(sim);
  return sim;
}

/** Power off: tasks die without a verdict, machines stop running; on again they stay off. */
function switchNode(sim: Sim, name: string, online: boolean): void {
  const node = sim.world.nodes.get(name);
  if (!node || node.online === online) return;
  node.online = online;
  if (online) {
    Reflect.deleteProperty(node, 'offlineSince');
    node.bootTime = sim.clock.now();
    return;
  }
  node.offlineSince = sim.clock.now();
  sim.tasks.killAll(name);
  for (const guest of sim.world.guestsOn(name)) {
    guest.runningSince = undefined;
    guest.pid = undefined;
    guest.process = undefined;
  }
}

class RunningSimulator {
  readonly requests: RecordedRequest[] = [];
  readonly #sim: Sim;
  readonly #faults = new Faults();
  readonly #dispatcher: Dispatcher;
  readonly #onMutation: SimulatorOptions['onMutation'];
  #received = 0;
  #mutations = 0;

  constructor(sim: Sim, onMutation: SimulatorOptions['onMutation']) {
    this.#sim = sim;
    this.#onMutation = onMutation;
    this.#dispatcher = new Dispatcher(sim, this.#faults, handlers);
  }

  addFault(fault: Fault): void {
    if ('match' in fault) this.#faults.add(fault);
    else this.#switchLater(fault);
  }

  #switchLater(fault: NodeFault | QuorumFault): void {
    const { action, afterSeconds = 0 } = fault;
    const change = (): void => {
      if ('node' in fault) switchNode(this.#sim, fault.node, action === 'node-online');
      else this.#sim.world.quorumLost = action === 'quorum-lost';
    };
    if (afterSeconds === 0) change();
    else this.#sim.clock.at(this.#sim.clock.after(afterSeconds * 1000), change);
  }

  async handle(request: ApiRequest, rawPath: string): Promise<Answer> {
    const { method, path } = request;
    this.#received += 1;
    const n = this.#received;
    const at = this.#sim.clock.now();
    const route = this.#dispatcher.route(method, path);
    const mutation = method === 'GET' || path === '/access/ticket' ? undefined : (this.#mutations += 1);
    const notify = async (phase: 'before' | 'after'): Promise<void> => {
      if (mutation !== undefined) await this.#onMutation?.({ n: mutation, phase, method, path });
    };
    await notify('before');
    const answer = await this.#dispatcher.handle(request, route);
    await notify('after');
    this.requests.push({
      n,
      method,
      path: route?.spec.path ?? path,
      rawPath,
      params: request.raw,
      status: answer.drop === true ? 0 : answer.status,
      at,
      durationMs: this.#sim.clock.now() - at,
    });
    return answer;
  }
}

interface Parts<T> {
  readonly sim: Sim;
  readonly bare: BareSimulator;
  readonly clock: T;
}

function assemble<T extends SimClock>(
  options: Pick<SimulatorOptions, 'scenario' | 'state' | 'onMutation'>,
  clockAt: (start: number) => T,
): Parts<T> {
  const { scenario } = options;
  const state = structuredClone(options.state) ?? buildState(scenario);
  const clock = clockAt(state.now);
  const sim = createSim(scenario, state, clock);
  const running = new RunningSimulator(sim, options.onMutation);
  for (const fault of scenarioFaults(scenario)) running.addFault(fault);
  for (const node of sim.world.nodes.values()) {
    if (node.offlineAt === undefined) continue;
    const left = node.offlineAt - clock.now();
    clock.at(clock.after(left), () => switchNode(sim, node.name, false));
  }
  return {
    sim,
    clock,
    bare: {
      serve: (request) =>
        exchange(request, {
          bodyLimit: sim.facts.bodyLimit,
          now: () => sim.clock.now(),
          handle: (asked, rawPath) => running.handle(asked, rawPath),
        }),
      version: state.version,
      credentials: sim.world.fixed.credentials,
      snapshot: () => sim.world.toState(sim.clock.now(), sim.tasks.all()),
      requests: running.requests,
      now: () => sim.clock.now(),
      addFault: (fault) => running.addFault(fault),
      idle: () => sim.tasks.idle(),
    },
  };
}

/** Without sockets, on a clock of the caller's: simulator and client in one process. */
export function createSimulator<T extends SimClock>(
  options: Pick<SimulatorOptions, 'scenario' | 'state' | 'onMutation'>,
  clockAt: (start: number) => T,
): { readonly simulator: BareSimulator; readonly time: T } {
  const { sim, bare, clock } = assemble(options, clockAt);
  sim.tasks.resume();
  return { simulator: bare, time: clock };
}

/** How many times as fast all that takes time is over. */
export function speedOf(scenario: Scenario): number {
  return scenario.clock?.speed ?? defaultSpeed;
}

export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { scenario, tls, port = 0, host = '127.0.0.1' } = options;
  const speed = options.speed ?? speedOf(scenario);
  const { sim, bare } = assemble(options, (start) => createSimClock(start, speed));
  const front = new Front({ host, port, tls, serve: bare.serve });
  const bound = await front.listen();
  sim.tasks.resume();
  return {
    ...bare,
    url: `${tls ? 'https' : 'http'}://${host}:${bound}`,
    port: bound,
    speed: sim.clock.speed,
    close: async () => {
      sim.clock.stop();
      await front.close();
    },
  };
}
