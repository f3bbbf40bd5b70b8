/**
 * Runs commands in students' machines through their guest agents: bounded on each node, so that a guest that hangs costs
 * nobody else anything. Judges nothing that a guest says.
 */
import pMap from 'p-map';
import type { Clock } from '../clock.ts';
import { groupBy } from '../group.ts';
import { CallLimit } from '../proxmox/call-limit.ts';
import { AnswerLostError, AuthError, PveError, UnreachableError } from '../proxmox/errors.ts';
import type { AgentAnswer, PveApi } from '../proxmox/types.ts';
import { isNoSuchVm } from '../proxmox/words.ts';
import type { AgentCommand, CommandOutcome, MachineTask, Unrun } from './types.ts';

/** pvedaemon has three workers on a node, and one that waits for a guest that hangs is held for 8 s: leave one to others. */
const REQUESTS_PER_NODE = 2;
/** In which something runs at the same time. */
const MACHINES_PER_NODE = 10;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 2000;

export interface AgentIo {
  readonly pve: Pick<PveApi, 'agentExec' | 'agentExecStatus'>;
  readonly clock: Clock;
  /** Start nothing new, and wait for nothing. */
  readonly soft: AbortSignal;
  /** Abort requests. */
  readonly hard: AbortSignal;
}

/** What is made of an outcome at once: kept whole, the output of a class would fill the memory. */
export type Reduce<T> = (task: MachineTask, command: AgentCommand, outcome: CommandOutcome) => T;

const notRun = (why: Unrun, text?: string): CommandOutcome => ({
  kind: 'not-run',
  why,
  ...(text === undefined ? {} : { text }),
});

/** Of these the next command of the machine would fare no better. */
const FINAL: ReadonlySet<Unrun> = new Set([
  'no-agent',
  'agent-silent',
  'not-allowed',
  'unreachable',
  'gone',
  'interrupted',
]);

class Guest {
  readonly #task: MachineTask;
  readonly #io: AgentIo;
  readonly #requests: CallLimit;

  constructor(task: MachineTask, io: AgentIo, requests: CallLimit) {
    this.#task = task;
    this.#io = io;
    this.#requests = requests;
  }

  async run(command: AgentCommand): Promise<CommandOutcome> {
    const { pve, soft, hard } = this.#io;
    if (soft.aborted) return notRun('interrupted');
    try {
      const started = await this.#requests.run(() => pve.agentExec(this.#task, command.argv, hard), hard);
      if (started.kind === 'refused') return { kind: 'not-started', text: started.text };
      return started.kind === 'answer' ? await this.#end(started.value, command) : unanswered(started);
    } catch (error) {
      hard.throwIfAborted();
      return outcomeOf(error);
    }
  }

  async #end(pid: number, { timeoutSeconds }: AgentCommand): Promise<CommandOutcome> {
    const { pve, clock, hard } = this.#io;
    const deadline = clock.now() + timeoutSeconds * 1000;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      const left = deadline - clock.now();
      if (!(await this.#slept(Math.max(Math.min(wait, left), 0)))) return notRun('interrupted');
      const answer = await this.#requests.run(() => pve.agentExecStatus(this.#task, pid, hard), hard);
      if (answer.kind !== 'answer') return unanswered(answer);
      if (answer.value === 'flood') return { kind: 'flood' };
      if (answer.value !== 'running') return { kind: 'ended', process: answer.value };
      if (clock.now() >= deadline) return { kind: 'timeout' };
    }
  }

  async #slept(ms: number): Promise<boolean> {
    const { clock, soft } = this.#io;
    try {
      await clock.sleep(ms, soft);
      return true;
    } catch (error) {
      if (soft.aborted) return false;
      throw error;
    }
  }
}

function unanswered(answer: Exclude<AgentAnswer<unknown>, { kind: 'answer' }>): CommandOutcome {
  switch (answer.kind) {
    case 'off':
      return notRun('no-agent');
    case 'silent':
      return notRun('agent-silent');
    case 'garbage':
      return notRun('agent-odd');
    case 'refused':
      // Of a process that it started itself.
      return notRun('agent-odd', answer.text);
  }
}

function outcomeOf(error: unknown): CommandOutcome {
  if (error instanceof AuthError) return notRun('not-allowed', error.hint);
  if (error instanceof UnreachableError || error instanceof AnswerLostError)
    return notRun('unreachable', error.message);
  if (isNoSuchVm(error)) return notRun('gone');
  if (error instanceof PveError) return notRun('agent-odd', error.text);
  throw error;
}

async function runInOne<T>(task: MachineTask, guest: Guest, reduce: Reduce<T>): Promise<Map<string, T>> {
  const results = new Map<string, T>();
  let final: CommandOutcome | undefined;
  for (const command of task.commands) {
    const outcome = final ?? (await guest.run(command));
    if (outcome.kind === 'not-run' && FINAL.has(outcome.why)) final = outcome;
    results.set(command.name, reduce(task, command, outcome));
  }
  return results;
}

/** VMID → name of the command → what was made of its outcome. */
export async function runCommands<T>(
  tasks: readonly MachineTask[],
  reduce: Reduce<T>,
  io: AgentIo,
): Promise<Map<number, ReadonlyMap<string, T>>> {
  const found = new Map<number, ReadonlyMap<string, T>>();
  await Promise.all(
    [...groupBy(tasks, ({ node }) => node).values()].map((here) => {
      const requests = new CallLimit(REQUESTS_PER_NODE);
      return pMap(
        here,
        async (task) => {
          found.set(task.vmid, await runInOne(task, new Guest(task, io, requests), reduce));
        },
        { concurrency: MACHINES_PER_NODE },
      );
    }),
  );
  return found;
}
