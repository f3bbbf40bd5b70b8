/** Connects a command to a cluster, or to the embedded simulator. */
import envPaths from 'env-paths';
import type { AuditLog } from '../lib/audit/audit-log.ts';
import type { Clock } from '../lib/clock.ts';
import {
  loadConnection,
  outerBridgesOf,
  type ConnectionOptions,
} from '../lib/config/connections/connection.ts';
import { loginOf, urlOf } from '../lib/config/connections/login.ts';
import type { OuterBridges } from '../lib/config/lab/written-lab.ts';
import type { Connection } from '../lib/config/types.ts';
import type { StandError } from '../lib/errors.ts';
import { createPveClient } from '../lib/proxmox/client.ts';
import { createTaskWaiter } from '../lib/proxmox/tasks.ts';
import type { Connect } from '../lib/proxmox/transports/types.ts';
import type { RunPve, TaskWaiter } from '../lib/proxmox/types.ts';
import type { createDebugLog } from '../lib/ui/debug-log.ts';
import { openAudit } from './audit.ts';
import type { ProgramIo } from './io.ts';
import { assertStateFile, readScenario } from './simulated-files.ts';
import type { GlobalFlags } from './options.ts';
import type { Output } from './output.ts';
import { toStandError } from './stand-error.ts';

export interface Session {
  readonly pve: RunPve;
  readonly tasks: TaskWaiter;
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

interface Target {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly connect?: Connect;
  readonly url: string;
  close(): Promise<void>;
}

/** The simulator is loaded only when asked for: it is large, and `--help` has to be quick. */
async function openSimulator(io: ProgramIo, flags: GlobalFlags): Promise<Target> {
  const { openSimulated } = await import('../lib/library/simulated.ts');
  const { defaultScenario, loadScenario } = await import('../lib/simulator/scenario.ts');
  const { readState, saveState } = await import('../lib/simulator/persistence.ts');
  const file = typeof flags.simulate === 'string' ? flags.simulate : undefined;
  const scenario = file === undefined ? defaultScenario() : loadScenario(readScenario(file), file);
  if (flags.simulateState !== undefined) await assertStateFile(flags.simulateState);
  const state = flags.simulateState === undefined ? undefined : readState(flags.simulateState);
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
    configDir: io.configDir ?? envPaths('deploy-stand', { suffix: '' }).config,
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

async function openConnection(io: ProgramIo, flags: GlobalFlags, output: Output): Promise<Target> {
  const { connection, warnings } = await loadConnection(connectionOptions(io, flags));
  for (const warning of warnings) output.warn(warning);
  if (!connection.tls.verify) {
    output.warn(
      `the certificate of ${connection.hosts[0] ?? connection.name} is not verified: anyone in between can read the password or token; set fingerprint (PVE_FINGERPRINT) or ca_file (PVE_CA_FILE) instead of verify_ssl: false`,
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

export async function openSession(
  io: ProgramIo,
  flags: GlobalFlags,
  tools: {
    readonly output: Output;
    readonly log: ReturnType<typeof createDebugLog>;
    readonly hard: AbortSignal;
    /** Nothing can be recorded any more, and so nothing written. */
    readonly onAuditFailure?: (error: StandError) => void;
  },
): Promise<Session> {
  const target =
    flags.simulate === undefined
      ? await openConnection(io, flags, tools.output)
      : await openSimulator(io, flags);
  const audit = await openAuditOf(target, io, { flags, ...tools });
  const pve = createPveClient({
    connection: target.connection,
    clock: target.clock,
    connect: target.connect,
    witness: audit,
    // What nobody is to read is not made: it is all parameters of all requests, looked through for secrets.
    ...(tools.log.isLevelEnabled('debug')
      ? { onRequest: (record) => tools.log.debug(record, 'request') }
      : {}),
  });
  return {
    pve,
    tasks: createTaskWaiter(pve, target.clock, { signal: tools.hard }),
    clock: target.clock,
    requests: () => pve.requests(),
    url: target.url,
    login: target.connection.auth.kind,
    caller: loginOf(target.connection),
    operators: target.connection.operators,
    ...(audit ? { audit } : {}),
    close: async (error) => {
      pve.close();
      const ending = error === undefined ? undefined : toStandError(error);
      await audit?.end(ending?.exitCode ?? io.exitCode(), ending);
      await target.close();
    },
  };
}
