/** Moves a guest of VMmanager 6 to another node and says where it ended up. Never stops a migration, never orders one twice. */
import type { Clock } from '../clock.ts';
import type { Step, StepOf } from '../plan/document/step.ts';
import { spanText } from '../pve-values/moment.ts';
import { VmmanagerAnswerLost, VmmanagerError, VmmanagerUnreachable } from '../vmmanager/errors.ts';
import type { MigrationRow, TaskWord, VmmanagerApi } from '../vmmanager/types.ts';
import { StepError } from './step-error.ts';
import type { StepOutcome } from './types.ts';

type MigrateStep = StepOf<'vm.migrate'>;

const SECOND = 1000;
const POLL = 5 * SECOND;
/** How long an order may take to become a task that the history shows. */
const UNTIL_SHOWN = 60 * SECOND;

/** Hears of each migration before it is ordered, and how it ended. */
export interface MigrationWitness {
  begun(move: { readonly vmid: number; readonly from: string; readonly to: string }): Promise<void>;
  ended(vmid: number, status: 'ok' | 'failed' | 'timeout', error?: string): Promise<void>;
}

export interface VmmanagerIo {
  readonly vmmanager: VmmanagerApi;
  readonly clock: Clock;
  /** The hard stop. */
  readonly signal: AbortSignal;
  /** Numbers of nodes by name. */
  readonly nodes: ReadonlyMap<string, number>;
  readonly witness: MigrationWitness;
}

function nodeName(id: number, { nodes }: VmmanagerIo): string {
  return [...nodes].find(([, known]) => known === id)?.[0] ?? `node ${id}`;
}

/** Where it is; it must not be gone. */
async function locate({ vmid }: MigrateStep, io: VmmanagerIo): Promise<string> {
  const guest = await io.vmmanager.guest(vmid, io.signal);
  if (guest) return nodeName(guest.node, io);
  throw new StepError('VM_GONE', `VM ${vmid} is gone`, { hint: 'run balance again' });
}

/** The newest first; a version without histories shows none. */
async function history({ vmid }: MigrateStep, io: VmmanagerIo): Promise<readonly MigrationRow[] | undefined> {
  try {
    return await io.vmmanager.migrations(vmid, io.signal);
  } catch {
    io.signal.throwIfAborted();
    return undefined;
  }
}

function tooLong({ vmid, node, target, timeoutSeconds }: MigrateStep): StepError {
  return new StepError(
    'MIGRATION_TIMEOUT',
    `the migration of VM ${vmid} from ${node} to ${target} takes longer than ${spanText(timeoutSeconds)} and goes on`,
    { hint: `follow it in the tasks of VMmanager; balance leaves VM ${vmid} alone for the blacklist's time` },
  );
}

/** A migration that was ordered: by its task where that is known, else by the history. */
interface Order {
  readonly task: number | undefined;
  /** Rows of the history up to this one are older. */
  readonly after: number;
  readonly deadline: number;
}

/** How it stands; undefined: nobody knows of it. */
async function look(step: MigrateStep, io: VmmanagerIo, order: Order): Promise<TaskWord | undefined> {
  const known = order.task === undefined ? undefined : await io.vmmanager.task(order.task, io.signal);
  if (known) return known;
  const row = (await history(step, io))?.find(({ id }) => id > order.after);
  if (row?.task !== undefined) return (await io.vmmanager.task(row.task, io.signal)) ?? { state: row.state };
  return row && { state: row.state };
}

async function unlessUnreachable<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof VmmanagerUnreachable) return undefined;
    throw error;
  }
}

/** Until it has ended; polls like a person who waits. */
async function follow(step: MigrateStep, io: VmmanagerIo, order: Order): Promise<TaskWord> {
  const shownBy = io.clock.now() + UNTIL_SHOWN;
  for (;;) {
    // It goes on whether or not somebody answers here.
    const word = await unlessUnreachable(() => look(step, io, order));
    if (word && word.state !== 'running') return word;
    const isLost = !word && io.clock.now() >= shownBy;
    if (isLost && (await unlessUnreachable(() => locate(step, io))) === step.target) return { state: 'ok' };
    if (io.clock.now() + POLL > order.deadline) throw tooLong(step);
    await io.clock.sleep(POLL, io.signal);
  }
}

async function judge(step: MigrateStep, io: VmmanagerIo, word: TaskWord): Promise<StepOutcome> {
  const until = io.clock.now() + UNTIL_SHOWN;
  let where = await unlessUnreachable(() => locate(step, io));
  while (where === undefined && io.clock.now() < until) {
    await io.clock.sleep(POLL, io.signal);
    where = await unlessUnreachable(() => locate(step, io));
  }
  where ??= await locate(step, io);
  if (where === step.target) return 'done';
  const why = word.words === undefined ? '' : `: ${word.words}`;
  const what = word.state === 'ok' ? 'ended without moving it' : `failed${why}`;
  throw new StepError(
    'MIGRATION_FAILED',
    `the migration of VM ${step.vmid} to ${step.target} ${what}; it is on ${where}`,
    {
      hint: 'see the task in VMmanager',
    },
  );
}

/** After a lost answer, or a refusal: is a migration under way, or done? Where nobody can say, it may be. */
async function found(
  step: MigrateStep,
  io: VmmanagerIo,
  { after, patience }: { readonly after: number; readonly patience: number },
): Promise<boolean> {
  const until = io.clock.now() + patience;
  for (;;) {
    const rows = await history(step, io);
    if (rows?.some(({ id }) => id > after) === true) return true;
    if ((await locate(step, io)) !== step.node) return true;
    if (io.clock.now() + POLL > until) return rows === undefined;
    await io.clock.sleep(POLL, io.signal);
  }
}

/** Orders it, and once more only when the first order is proven not to have been carried out. */
async function order(step: MigrateStep, io: VmmanagerIo, after: number): Promise<number | undefined> {
  const node = io.nodes.get(step.target);
  if (node === undefined) throw new StepError('NO_SUCH_NODE', `there is no node ${step.target}`, {});
  const move = { guest: step.vmid, node, step: step.id };
  try {
    return await io.vmmanager.migrate(move, io.signal);
  } catch (error) {
    if (error instanceof VmmanagerError && error.status === 400) {
      // A run that was killed a moment ago may have ordered it: its task is in the way of a second one.
      const isUnderWay = await found(step, io, { after, patience: 2 * POLL });
      if (isUnderWay && (await history(step, io)) !== undefined) return undefined;
      throw error;
    }
    if (!(error instanceof VmmanagerAnswerLost)) throw error;
    const isUnderWay = await found(step, io, { after, patience: UNTIL_SHOWN });
    return isUnderWay ? undefined : io.vmmanager.migrate(move, io.signal);
  }
}

async function carryOut(step: MigrateStep, io: VmmanagerIo): Promise<StepOutcome> {
  const deadline = io.clock.now() + step.timeoutSeconds * SECOND;
  const rows = (await history(step, io)) ?? [];
  const after = Math.max(0, ...rows.map(({ id }) => id));
  const running = rows.find(({ state }) => state === 'running');
  if (running) {
    // A run that was killed, or somebody else, has ordered one: it is waited for, and none is ordered on top.
    const word = await follow(step, io, { task: running.task, after: running.id - 1, deadline });
    return (await judge(step, io, word)) === 'done' ? 'already-done' : 'done';
  }
  const where = await locate(step, io);
  if (where === step.target) return 'already-done';
  if (where !== step.node)
    throw new StepError('VM_ELSEWHERE', `VM ${step.vmid} was on ${step.node} and is on ${where} by now`, {
      hint: 'somebody else moved it; run balance again',
    });
  await io.witness.begun({ vmid: step.vmid, from: step.node, to: step.target });
  const task = await order(step, io, after);
  return judge(step, io, await follow(step, io, { task, after, deadline }));
}

/** The steps of a plan for VMmanager 6 are migrations. */
export async function migrateGuest(step: Step, io: VmmanagerIo): Promise<StepOutcome> {
  if (step.kind !== 'vm.migrate')
    throw new StepError('STEP_KIND', `${step.id} is no step of VMmanager 6`, {});
  try {
    const outcome = await carryOut(step, io);
    await io.witness.ended(step.vmid, 'ok');
    return outcome;
  } catch (error) {
    if (error instanceof StepError && !io.signal.aborted) {
      const status = error.code === 'MIGRATION_TIMEOUT' ? 'timeout' : 'failed';
      await io.witness.ended(step.vmid, status, error.message);
    }
    throw error;
  }
}
