/** Moves a guest to another node and says where it ended up. Never stops a migration; one that takes too long goes on. */
import { guestCommand } from '../../../pve-values/admin-commands.ts';
import { kindWord, MIGRATIONS, taskType, type GuestKind } from '../../../pve-values/guest-kinds.ts';
import { spanText } from '../../../pve-values/moment.ts';
import { isGoodEnding } from '../../../pve-values/task-status.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import { AnswerLostError, TaskError } from '../../../proxmox/errors.ts';
import { isNoSuchVm, isOfflineMoveOfRunning, migrationCause } from '../../../proxmox/words.ts';
import type { TaskRow, Upid } from '../../../proxmox/types.ts';
import { attempt, awaitTask } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo, StepOutcome } from '../../types.ts';

type MigrateStep = StepOf<'vm.migrate'>;

/** The target, or a storage there, is to blame: another one may do. */
export const TARGET_FAILED = 'MIGRATION_TARGET';

const SECOND = 1000;
const HA_POLL = 5 * SECOND;

const kindOf = ({ container }: MigrateStep): GuestKind => (container ? 'lxc' : 'qemu');
const nameOf = (step: MigrateStep): string => `${kindWord(kindOf(step))} ${step.vmid}`;

/** The node that has the guest's configuration; it changes hands at the end of a migration. */
async function locate(step: MigrateStep, io: StepIo): Promise<string> {
  const { node, target, vmid } = step;
  const type = kindOf(step);
  for (const candidate of [target, node]) {
    if (await io.pve.guestConfig({ node: candidate, vmid, type }, io.signal)) return candidate;
  }
  const row = (await io.pve.resources(io.signal)).find((one) => one.vmid === vmid && one.type === type);
  if (row?.node !== undefined) return row.node;
  throw new StepError('VM_GONE', `${nameOf(step)} is neither on ${node} nor on ${target}: it is gone`, {
    hint: 'run balance again',
  });
}

function tooLong(step: MigrateStep): StepError {
  const { node, target, timeoutSeconds, awaited } = step;
  if (awaited) {
    return new StepError(
      'MIGRATION_TIMEOUT',
      `HA has not taken ${nameOf(step)} from ${node} to ${target} within ${timeoutSeconds} s`,
      {
        hint: `see whether ${node} is in maintenance still, and \`ha-manager status\`; then run balance again`,
      },
    );
  }
  return new StepError(
    'MIGRATION_TIMEOUT',
    `the migration of ${nameOf(step)} from ${node} to ${target} takes longer than ${spanText(timeoutSeconds)} and goes on`,
    {
      hint: `follow it in the task log of ${node}; balance leaves ${nameOf(step)} alone until it has ended`,
    },
  );
}

/** Waits for a task until the deadline; true: it succeeded, an Error: it did not. Throws when the time is over. */
async function follow(step: MigrateStep, io: StepIo, { upid, deadline }: Run): Promise<true | TaskError> {
  const over = new AbortController();
  const until = AbortSignal.any([io.signal, over.signal]);
  const alarm = io.clock.sleep(Math.max(0, deadline - io.clock.now()), until).then(() => {
    throw tooLong(step);
  });
  // Ends by the abort below when the task is first.
  alarm.catch(() => undefined);
  try {
    await Promise.race([awaitTask({ ...io, signal: until }, upid), alarm]);
    return true;
  } catch (error) {
    if (error instanceof TaskError) return error;
    throw error;
  } finally {
    over.abort();
  }
}

/** What stands in the way of a live move was not asked for it. */
function startedMeanwhile(step: MigrateStep, cause: unknown): StepError {
  return new StepError(
    'MIGRATION_FAILED',
    `${nameOf(step)} on ${step.node} was off when its move was planned, and runs by now`,
    { hint: 'run balance again', cause },
  );
}

interface Run {
  readonly upid: Upid;
  /** By the run's clock. */
  readonly deadline: number;
}

async function activeMigration(step: MigrateStep, io: StepIo): Promise<TaskRow | undefined> {
  const rows = await io.pve.tasks(step.node, { source: 'active', vmid: step.vmid }, io.signal);
  return rows.find(({ type }) => MIGRATIONS.includes(type));
}

function failure(step: MigrateStep, where: string, cause: TaskError | undefined): StepError {
  const { target } = step;
  // `migration problems`: PVE gave up after the hand-over (qemu-server QemuMigrate.pm, phase3_cleanup).
  const { blames, words } = migrationCause(cause?.log ?? []);
  const why = words === undefined ? '' : ` (${words})`;
  const what = cause === undefined ? 'ended without moving it' : `failed: ${cause.exitstatus}${why}`;
  return new StepError(
    blames === 'node' || blames === 'storage' ? TARGET_FAILED : 'MIGRATION_FAILED',
    `the migration of ${nameOf(step)} to ${target} ${what}; it is on ${where}`,
    {
      hint: cause?.hint,
      cause,
    },
  );
}

/** A container may have arrived, and PVE could not start it there: nothing of the move is undone. */
function arrived({ vmid, target, container }: MigrateStep, ended: true | TaskError): 'done' {
  if (container?.restart !== true || ended === true) return 'done';
  throw new StepError(
    'CT_NOT_STARTED',
    `CT ${vmid} has moved to ${target} and is down: its start there failed (${ended.exitstatus})`,
    { hint: `on ${target}, ${guestCommand({ vmid, type: 'lxc' }, 'start')} says why`, cause: ended },
  );
}

async function judge(step: MigrateStep, io: StepIo, ended: true | TaskError): Promise<StepOutcome> {
  const where = await locate(step, io);
  if (where === step.target) return arrived(step, ended);
  throw failure(step, where, ended === true ? undefined : ended);
}

/**
 * HA's manager starts the migration itself, some rounds of 10 s after the request, with a task of its own. Of those that
 * it starts unasked, one from before `since` had no bridge to go to.
 */
async function followHa(step: MigrateStep, io: StepIo, { since, deadline }: HaRun): Promise<StepOutcome> {
  const { node, target, vmid } = step;
  for (;;) {
    const child = await activeMigration(step, io);
    if (child) {
      const ended = await follow(step, io, { upid: child.upid, deadline });
      if (ended !== true && child.starttime >= since) return judge(step, io, ended);
    }
    const where = await locate(step, io);
    if (where === target) return 'done';
    if (where !== node) throw failure(step, where, undefined);
    const past = await io.pve.tasks(node, { source: 'archive', vmid, since }, io.signal);
    const failed = past.find(
      ({ type, status }) =>
        type === taskType('migrate', kindOf(step)) && status !== undefined && !isGoodEnding(status),
    );
    if (failed) throw failure(step, where, await reasonOf(failed, io));
    if (io.clock.now() + HA_POLL > deadline) throw tooLong(step);
    await io.clock.sleep(HA_POLL, io.signal);
  }
}

interface HaRun {
  /** Seconds, the server's. */
  readonly since: number;
  readonly deadline: number;
}

async function reasonOf({ upid, status }: TaskRow, io: StepIo): Promise<TaskError> {
  const log = await io.pve.taskLog(upid, 10, io.signal).catch(() => []);
  return new TaskError({ upid, title: taskType('migrate'), exitstatus: status ?? '', log });
}

/** Its turn may come long after it was planned. */
async function start(step: MigrateStep, io: StepIo): Promise<Upid> {
  const { node, vmid, pool, target, online, withLocalDisks, conntrack, container } = step;
  const { bandwidth, storageMap } = step;
  if (pool !== undefined) await io.ownership.assertOursNow({ vmid, pool });
  const where = {
    ...{ node, vmid, target },
    ...(bandwidth === undefined ? {} : { bandwidth }),
    ...(storageMap === undefined ? {} : { targetStorage: storageMap }),
  };
  if (container) return io.pve.migrateContainer({ ...where, restart: container.restart }, io.signal);
  return io.pve.migrateVm({ ...where, online, withLocalDisks, conntrack }, io.signal);
}

async function migrate(step: MigrateStep, io: StepIo): Promise<StepOutcome> {
  const deadline = io.clock.now() + step.timeoutSeconds * SECOND;
  const since = Math.floor(io.pve.serverTime().getTime() / SECOND);
  const running = await activeMigration(step, io);
  if (!running) {
    const where = await locate(step, io);
    if (where === step.target) return 'already-done';
    if (where !== step.node) {
      throw new StepError('VM_ELSEWHERE', `${nameOf(step)} was on ${step.node} and is on ${where} by now`, {
        hint: 'somebody else moved it; run balance again',
      });
    }
  }
  if (step.awaited) return followHa(step, io, { since, deadline });
  const upid = running?.upid ?? (await start(step, io));
  const ended = await follow(step, io, { upid, deadline });
  if (step.ha && ended === true) return followHa(step, io, { since: running?.starttime ?? since, deadline });
  return judge(step, io, ended);
}

/** Whatever migration is under way after a lost answer may be ours. */
async function lookAfter(step: MigrateStep, io: StepIo): Promise<'done' | 'absent'> {
  const deadline = io.clock.now() + step.timeoutSeconds * SECOND;
  const running = await activeMigration(step, io);
  const ended = running ? await follow(step, io, { upid: running.upid, deadline }) : true;
  if ((await locate(step, io)) !== step.target) return 'absent';
  return arrived(step, ended);
}

export const migrateVm: Handler<'vm.migrate'> = (step, io) =>
  attempt(io, {
    id: step.id,
    act: async () => {
      try {
        return await migrate(step, io);
      } catch (error) {
        if (isOfflineMoveOfRunning(error)) throw startedMeanwhile(step, error);
        // It left the node between the look and the request.
        if (!isNoSuchVm(error)) throw error;
        throw new AnswerLostError(`migration of ${nameOf(step)}`, `it is no longer on ${step.node}`, {
          cause: error,
        });
      }
    },
    look: () => lookAfter(step, io),
  });
