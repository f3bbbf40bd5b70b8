/** The simulated installation: who is where, tasks, histories, and what it refuses. Knows no HTTP. */
import type { SimClock } from '../simulator/time/sim-clock.ts';
import type { Scenario, ScenarioGuest, ScenarioNode } from './scenario-types.ts';

const SECOND = 1000;
/** From the order until the task runs. */
const BEFORE_TASK_MS = 800;
const TASK_S = 8;
const TASK_S_PER_GIB = 4;
const MIB_PER_GIB = 1024;

export interface Guest extends Required<Omit<ScenarioGuest, 'node'>> {
  node: number;
}

export interface Task {
  /** Its number as a task; in answers and histories stands the other one. */
  readonly id: number;
  readonly consul: number;
  readonly guest: number;
  readonly target: number;
  status: 'created' | 'running' | 'complete' | 'fail';
  output: string;
}

export interface HistoryRow {
  readonly id: number;
  readonly guest: number;
  readonly task: number;
  readonly created: number;
  state: 'running' | 'complete' | 'fail';
}

/** What it answers instead of doing it. */
export class Refused extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

function versionOf(text: string): number[] {
  return (/^\d+(?:\.\d+)*/.exec(text)?.[0] ?? '0').split('.').map(Number);
}

function isOlder(text: string, other: string): boolean {
  const [one, two] = [versionOf(text), versionOf(other)];
  for (let at = 0; at < Math.max(one.length, two.length); at += 1) {
    const difference = (one[at] ?? 0) - (two[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

export class Installation {
  readonly scenario: Scenario;
  readonly nodes: ReadonlyMap<number, ScenarioNode>;
  readonly guests: ReadonlyMap<number, Guest>;
  readonly tasks: Task[] = [];
  readonly history: HistoryRow[] = [];
  readonly #clock: SimClock;
  #next = 1;

  constructor(scenario: Scenario, clock: SimClock) {
    this.scenario = scenario;
    this.#clock = clock;
    this.nodes = new Map(scenario.nodes.map((node) => [node.id, node]));
    this.guests = new Map(
      (scenario.guests ?? []).map((guest) => [
        guest.id,
        { state: 'active', iso: false, snapshots: 0, balancer: true, tags: [], ...guest },
      ]),
    );
  }

  guestsOn(node: number): Guest[] {
    return [...this.guests.values()].filter((guest) => guest.node === node);
  }

  isMigrating(guest: number): boolean {
    return this.tasks.some(
      (task) => task.guest === guest && (task.status === 'created' || task.status === 'running'),
    );
  }

  /** Why the guest cannot go there. */
  obstacle(guest: Guest, target: ScenarioNode): string | undefined {
    const home = this.nodes.get(guest.node);
    if (target.id === guest.node) return 'the virtual machine is on this node';
    if (target.cluster !== home?.cluster) return 'the node is in another cluster';
    if ((target.state ?? 'active') !== 'active') return 'the node is not active';
    if (target.maintenance === true) return 'the node is in maintenance';
    if (target.creation_blocked === true) return 'the node takes no virtual machines';
    const limit = target.host_limit ?? 0;
    if (limit > 0 && this.guestsOn(target.id).length >= limit) return 'the node has as many as it may';
    return undefined;
  }

  /** Orders a migration; `failure`: what its task will end in. */
  migrate(id: number, nodeId: number, failure: string | undefined): Task {
    const guest = this.guests.get(id);
    const target = this.nodes.get(nodeId);
    if (!guest) throw new Refused(404, 4000, `there is no host ${id}`);
    if (!target) throw new Refused(400, 4001, `there is no node ${nodeId}`);
    if (guest.state !== 'active') throw new Refused(400, 4002, `the host is ${guest.state}`);
    if (guest.iso) throw new Refused(400, 4003, 'an ISO is mounted');
    if (guest.snapshots > 0) throw new Refused(400, 4004, 'the host has snapshots');
    if (this.isMigrating(id)) throw new Refused(400, 4005, 'a task is running for this host');
    const obstacle = this.obstacle(guest, target);
    if (obstacle !== undefined) throw new Refused(400, 4006, obstacle);
    const number = (this.#next += 1);
    const task: Task = {
      ...{ id: number, consul: number + 5000, guest: id, target: nodeId },
      ...{ status: 'created', output: '' },
    };
    this.tasks.push(task);
    this.#clock.at(this.#clock.after(BEFORE_TASK_MS), () => this.#run(task, guest, { target, failure }));
    return task;
  }

  #run(
    task: Task,
    guest: Guest,
    { target, failure }: { readonly target: ScenarioNode; readonly failure: string | undefined },
  ): void {
    task.status = 'running';
    const row: HistoryRow = {
      ...{ id: (this.#next += 1), guest: guest.id, task: task.consul, created: this.#clock.now() },
      state: 'running',
    };
    this.history.push(row);
    const from = this.nodes.get(guest.node)?.qemu_version ?? '';
    const isIncompatible =
      from !== '' && target.qemu_version !== undefined && isOlder(target.qemu_version, from);
    const words = failure ?? (isIncompatible ? 'unsupported machine type' : undefined);
    const seconds = TASK_S + (TASK_S_PER_GIB * guest.memory_mib) / MIB_PER_GIB;
    this.#clock.at(this.#clock.after(seconds * SECOND), () => {
      task.status = words === undefined ? 'complete' : 'fail';
      row.state = task.status;
      task.output = words ?? '';
      if (words === undefined) guest.node = target.id;
    });
  }
}
