/** The frame of a command that talks to a cluster: session, progress, signals; in every end it cleans up. */
import { setMaxListeners } from 'node:events';
import { createClock } from '../lib/clock.ts';
import { assertPrivateFile } from '../lib/credentials/private-file.ts';
import { CredentialsFile } from '../lib/credentials/credentials-file.ts';
import { createDebugLog } from '../lib/ui/debug-log.ts';
import { createUi } from '../lib/ui/create-ui.ts';
import type { RunContext } from '../lib/workflow/context.ts';
import type { DeployContext } from '../lib/workflow/deploy.ts';
import type { ProgramIo } from './io.ts';
import { createOutput, type Output } from './output.ts';
import type { GlobalFlags } from './options.ts';
import { isGone, ownerName } from './owner.ts';
import { openSession, type Session } from './session.ts';

type StopSignal = 'SIGINT' | 'SIGTERM';

export interface Changing {
  readonly output: Output;
  /** Start nothing new; fires on the first signal. */
  readonly soft: AbortSignal;
  /** Aborts requests; fires on the second signal. */
  readonly hard: AbortSignal;
  /** `connection`: for commands that act on several clusters. */
  connect(connection?: string): Promise<Session>;
  runContext(connection?: string): Promise<RunContext>;
  /** Opens the credentials file too; refuses one that is not ours. */
  withCredentials(file: string): Promise<DeployContext>;
  stoppedBy(): StopSignal | undefined;
  /** Ends the progress display, before the result is written. */
  finish(): void;
}

interface ChangingFlags extends GlobalFlags {
  readonly concurrency?: number;
}

export async function runChanging(
  io: ProgramIo,
  flags: ChangingFlags,
  work: (run: Changing) => Promise<void>,
): Promise<void> {
  const output = createOutput(io, flags);
  const soft = new AbortController();
  const hard = new AbortController();
  // Every request and wait listens while it lasts: many at once are no leak.
  setMaxListeners(0, soft.signal, hard.signal);
  const log = createDebugLog({
    level: flags.logLevel,
    ...(flags.logFile === undefined ? {} : { file: flags.logFile }),
  });
  const sessions = new Map<string, Promise<Session>>();
  let stopped: StopSignal | undefined;
  let phase = '';
  const ui = createUi({
    mode: flags.progress,
    stream: io.stderr,
    isTty: io.stderr.isTTY === true,
    quiet: flags.quiet === true,
    color: output.color,
    clock: createClock(),
  });
  const unsubscribe = io.onStop((signal) => {
    if (stopped !== undefined) {
      ui.warn('leaving at once; what PVE is doing goes on there');
      hard.abort();
      return;
    }
    stopped = signal;
    soft.abort();
    ui.warn('stopping: waiting for what runs already; once more to leave at once');
  });
  const connect = (connection = flags.connection): Promise<Session> => {
    const key = connection ?? '';
    const known = sessions.get(key);
    if (known) return known;
    const named = connection === undefined ? flags : { ...flags, connection };
    const session = openSession(io, named, { output, log, hard: hard.signal });
    sessions.set(key, session);
    return session;
  };
  const runContext = async (connection?: string): Promise<RunContext> => {
    const { pve, tasks, clock } = await connect(connection);
    return {
      pve,
      tasks,
      clock,
      owner: ownerName(),
      isGone,
      soft: soft.signal,
      hard: hard.signal,
      ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
      onPhase: (text) => {
        if (text !== phase) ui.phase(text);
        phase = text;
      },
      onPlan: (plan) => ui.start(plan),
      onEvent: (event) => {
        ui.event(event);
        log.debug({ event: event.type, step: event.step.id }, 'step');
      },
    };
  };
  const withCredentials = async (file: string): Promise<DeployContext> => {
    await assertPrivateFile(file);
    const { url } = await connect();
    return { ...(await runContext()), credentials: await CredentialsFile.open(file, { url }) };
  };
  try {
    await work({
      output: { ...output, warn: (text) => ui.warn(text) },
      soft: soft.signal,
      hard: hard.signal,
      connect,
      runContext,
      withCredentials,
      stoppedBy: () => stopped,
      finish: () => ui.done(),
    });
  } finally {
    unsubscribe();
    ui.done();
    const opened = await Promise.allSettled(sessions.values());
    for (const session of opened) if (session.status === 'fulfilled') await session.value.close();
  }
}
