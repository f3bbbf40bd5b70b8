/** One run of a command's story against the true simulator, with the true client, but without sockets and real time. */
import { sentWords } from '../sent-words.ts';
import { setMaxListeners } from 'node:events';
import type { CredentialsFile } from '../../src/lib/credentials/credentials-file.ts';
import { createPveClient } from '../../src/lib/proxmox/client.ts';
import { inProcess } from '../../src/lib/proxmox/transports/in-process.ts';
import type { Connect } from '../../src/lib/proxmox/transports/types.ts';
import { createTaskWaiter } from '../../src/lib/proxmox/tasks.ts';
import type { RequestFault } from '../../src/lib/simulator/faults.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { createSimulator, type BareSimulator } from '../../src/lib/simulator/simulator.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import type { DeployContext } from '../../src/lib/workflow/deploy.ts';
import { VirtualTime } from '../../src/lib/simulator/time/virtual-time.ts';
import { Mortal } from '../mortal.ts';

export interface Trouble {
  readonly faults?: readonly RequestFault[];
  /** The command dies when its n-th write has been carried out, before the answer. */
  readonly killAt?: number;
  readonly witness?: Witness;
  /** Hears, after each write, of the cluster as it is then. */
  readonly watch?: (state: ClusterState) => void;
}

/** A request of the command that changes something. */
export interface CommandWrite {
  /** From 1, in the order in which they are sent. */
  readonly n: number;
  readonly method: string;
  /** Below `/api2/json`, percent-encoded. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
}

export interface RunningCluster {
  readonly simulator: BareSimulator;
  readonly time: VirtualTime;
}

/** Sees what a command writes, and lets others act meanwhile. */
interface Witness {
  /** Nothing was asked yet. */
  begin?(cluster: RunningCluster): Promise<void>;
  /** It is on its way. */
  before?(write: CommandWrite, cluster: RunningCluster): Promise<void>;
  /** Its answer is there. `die`: the command does not hear it any more. */
  after?(write: CommandWrite, status: number, cluster: RunningCluster): Promise<'die' | undefined>;
}

export interface Ended<T> {
  readonly state: ClusterState;
  /** Absent: it was killed. */
  readonly value?: T;
  readonly error?: unknown;
  readonly killed: boolean;
  /** Requests that changed something, in order. */
  readonly writes: readonly string[];
}

/** Rows of passwords, kept in memory. */
function fakeCredentials(): CredentialsFile {
  const rows = new Map<string, { state: string; password: string }>();
  const give = (userid: string) => {
    const password = rows.get(userid)?.password ?? 'correct horse';
    rows.set(userid, { state: 'pending', password });
    return Promise.resolve(password);
  };
  const fake = {
    inOrderOf: () => undefined,
    pending: give,
    replacement: give,
    settle: (userid: string, state: string) => {
      rows.set(userid, { password: rows.get(userid)?.password ?? '', state });
      return Promise.resolve();
    },
    row: (userid: string) => rows.get(userid),
    known: () => undefined,
    isChanging: () => false,
  };
  return fake as unknown as CredentialsFile; // what the stories call of it
}

/** What a test sees of each write of the run, and does meanwhile. */
function witnessed(connect: Connect, cluster: RunningCluster, mortal: Mortal, witness: Witness): Connect {
  let count = 0;
  return (host, options) => {
    const transport = connect(host, options);
    return {
      ...transport,
      send: async (request, signal) => {
        const { method, path, params } = request;
        const isRead = method === 'GET' || path === '/access/ticket';
        const write = isRead ? undefined : { n: (count += 1), method, path, params: sentWords(params) };
        if (write) await witness.before?.(write, cluster);
        const answer = await transport.send(request, signal);
        if (write && (await witness.after?.(write, answer.status, cluster)) === 'die') mortal.die();
        return answer;
      },
    };
  };
}

/** Logs in as root@pam with a password, who alone may remove what a failed removal left; `token`: with its API token. */
export async function run<T>(
  scenario: Scenario,
  state: ClusterState | undefined,
  work: (context: DeployContext) => Promise<T>,
  { faults = [], killAt, witness, watch }: Trouble = {},
): Promise<Ended<T>> {
  const mortal = new Mortal();
  const { simulator, time } = createSimulator(
    {
      scenario,
      ...(state ? { state } : {}),
      onMutation: (event) => {
        void mortal.atWrite(killAt)(event);
        if (event.phase === 'after') watch?.(simulator.snapshot());
      },
    },
    (start) => new VirtualTime(start),
  );
  for (const fault of faults) simulator.addFault(fault);
  const { user, password } = simulator.credentials;
  const { clock } = time;
  const soft = new AbortController().signal;
  const hard = new AbortController().signal;
  setMaxListeners(0, soft, hard);
  const pve = createPveClient({
    connection: {
      name: 'sim',
      hosts: ['https://pve.simulated'],
      auth: { kind: 'password', user, password },
      tls: { verify: true },
      timeout: 60_000,
    },
    clock,
    connect: mortal.through(
      witnessed(inProcess(simulator.serve, time), { simulator, time }, mortal, witness ?? {}),
    ),
  });
  const context: DeployContext = {
    pve,
    tasks: createTaskWaiter(pve, clock, { signal: hard }),
    clock,
    credentials: fakeCredentials(),
    owner: 'test',
    // One run at a time: whoever signed before is dead.
    isGone: () => true,
    soft,
    hard,
    onTrouble: (error) => {
      throw error;
    },
    onPhase: () => undefined,
    onPlan: () => undefined,
    onEvent: () => undefined,
  };
  await witness?.begin?.({ simulator, time });
  const ended = work(context).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const outcome = await Promise.race([ended, mortal.death]);
  await simulator.idle();
  time.stop();
  const writes = simulator.requests.filter(
    ({ method, rawPath }) => method !== 'GET' && rawPath !== '/access/ticket',
  );
  return {
    state: simulator.snapshot(),
    killed: outcome === 'killed',
    ...(outcome === 'killed' ? {} : outcome),
    // Where the pool is a parameter (8.1+) it is told like a path, as before.
    writes: writes.map(({ method, rawPath, params }) =>
      method !== 'POST' && rawPath === '/pools'
        ? `${method} /pools/${String(params['poolid'])}`
        : `${method} ${rawPath}`,
    ),
  };
}
