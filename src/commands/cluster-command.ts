/** The frame of a command that talks to a cluster: progress, signals, contexts; in every end it cleans up. */
import type { Logger } from 'pino';
import { setMaxListeners } from 'node:events';
import type { StandError } from '../lib/errors.ts';
import { assertPrivateFile } from '../lib/credentials/private-file.ts';
import { credentialsFilesBeside } from '../lib/credentials/beside.ts';
import { CredentialsFile } from '../lib/credentials/credentials-file.ts';
import type { RequestEvent } from '../lib/proxmox/types.ts';
import { createDebugLog } from '../lib/ui/debug-log.ts';
import type { Ui } from '../lib/ui/types.ts';
import { createUi } from '../lib/ui/create-ui.ts';
import type { Requirement } from '../lib/privileges/types.ts';
import { describeLacking } from '../lib/workflow/preflight.ts';
import { describeStep, namesOf } from '../lib/render/step-text.ts';
import type { StopSignal } from '../lib/exit.ts';
import { exitCodeAfterTrouble } from '../lib/outcome/exit-code.ts';
import type { RunContext } from '../lib/workflow/context.ts';
import { Readings } from '../lib/workflow/readings.ts';
import type { DeployContext } from '../lib/workflow/deploy.ts';
import type { Connection } from '../lib/config/types.ts';
import { readRecipients, sealingOf } from './age-recipient.ts';
import type { ProgramIo } from './io.ts';
import { createOutput, type Output } from './output.ts';
import type { GlobalFlags } from './options.ts';
import { ownWords } from './own-words.ts';
import type { AnySession, Session } from './session.ts';
import { Sessions } from './sessions.ts';

export interface Changing extends Contexts {
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
  stoppedBy(): StopSignal | undefined;
  /** Ends the progress display, before the result is written. */
  finish(): void;
}

/** What a workflow is given to work with. */
interface Contexts {
  /** What does not depend on the platform. */
  baseContext(connection?: string | Connection): Promise<BaseContext>;
  runContext(connection?: string): Promise<RunContext>;
  /** Tells what the caller lacks for a plan that is only shown. */
  warnLacking(lacking: readonly Requirement[], connection?: string): Promise<void>;
  /** Opens the credentials file too; refuses one that is not ours. */
  withCredentials(file: string): Promise<DeployContext>;
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
  isAtWork: () => boolean,
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
    const waits = isAtWork() ? ': waiting for what runs already' : '';
    warn(`stopping${waits}; once more to leave at once`);
  });
  return { hangup: hangup.signal, stoppedBy: () => stopped, unsubscribe };
}

/** What goes wrong beside the work is told at once, and remembered for the exit code. */
function createTroubles(io: ProgramIo, warn: (text: string) => void) {
  let isAny = false;
  const tell = ({ message, issues, hint }: StandError): void => {
    const words = [message, ...issues.map((issue) => issue.message)].join(': ');
    warn(ownWords(hint === undefined ? words : `${words} (${hint})`, io.argv));
    isAny = true;
  };
  return {
    tell,
    /** It is told already. */
    note: () => {
      isAny = true;
    },
    isAny: () => isAny,
  };
}

/** What the contexts of one command share. */
interface Frame {
  readonly io: ProgramIo;
  readonly flags: ChangingFlags;
  readonly ui: Ui;
  readonly log: Logger;
  readonly sessions: Sessions;
  /** Ids of the steps that are being carried out. */
  readonly running: Set<string>;
  readonly soft: AbortController;
  readonly hard: AbortController;
  readonly onTrouble: (error: StandError) => void;
}

/** What is none of ours, or cannot be read without a key, is passed over. */
async function openBeside(file: string, url: string): Promise<CredentialsFile[]> {
  const opened = credentialsFilesBeside(file).map(async (other) => {
    try {
      await assertPrivateFile(other);
      return [await CredentialsFile.open(other, { url })];
    } catch {
      return [];
    }
  });
  return (await Promise.all(opened)).flat();
}

function createContexts(frame: Frame): Contexts {
  const { io, flags, ui, sessions } = frame;
  const listeners = createListeners(frame);
  const baseContext = async (connection?: string | Connection): Promise<BaseContext> => {
    const { clock, caller, operators, audit } = await sessions.connectAny(connection);
    return {
      caller,
      operators,
      preflight: flags.preflight,
      clock,
      readings: new Readings(clock),
      owner: io.signature.name(),
      isGone: io.signature.isGone,
      soft: frame.soft.signal,
      hard: frame.hard.signal,
      ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
      ...listeners(audit),
    };
  };
  const runContext = async (connection?: string): Promise<RunContext> => {
    const { pve, tasks, url } = await sessions.connect(connection);
    const credentialsBeside = () => openBeside('.', url);
    return { ...(await baseContext(connection)), pve, tasks, credentialsBeside };
  };
  const withCredentials = async (file: string): Promise<DeployContext> => {
    await assertPrivateFile(file);
    const sealing = await sealingOf(io, flags, (text) => ui.warn(text));
    const { url } = await sessions.connect();
    const credentials = await CredentialsFile.open(file, { url, ...sealing });
    await credentials.seal();
    return { ...(await runContext()), credentials, credentialsBeside: () => openBeside(file, url) };
  };
  const warnLacking = async (lacking: readonly Requirement[], connection?: string): Promise<void> => {
    const { caller } = await sessions.connect(connection);
    for (const { path, message } of describeLacking(lacking, caller))
      ui.warn(`${caller} on ${path} ${message}`);
  };
  return { baseContext, runContext, withCredentials, warnLacking };
}

/** Who hears of a run: the display, the audit log of its session, the debug record. */
function createListeners({ ui, log, running, onTrouble }: Frame) {
  let phase = '';
  return (audit: AnySession['audit']): Pick<BaseContext, 'onPhase' | 'onTrouble' | 'onPlan' | 'onEvent'> => ({
    onPhase: (text, share) => {
      if (text !== phase) ui.phase(text, share);
      phase = text;
    },
    onTrouble,
    onPlan: (plan) => {
      ui.start(plan);
      void audit?.plan(plan);
    },
    onEvent: (event) => {
      if (event.type === 'step.started') running.add(event.step.id);
      else if (event.type !== 'step.retrying') running.delete(event.step.id);
      ui.event(event);
      audit?.hear(event);
      const isOnTheWay = event.type === 'step.started' || event.type === 'step.retrying';
      const { text } = describeStep(event.step, namesOf(undefined));
      log[isOnTheWay ? 'debug' : 'info']({ event: event.type, step: event.step.id, text }, 'step');
    },
  });
}

function createDisplay(io: ProgramIo, flags: ChangingFlags, output: Output): { ui: Ui; log: Logger } {
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
  return { ui, log };
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
  const { ui, log } = createDisplay(io, flags, output);
  const warn = (text: string): void => ui.warn(text);
  const troubles = createTroubles(io, warn);
  // Of the steps that are being carried out.
  const running = new Set<string>();
  const signals = listen(io, { soft, hard }, warn, () => running.size > 0);
  const onAuditFailure = ({ message }: StandError): void => {
    warn(`${message}; starting nothing new`);
    // Where all writes had begun there is nothing to stop: how they ended is not recorded all the same.
    troubles.note();
    soft.abort();
  };
  const sessions = new Sessions(io, flags, { output, log, hard: hard.signal, onAuditFailure });
  let failure: unknown;
  try {
    // Before anything is contacted.
    if (flags.encryptTo !== undefined) await readRecipients(flags.encryptTo, '--encrypt-to');
    await work({
      output: { ...output, warn },
      soft: soft.signal,
      hard: hard.signal,
      hangup: signals.hangup,
      unattended: AbortSignal.any([signals.hangup, io.readerGone]),
      onRequest: (event) => log.debug(event, 'request'),
      connect: (connection) => sessions.connect(connection),
      connectAny: (connection) => sessions.connectAny(connection),
      ...createContexts({ io, flags, ui, log, sessions, running, soft, hard, onTrouble: troubles.tell }),
      stoppedBy: signals.stoppedBy,
      finish: () => ui.done(),
    });
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    ui.done();
    await sessions.close(failure, troubles.tell);
    if (troubles.isAny()) io.setExitCode(exitCodeAfterTrouble(io.exitCode()));
    signals.unsubscribe();
  }
}
