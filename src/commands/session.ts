/** Connects a command to a cluster, or to the embedded simulator. */
import { createClock, type Clock } from '../lib/clock.ts';
import { loadConnection } from '../lib/config/connection.ts';
import type { Connection } from '../lib/config/types.ts';
import { createPveClient } from '../lib/proxmox/client.ts';
import { createTaskWaiter } from '../lib/proxmox/tasks.ts';
import type { PveApi, TaskWaiter } from '../lib/proxmox/types.ts';
import type { createDebugLog } from '../lib/ui/debug-log.ts';
import type { ProgramIo } from './io.ts';
import { assertStateFile, readScenario } from './simulated-files.ts';
import type { GlobalFlags } from './options.ts';
import type { Output } from './output.ts';

export interface Session {
  readonly pve: PveApi;
  readonly tasks: TaskWaiter;
  readonly clock: Clock;
  /** Where students log in. */
  readonly url: string;
  /** PVE lets a token do less. */
  readonly login: 'token' | 'password';
  /** `user@realm`, or `user@realm!token`. */
  readonly caller: string;
  close(): Promise<void>;
}

interface Target {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly url: string;
  close(): Promise<void>;
}

/** The embedded cluster ends with the command, so its real address would mislead. */
const SIMULATED_URL = 'https://pve.simulated:8006';

/** The simulator is loaded only when asked for: it is large, and `--help` has to be quick. */
async function openSimulator(flags: GlobalFlags): Promise<Target> {
  const { startSimulator } = await import('../lib/simulator/simulator.ts');
  const { defaultScenario, loadScenario } = await import('../lib/simulator/scenario.ts');
  const { readState, saveState } = await import('../lib/simulator/persistence.ts');
  const file = typeof flags.simulate === 'string' ? flags.simulate : undefined;
  const scenario = file === undefined ? defaultScenario() : loadScenario(readScenario(file), file);
  if (flags.simulateState !== undefined) assertStateFile(flags.simulateState);
  const state = flags.simulateState === undefined ? undefined : await readState(flags.simulateState);
  const simulator = await startSimulator({ scenario, ...(state ? { state } : {}) });
  return {
    connection: {
      name: 'simulator',
      hosts: [simulator.url],
      auth: { kind: 'token', tokenId: simulator.credentials.tokenId, secret: simulator.credentials.secret },
      tls: { verify: true },
      timeout: 30_000,
    },
    clock: createClock(simulator.speed),
    url: SIMULATED_URL,
    close: async () => {
      try {
        if (flags.simulateState !== undefined) await saveState(simulator, flags.simulateState);
      } finally {
        await simulator.close();
      }
    },
  };
}

function openConnection(io: ProgramIo, flags: GlobalFlags, output: Output): Target {
  const { connection, warnings } = loadConnection({
    env: io.env,
    ...(flags.connections === undefined ? {} : { file: flags.connections }),
    ...(flags.connection === undefined ? {} : { name: flags.connection }),
  });
  for (const warning of warnings) output.warn(warning);
  if (!connection.tls.verify) {
    output.warn(
      `the certificate of ${connection.hosts[0] ?? connection.name} is not verified: anyone in between can read the password or token; set ca_file or fingerprint instead of verify_ssl: false`,
    );
  }
  const host = connection.hosts[0] ?? '';
  return {
    connection,
    clock: io.clock,
    url: `https://${host.includes(':') ? host : `${host}:8006`}`,
    close: () => Promise.resolve(),
  };
}

function callerOf({ auth }: Connection): string {
  return auth.kind === 'token' ? auth.tokenId : auth.user;
}

export async function openSession(
  io: ProgramIo,
  flags: GlobalFlags,
  tools: {
    readonly output: Output;
    readonly log: ReturnType<typeof createDebugLog>;
    readonly hard: AbortSignal;
  },
): Promise<Session> {
  const target =
    flags.simulate === undefined ? openConnection(io, flags, tools.output) : await openSimulator(flags);
  const pve = createPveClient({
    connection: target.connection,
    clock: target.clock,
    onRequest: (record) => tools.log.debug(record, 'request'),
  });
  return {
    pve,
    tasks: createTaskWaiter(pve, target.clock, { signal: tools.hard }),
    clock: target.clock,
    url: target.url,
    login: target.connection.auth.kind,
    caller: callerOf(target.connection),
    close: async () => {
      pve.close();
      await target.close();
    },
  };
}
