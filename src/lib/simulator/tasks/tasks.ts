/** Worker tasks: UPIDs, logs, exit statuses, and going on after a reload. Knows no kind of work by itself. */
import { errorText } from '../pve-error.ts';
import { RunningTask, type TaskContext } from './running-task.ts';
import type { SimClock } from '../time/sim-clock.ts';
import type { Json, TaskState } from '../state.ts';
import type { World } from '../world.ts';

export type JobArgs = Readonly<Record<string, Json>>;

export interface NewTask {
  readonly node: string;
  readonly type: string;
  readonly id: string;
  readonly user: string;
  readonly kind: string;
  readonly args: JobArgs;
  readonly fault?: string | undefined;
}

export type Worker = (task: TaskContext, args: JobArgs) => Promise<void>;

/** A job argument that its starter wrote as text. */
export function textArg(args: JobArgs, name: string): string {
  const value = args[name];
  return typeof value === 'string' ? value : '';
}

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');

/** About what 50 KB of an index file hold (RESTEnvironment.pm active_workers). */
const defaultIndexSize = 450;
const dayMs = 86_400_000;

/** One node's `index` and `index.1`, oldest first. */
interface Archive {
  current: TaskState[];
  older: readonly TaskState[];
}

export class TaskManager {
  readonly #clock: SimClock;
  readonly #world: World;
  readonly #workers = new Map<string, Worker>();
  readonly #all = new Map<string, TaskState>();
  readonly #running = new Map<string, RunningTask>();
  readonly #archive = new Map<string, Archive>();
  readonly #indexSize: number;
  /** When the index files lost a task; its log goes with the next daily cleanup. */
  readonly #forgotten = new Map<string, number>();
  readonly #idle = new Set<() => void>();

  constructor(clock: SimClock, world: World, saved: readonly TaskState[], indexSize = defaultIndexSize) {
    this.#clock = clock;
    this.#world = world;
    this.#indexSize = indexSize;
    for (const task of saved) {
      this.#all.set(task.upid, task);
      if (task.endtime !== undefined) this.#file(task);
    }
  }

  register(kind: string, worker: Worker): void {
    this.#workers.set(kind, worker);
  }

  /** Goes on with what was under way when the state was saved. */
  resume(): void {
    for (const task of this.#all.values()) if (task.endtime === undefined) this.#run(task);
  }

  start(task: NewTask): string {
    const now = this.#clock.now();
    const pid = this.#world.nextPid++;
    const pstart = Math.max(1, Math.round((now - this.#world.node(task.node).bootTime) / 10));
    const starttime = Math.floor(now / 1000);
    const { node, type, id, user, kind, args, fault } = task;
    const upid = `UPID:${node}:${hex(pid, 8)}:${hex(pstart, 8)}:${hex(starttime, 8)}:${type}:${id}:${user}:`;
    const state: TaskState = {
      upid,
      node,
      pid,
      pstart,
      starttime,
      type,
      id,
      user,
      log: [],
      job: { kind, args, progress: {} },
      fault,
    };
    this.#all.set(upid, state);
    this.#run(state);
    return upid;
  }

  #run(state: TaskState): void {
    const running = new RunningTask(state, this.#clock);
    this.#running.set(state.upid, running);
    const worker = this.#workers.get(state.job?.kind ?? '');
    const work = worker
      ? worker(running, state.job?.args ?? {})
      : Promise.reject(new Error('no such worker'));
    work.then(
      () => {
        this.#end(running, running.warnings > 0 ? `WARNINGS: ${running.warnings}` : 'OK');
      },
      (error: unknown) => {
        this.#end(running, errorText(error).trimEnd().replaceAll('\n', ' '));
      },
    );
  }

  #end(running: RunningTask, outcome: string): void {
    if (running.dead) return;
    const { state } = running;
    const exitstatus = state.fault ?? outcome;
    const succeeded = exitstatus === 'OK' || exitstatus.startsWith('WARNINGS');
    state.log.push(succeeded ? `TASK ${exitstatus}` : `TASK ERROR: ${exitstatus}`);
    this.#close(state, exitstatus);
  }

  #close(state: TaskState, exitstatus: string): void {
    state.exitstatus = exitstatus;
    state.endtime = Math.floor(this.#clock.now() / 1000);
    state.job = undefined;
    this.#running.delete(state.upid);
    this.#file(state);
    if (this.#running.size > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }

  /** A full index becomes index.1, and what that one held is in no list any more. */
  #file(task: TaskState): void {
    const archive = this.#archive.get(task.node) ?? { current: [], older: [] };
    this.#archive.set(task.node, archive);
    if (archive.current.length >= this.#indexSize) {
      for (const lost of archive.older) this.#forgotten.set(lost.upid, this.#clock.now());
      archive.older = archive.current;
      archive.current = [];
    }
    archive.current.push(task);
  }

  /** Logs that no index names are deleted once a day (bin/pveupdate cleanup_tasks). */
  get(upid: string): TaskState | undefined {
    const lostAt = this.#forgotten.get(upid);
    if (lostAt !== undefined && Math.floor(this.#clock.now() / dayMs) > Math.floor(lostAt / dayMs)) {
      this.#all.delete(upid);
      this.#forgotten.delete(upid);
    }
    return this.#all.get(upid);
  }

  isRunning(upid: string): boolean {
    return this.#running.has(upid);
  }

  active(node: string): TaskState[] {
    return [...this.#running.values()].map((task) => task.state).filter((task) => task.node === node);
  }

  /** Finished tasks that the index files name, in order of their end. */
  archived(node: string): readonly TaskState[] {
    const { older = [], current = [] } = this.#archive.get(node) ?? {};
    return [...older, ...current];
  }

  all(): TaskState[] {
    return [...this.#all.values()];
  }

  stop(upid: string): void {
    this.#running.get(upid)?.interrupt();
  }

  /** The node lost power: its tasks have no verdict in their logs. */
  killAll(node: string): void {
    for (const task of [...this.#running.values()]) {
      if (task.node !== node) continue;
      task.kill();
      this.#close(task.state, 'unexpected status');
    }
  }

  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.add(resolve));
  }
}
