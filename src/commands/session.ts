/** Connects a command to a cluster, or to the embedded simulator. */
import type { AuditLog } from '../lib/audit/audit-log.ts';
import type { Clock } from '../lib/clock.ts';
import {
  loadConnection,
  outerBridgesOf,
  type ConnectionOptions,
} from '../lib/config/connections/connection.ts';
import { PLATFORMS } from '../lib/config/connections/platform.ts';
import { loginOf, urlOf } from '../lib/config/connections/login.ts';
import type { OuterBridges } from '../lib/config/lab/written-lab.ts';
import type { Connection, SshSettings } from '../lib/config/types.ts';
import type { StandError } from '../lib/errors.ts';
import { createPveClient, type PveClient } from '../lib/proxmox/client.ts';
import type { LinkOptions } from '../lib/proxmox/link-options.ts';
import { createTaskWaiter } from '../lib/proxmox/tasks.ts';
import type { Connect } from '../lib/proxmox/transports/types.ts';
import type { RunPve, TaskWaiter } from '../lib/proxmox/types.ts';
import type { createDebugLog } from '../lib/ui/debug-log.ts';
import { createVmmanagerClient } from '../lib/vmmanager/client.ts';
import type { VmmanagerApi } from '../lib/vmmanager/types.ts';
import { openAudit } from './audit.ts';
import type { ProgramIo } from './io.ts';
import { assertNoState, assertSimulated, assertStateFile, readScenario } from './simulated-files.ts';
import type { GlobalFlags } from './options.ts';
import type { Output } from './output.ts';
import { toStandError } from './stand-error.ts';

interface Link {
  /** Of the connection. */
  readonly name: string;
  readonly clock: Clock;
  /** How many requests were sent so far. */
  readonly requests: () => number;
  /** Where students log in. */
  readonly url: string;
  /** PVE lets a token do less. */
  readonly login: 'token' | 'password';
  /** `user@realm`, or `user@realm!token`. */
  readonly caller: string;
  /** Other accounts whose marks count. */
  readonly operators: readonly string[];
  /** Absent unless an audit file was named. */
  readonly audit?: AuditLog;
  /** With the error that the command ends in, if any. */
  close(error?: unknown): Promise<void>;
}

/** To a cluster of Proxmox VE. */
export interface Session extends Link {
  readonly platform: 'pve';
  readonly pve: RunPve;
  readonly tasks: TaskWaiter;
}

/** To an installation of VMmanager 6. */
export interface VmmanagerSession extends Link {
  readonly platform: 'vmmanager6';
  readonly vmmanager: VmmanagerApi;
  /** Of the times that it writes down. */
  readonly timeZone: string;
  /** How its nodes are reached; absent: they are not. */
  readonly ssh?: SshSettings;
}

export type AnySession = Session | VmmanagerSession;

interface Target {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly connect?: Connect;
  readonly url: string;
  close(): Promise<void>;
}

/** Undefined: the scenario is one of Proxmox VE. */
async function openStandIn(
  io: ProgramIo,
  flags: GlobalFlags,
  { text, file }: { readonly text: string; readonly file: string },
): Promise<Target | undefined> {
  const { isVmmanagerScenario, loadVmmanagerScenario } =
    await import('../lib/vmmanager-stand-in/scenario.ts');
  if (!isVmmanagerScenario(text, file)) return undefined;
  assertNoState(flags);
  const { openSimulatedVmmanager } = await import('../lib/library/simulated-vmmanager.ts');
  const { stop, ...target } = openSimulatedVmmanager(loadVmmanagerScenario(text, file), io.clock);
  return {
    ...target,
    close: () => {
      stop();
      return Promise.resolve();
    },
  };
}

/** Between two commands of a person: what was being started has come up by then. */
const BETWEEN_COMMANDS_MS = 60_000;

/** The simulator is loaded only when asked for: it is large, and `--help` has to be quick. */
async function openSimulator(io: ProgramIo, flags: GlobalFlags): Promise<Target> {
  const { openSimulated } = await import('../lib/library/simulated.ts');
  const { defaultScenario, loadScenario } = await import('../lib/simulator/scenario.ts');
  const { readState, saveState } = await import('../lib/simulator/persistence.ts');
  const file = typeof flags.simulate === 'string' ? flags.simulate : undefined;
  const text = file === undefined ? undefined : readScenario(file);
  if (file !== undefined && text !== undefined) {
    const other = await openStandIn(io, flags, { text, file });
    if (other) return other;
  }
  const scenario = file === undefined ? defaultScenario() : loadScenario(text ?? '', file);
  if (flags.simulateState !== undefined) await assertStateFile(flags.simulateState);
  const kept = flags.simulateState === undefined ? undefined : readState(flags.simulateState);
  const state = kept && { ...kept, now: kept.now + BETWEEN_COMMANDS_MS };
  const { simulator, stop, ...target } = openSimulated({ scenario, ...(state ? { state } : {}) }, io.clock);
  return {
    ...target,
    close: async () => {
      stop();
      if (flags.simulateState !== undefined) await saveState(simulator, flags.simulateState);
    },
  };
}

/** Where the flags say that the connection is, and what opens its secret. */
export function connectionOptions(io: ProgramIo, flags: GlobalFlags): ConnectionOptions {
  return {
    env: io.env,
    configDir: io.configDir,
    ...(flags.connections === undefined ? {} : { file: flags.connections }),
    ...(flags.connection === undefined ? {} : { name: flags.connection }),
    ...(flags.passphraseFile === undefined ? {} : { passphraseFile: flags.passphraseFile }),
    ...(flags.identity === undefined ? {} : { identityFiles: flags.identity }),
  };
}

/** The numbers of bridges that the connection leaves to labs; the simulator sets no bound. */
export function outerBridges(io: ProgramIo, flags: GlobalFlags): OuterBridges | undefined {
  return flags.simulate === undefined ? outerBridgesOf(connectionOptions(io, flags)) : undefined;
}

async function openConnection(
  io: ProgramIo,
  flags: GlobalFlags,
  { output, given }: { readonly output: Output; readonly given: Connection | undefined },
): Promise<Target> {
  assertSimulated(flags);
  const { connection, warnings } = given
    ? { connection: given, warnings: [] }
    : await loadConnection(connectionOptions(io, flags));
  for (const warning of warnings) output.warn(warning);
  const { tls, platform } = connection;
  if (!tls.verify && tls.fingerprint === undefined) {
    output.warn(
      `the certificate of ${connection.hosts[0] ?? connection.name} is not verified: anyone in between can read the password or token; set ${PLATFORMS[platform].trustKeys} instead of verify_ssl: false`,
    );
  }
  return {
    connection,
    clock: io.clock,
    ...(io.connect ? { connect: io.connect } : {}),
    url: urlOf(connection),
    close: () => Promise.resolve(),
  };
}

async function openAuditOf(
  target: Target,
  io: ProgramIo,
  tools: {
    readonly flags: GlobalFlags;
    readonly output: Output;
    readonly onAuditFailure?: (error: StandError) => void;
  },
): Promise<AuditLog | undefined> {
  const { auditFile } = tools.flags;
  if (auditFile === undefined) return undefined;
  const onFailure = tools.onAuditFailure ?? ((error: StandError) => tools.output.warn(error.message));
  try {
    return await openAudit(auditFile, io, { connection: target.connection, onFailure });
  } catch (error) {
    await target.close();
    throw error;
  }
}

type Client =
  | { readonly api: PveClient; readonly session: Pick<Session, 'platform' | 'pve' | 'tasks'> }
  | {
      readonly api: VmmanagerApi;
      readonly session: Pick<VmmanagerSession, 'platform' | 'vmmanager' | 'timeZone' | 'ssh'>;
    };

function clientOf(
  { platform, timeZone = 'UTC', ssh }: Connection,
  options: LinkOptions,
  hard: AbortSignal,
): Client {
  switch (platform) {
    case 'pve': {
      const api = createPveClient(options);
      const tasks = createTaskWaiter(api, options.clock, { signal: hard });
      return { api, session: { platform, pve: api, tasks } };
    }
    case 'vmmanager6': {
      const api = createVmmanagerClient(options);
      return { api, session: { platform, vmmanager: api, timeZone, ...(ssh ? { ssh } : {}) } };
    }
  }
}

export async function openSession(
  io: ProgramIo,
  flags: GlobalFlags,
  tools: {
    readonly output: Output;
    readonly log: ReturnType<typeof createDebugLog>;
    readonly hard: AbortSignal;
    /** Nothing can be recorded any more, and so nothing written. */
    readonly onAuditFailure?: (error: StandError) => void;
    /** Instead of the one that the flags name. */
    readonly connection?: Connection | undefined;
  },
): Promise<AnySession> {
  const target =
    flags.simulate === undefined
      ? await openConnection(io, flags, { output: tools.output, given: tools.connection })
      : await openSimulator(io, flags);
  const audit = await openAuditOf(target, io, { flags, ...tools });
  const options: LinkOptions = {
    connection: target.connection,
    clock: target.clock,
    connect: target.connect,
    witness: audit,
    // What nobody is to read is not made: it is all parameters of all requests, looked through for secrets.
    ...(tools.log.isLevelEnabled('debug')
      ? { onRequest: (record) => tools.log.debug(record, 'request') }
      : {}),
  };
  const client = clientOf(target.connection, options, tools.hard);
  const { api } = client;
  return {
    ...client.session,
    name: target.connection.name,
    clock: target.clock,
    requests: () => api.requests(),
    url: target.url,
    login: target.connection.auth.kind,
    caller: loginOf(target.connection),
    operators: target.connection.operators,
    ...(audit ? { audit } : {}),
    close: async (error) => {
      api.close();
      const ending = error === undefined ? undefined : toStandError(error);
      await audit?.end(ending?.exitCode ?? io.exitCode(), ending);
      await target.close();
    },
  };
}
