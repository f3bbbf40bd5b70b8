/** The frame of a command that talks to a cluster: session, progress, signals; in every end it cleans up. */
import { setMaxListeners } from 'node:events';
import type { StandError } from '../lib/errors.ts';
import { assertPrivateFile } from '../lib/credentials/private-file.ts';
import { CredentialsFile } from '../lib/credentials/credentials-file.ts';
import type { RequestEvent } from '../lib/proxmox/types.ts';
import { createDebugLog } from '../lib/ui/debug-log.ts';
import { createUi } from '../lib/ui/create-ui.ts';
import type { Requirement } from '../lib/privileges/types.ts';
import { describeLacking } from '../lib/workflow/preflight.ts';
import type { StopSignal } from '../lib/exit.ts';
import { exitCodeAfterTrouble } from '../lib/outcome/exit-code.ts';
import type { RunContext } from '../lib/workflow/context.ts';
import { Readings } from '../lib/workflow/readings.ts';
import type { DeployContext } from '../lib/workflow/deploy.ts';
import { otherPlatform } from '../lib/config/connections/platform.ts';
import type { Connection } from '../lib/config/types.ts';
import { readRecipients, sealingOf } from './age-recipient.ts';
import type { ProgramIo } from './io.ts';
import { createOutput, type Output } from './output.ts';
import type { GlobalFlags } from './options.ts';
import { ownWords } from './own-words.ts';
import { openSession, type AnySession, type Session } from './session.ts';
import { toStandError } from './stand-error.ts';

export interface Changing {
  readonly output: Output;
  /** Start nothing new; fires on the first signal. */
  readonly soft: AbortSignal;
  /** Aborts requests; fires on the second signal. */
  readonly hard: AbortSignal;
  /** Nobody is there any more: what has no end of its own ends after its round. */
  readonly unattended: AbortSignal;
  /** The terminal is gone. */
  readonly hangup: AbortSignal;
  /** Takes down each request in the debug record. */
  readonly onRequest: (event: RequestEvent) => void;
  /** `connection`: for commands that act on several clusters. */
  connect(connection?: string): Promise<Session>;
  /** The same for commands that know other platforms, too. */
  connectAny(connection?: string | Connection): Promise<AnySession>;
  /** What does not depend on the platform. */
  baseContext(connection?: string | Connection): Promise<BaseContext>;
  runContext(connection?: string): Promise<RunContext>;
  /** Tells what the caller lacks for a plan that is only shown. */
  warnLacking(lacking: readonly Requirement[], connection?: string): Promise<void>;
  /** Opens the credentials file too; refuses one that is not ours. */
  withCredentials(file: string): Promise<DeployContext>;
  stoppedBy(): StopSignal | undefined;
  /** Ends the progress display, before the result is written. */
  finish(): void;
}

/** Who runs it, when it stops, and who listens. */
type BaseContext = Omit<RunContext, 'pve' | 'tasks' | 'credentials'>;

interface ChangingFlags extends GlobalFlags {
  readonly concurrency?: number;
  readonly encryptTo?: readonly string[];
}

/** The first signal stops softly, the second at once; a terminal that goes away stops nothing. */
function listen(
  io: ProgramIo,
  { soft, hard }: { readonly soft: AbortController; readonly hard: AbortController },
  warn: (text: string) => void,
) {
  const hangup = new AbortController();
  let stopped: StopSignal | undefined;
  const unsubscribe = io.onSignal((signal) => {
    if (signal === 'SIGHUP') {
      // A class that is half made helps nobody.
      if (!hangup.signal.aborted) warn('the terminal is gone; what was begun is brought to its end');
      hangup.abort();
      return;
    }
    if (stopped !== undefined) {
      warn('leaving at once; what PVE is doing goes on there');
      hard.abort();
      return;
    }
    stopped = signal;
    soft.abort();
    warn('stopping: waiting for what runs already; once more to leave at once');
  });
  return { hangup: hangup.signal, stoppedBy: () => stopped, unsubscribe };
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
  const sessions = new Map<string, Promise<AnySession>>();
  let failure: unknown;
  const troubles: StandError[] = [];
  let phase = '';
  const ui = createUi({
    mode: flags.progress,
    stream: io.stderr,
    isTty: io.stderr.isTTY === true,
    quiet: flags.quiet === true,
    color: output.color,
    clock: io.clock,
  });
  const { logFile } = flags;
  const log = createDebugLog({
    level: flags.logLevel,
    to: logFile === undefined ? io.stderr : { file: logFile, onTrouble: (text) => ui.warn(text) },
  });
  const trouble = (error: StandError): void => {
    const { message, issues, hint } = error;
    const words = [message, ...issues.map((issue) => issue.message)].join(': ');
    ui.warn(ownWords(hint === undefined ? words : `${words} (${hint})`, io.argv));
    troubles.push(error);
  };
  const signals = listen(io, { soft, hard }, (text) => ui.warn(text));
  const connectAny = (
    connection: string | Connection | undefined = flags.connection,
  ): Promise<AnySession> => {
    const given = typeof connection === 'object' ? connection : undefined;
    const name = typeof connection === 'object' ? undefined : connection;
    const key = given ? `env-file ${given.name}` : (name ?? '');
    const known = sessions.get(key);
    if (known) return known;
    const named = name === undefined ? flags : { ...flags, connection: name };
    const session = openSession(io, named, {
      connection: given,
      output,
      log,
      hard: hard.signal,
      onAuditFailure: ({ message }) => {
        ui.warn(`${message}; starting nothing new`);
        soft.abort();
      },
    });
    sessions.set(key, session);
    return session;
  };
  const connect = async (connection?: string): Promise<Session> => {
    const session = await connectAny(connection);
    if (session.platform === 'pve') return session;
    throw otherPlatform(session.name);
  };
  const baseContext = async (connection?: string | Connection): Promise<BaseContext> => {
    const { clock, caller, operators, audit } = await connectAny(connection);
    return {
      caller,
      operators,
      preflight: flags.preflight,
      clock,
      readings: new Readings(clock),
      owner: io.signature.name(),
      isGone: io.signature.isGone,
      soft: soft.signal,
      hard: hard.signal,
      ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
      onPhase: (text) => {
        if (text !== phase) ui.phase(text);
        phase = text;
      },
      onTrouble: trouble,
      onPlan: (plan) => {
        ui.start(plan);
        void audit?.plan(plan);
      },
      onEvent: (event) => {
        ui.event(event);
        audit?.hear(event);
        log.debug({ event: event.type, step: event.step.id }, 'step');
      },
    };
  };
  const runContext = async (connection?: string): Promise<RunContext> => {
    const { pve, tasks } = await connect(connection);
    return { ...(await baseContext(connection)), pve, tasks };
  };
  const withCredentials = async (file: string): Promise<DeployContext> => {
    await assertPrivateFile(file);
    const sealing = await sealingOf(io, flags, (text) => ui.warn(text));
    const { url } = await connect();
    const credentials = await CredentialsFile.open(file, { url, ...sealing });
    await credentials.seal();
    return { ...(await runContext()), credentials };
  };
  try {
    // Before anything is contacted.
    if (flags.encryptTo !== undefined) await readRecipients(flags.encryptTo, '--encrypt-to');
    await work({
      output: { ...output, warn: (text) => ui.warn(text) },
      soft: soft.signal,
      hard: hard.signal,
      hangup: signals.hangup,
      unattended: AbortSignal.any([signals.hangup, io.readerGone]),
      onRequest: (event) => log.debug(event, 'request'),
      connect,
      connectAny,
      baseContext,
      runContext,
      warnLacking: async (lacking, connection) => {
        const { caller } = await connect(connection);
        for (const { path, message } of describeLacking(lacking, caller))
          ui.warn(`${caller} on ${path} ${message}`);
      },
      withCredentials,
      stoppedBy: signals.stoppedBy,
      finish: () => ui.done(),
    });
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    ui.done();
    for (const session of await Promise.allSettled(sessions.values()))
      if (session.status === 'fulfilled') await close(session.value, failure).catch(trouble);
    if (troubles.length > 0) io.setExitCode(exitCodeAfterTrouble(io.exitCode()));
    signals.unsubscribe();
  }
}

/** Rejects with a StandError only. */
async function close(session: AnySession, failure: unknown): Promise<void> {
  try {
    await session.close(failure);
  } catch (error) {
    throw toStandError(error);
  }
}
