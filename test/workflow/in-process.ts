/** One run of a command's story against the true simulator, with the true client, but without sockets and real time. */
import { setMaxListeners } from 'node:events';
import type { CredentialsFile } from '../../src/lib/credentials/credentials-file.ts';
import { createPveClient } from '../../src/lib/proxmox/client.ts';
import { encodeForm } from '../../src/lib/proxmox/form.ts';
import type { Transport } from '../../src/lib/proxmox/http.ts';
import { NoAnswer } from '../../src/lib/proxmox/peer.ts';
import { createTaskWaiter } from '../../src/lib/proxmox/tasks.ts';
import type { RequestFault } from '../../src/lib/simulator/faults.ts';
import { decodeForm } from '../../src/lib/simulator/http/form.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { createSimulator, type BareSimulator } from '../../src/lib/simulator/simulator.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import type { DeployContext } from '../../src/lib/workflow/deploy.ts';
import { VirtualTime } from './virtual-time.ts';

export interface Trouble {
  readonly faults?: readonly RequestFault[];
  /** The command dies when its n-th write has been carried out, before the answer. */
  readonly killAt?: number;
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

function transportTo(
  simulator: BareSimulator,
  isDead: () => boolean,
): NonNullable<Parameters<typeof createPveClient>[0]['connect']> {
  return (host): Transport => ({
    host,
    close: () => undefined,
    send: async ({ method, path, params, headers }, signal) => {
      signal?.throwIfAborted();
      if (isDead()) return never();
      const answered = simulator.handle(
        {
          method,
          path: decodeURIComponent(path),
          raw: decodeForm(encodeForm(params)),
          authorization: headers['Authorization'],
          cookie: headers['Cookie'],
          csrf: headers['CSRFPreventionToken'],
        },
        path,
      );
      const answer = await unlessAborted(answered, signal);
      if (isDead()) return never();
      if (answer.drop) throw new NoAnswer('socket hang up');
      const date = new Date(simulator.now()).toUTCString();
      const body = answer.body === undefined ? '' : JSON.stringify(answer.body);
      return { status: answer.status, reason: answer.reason, body, date };
    },
  });
}

/** A dead client neither asks nor hears an answer. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** The answer, unless the signal comes first. */
async function unlessAborted<T>(answered: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return answered;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    answered.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Logs in as root@pam with a password, who alone may remove what a failed removal left; `token`: with its API token. */
export async function run<T>(
  scenario: Scenario,
  state: ClusterState | undefined,
  work: (context: DeployContext) => Promise<T>,
  { faults = [], killAt }: Trouble = {},
): Promise<Ended<T>> {
  let time: VirtualTime | undefined;
  let die: () => void = () => undefined;
  let isDead = false;
  const death = new Promise<'killed'>((resolve) => {
    die = () => {
      isDead = true;
      resolve('killed');
    };
  });
  const simulator = createSimulator(
    {
      scenario,
      ...(state ? { state } : {}),
      onMutation: ({ n, phase }) => {
        if (n === killAt && phase === 'after') die();
      },
    },
    (start) => (time = new VirtualTime(start)),
  );
  if (!time) throw new Error('the simulator has no clock');
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
    connect: transportTo(simulator, () => isDead),
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
    onPhase: () => undefined,
    onPlan: () => undefined,
    onEvent: () => undefined,
  };
  const ended = work(context).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const outcome = await time.drive(Promise.race([ended, death]));
  await time.drive(simulator.idle());
  const writes = simulator.requests.filter(
    ({ method, rawPath }) => method !== 'GET' && rawPath !== '/access/ticket',
  );
  return {
    state: simulator.snapshot(),
    killed: outcome === 'killed',
    ...(outcome === 'killed' ? {} : outcome),
    writes: writes.map(({ method, rawPath }) => `${method} ${rawPath}`),
  };
}
