/** Runs the command line in this process, on the time of a simulated cluster, and reads what is left on the cluster. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { main } from '../../src/cli.ts';
import type { ProcessSignal, ProgramIo } from '../../src/commands/io.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Listen } from '../../src/lib/serve/types.ts';
import { inProcess } from '../../src/lib/proxmox/transports/in-process.ts';
import { NotSent, type Connect } from '../../src/lib/proxmox/transports/types.ts';
import type { WireAnswer, WireRequest } from '../../src/lib/simulator/http/exchange.ts';
import { defaultScenario, type Scenario } from '../../src/lib/simulator/scenario.ts';
import {
  createSimulator,
  type BareSimulator,
  type SimulatorOptions,
} from '../../src/lib/simulator/simulator.ts';
import { VirtualTime } from '../../src/lib/simulator/time/virtual-time.ts';
import { afterwards } from '../cleanups.ts';
import { assertOfficial } from '../contract/official.ts';
import { isDead, Mortal } from '../mortal.ts';

/** A simulated cluster that commands of this process reach under an address of its own. */
export interface Cluster extends BareSimulator {
  readonly port: number;
  readonly time: VirtualTime;
}

const clusters = new Map<string, Cluster>();
let lastPort = 20_000;

/** The default cluster (three nodes, shared storage, templates 100, 101, 102, 200) at another version or changed. */
export function scenario(change: Partial<Scenario> = {}): Scenario {
  return { ...defaultScenario(), ...change };
}

/** In memory where there is such a place: every write of a credentials or audit file is flushed to the disk. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A folder that is gone after the test. */
export function workFolder(): string {
  const folder = mkdtempSync(join(SCRATCH, 'deploy-stand-'));
  afterwards(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function writeFiles(folder: string, files: Readonly<Record<string, string>>, mode = 0o644): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode });
}

export interface ClusterOptions extends Pick<SimulatorOptions, 'state' | 'onMutation'> {
  readonly scenario?: Scenario;
  /** Hears of every request before it is looked at. */
  readonly onRequest?: (request: WireRequest) => void;
  /** Hears of every exchange. */
  readonly onAnswer?: (request: WireRequest, answer: WireAnswer) => void;
}

/** `beside`: on the time of another one, for commands that reach both. */
export function startCluster(options: ClusterOptions = {}, beside?: Cluster): Promise<Cluster> {
  const { simulator, time } = createSimulator(
    { scenario: scenario(), ...options },
    (start) => beside?.time ?? new VirtualTime(start),
  );
  lastPort += 1;
  const serve: Cluster['serve'] = async (request) => {
    options.onRequest?.(request);
    const answer = await simulator.serve(request);
    options.onAnswer?.(request, answer);
    return answer;
  };
  const cluster = { ...simulator, serve, port: lastPort, time };
  const address = `127.0.0.1:${lastPort}`;
  clusters.set(address, cluster);
  afterwards(() => {
    clusters.delete(address);
    time.stop();
    assertOfficial(cluster);
  });
  return Promise.resolve(cluster);
}

/** Reaches the clusters above; at every other address nobody listens. */
const connect: Connect = (host, options) => {
  const cluster = clusters.get(host.label);
  if (cluster) return inProcess(cluster.serve, cluster.time)(host, options);
  const refuse = (): Promise<never> =>
    Promise.reject(new NotSent([{ kind: 'said', words: `connect ECONNREFUSED ${host.label}` }]));
  return { host, send: refuse, close: () => undefined };
};

class Recorder extends Writable {
  text = '';
  readonly #refuse: ((text: string) => string | undefined) | undefined;

  constructor(refuse?: (text: string) => string | undefined) {
    // Like a process's own streams: an error of one write is not the end of the stream.
    super({ autoDestroy: false });
    this.#refuse = refuse;
  }

  override _write(chunk: Buffer | string, _: unknown, done: () => void): void {
    const code = chunk.length === 0 ? undefined : this.#refuse?.(chunk.toString());
    if (code === undefined) this.text += chunk.toString();
    else process.nextTick(() => this.emit('error', Object.assign(new Error(`${code}: write`), { code })));
    done();
  }
}

export interface RunOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Called with a function that sends a signal to the command. */
  readonly onSignaller?: (send: (signal: ProcessSignal) => void) => void;
  readonly mortal?: Mortal;
  /** The code of the error that a write of this text fails with; undefined: it does not. */
  readonly refuse?: { readonly [K in 'stdout' | 'stderr']?: (text: string) => string | undefined };
  /** Instead of the cluster's; see served.ts. */
  readonly clock?: Clock;
  readonly connect?: Connect;
  /** For commands that serve. */
  readonly listen?: Listen;
}

export function connectionEnv(cluster: Pick<Cluster, 'port' | 'credentials'>): Record<string, string> {
  const { tokenId, secret } = cluster.credentials;
  return {
    PVE_HOST: `127.0.0.1:${cluster.port}`,
    PVE_TOKEN_ID: tokenId,
    PVE_TOKEN_SECRET: secret,
  };
}

/** A request of somebody else to the same cluster; answers the HTTP status. */
export async function post(
  cluster: Cluster,
  path: string,
  form: Readonly<Record<string, string>>,
  as: 'admin' | 'nobody' = 'admin',
  method: 'POST' | 'PUT' | 'DELETE' = 'POST',
): Promise<number> {
  const { tokenId, secret } = cluster.credentials;
  const body = new URLSearchParams(form).toString();
  const { status } = await cluster.serve({
    method,
    target: `/api2/json${path}`,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(Buffer.byteLength(body)),
      ...(as === 'admin' ? { authorization: `PVEAPIToken=${tokenId}=${secret}` } : {}),
    },
    body,
  });
  return status;
}

/** Can this student log in? */
export async function canLogin(cluster: Cluster, username: string, password: string): Promise<boolean> {
  return (await post(cluster, '/access/ticket', { username, password }, 'nobody')) === 200;
}

function ioOf(cluster: Cluster | undefined, { env = {}, mortal = new Mortal(), ...given }: RunOptions) {
  const { clock } = given.clock
    ? { clock: given.clock }
    : (cluster?.time ?? new VirtualTime(Date.UTC(2026, 0, 15, 9)));
  return {
    env: { ...(cluster ? connectionEnv(cluster) : {}), ...env },
    configDir: join(tmpdir(), 'no-such-folder'),
    clock: mortal.by(clock),
    connect: mortal.through(given.connect ?? connect),
    ...(given.listen ? { listen: given.listen } : {}),
    signature: { name: () => mortal.name, isGone: isDead },
  } satisfies Partial<ProgramIo>;
}

/** One command line, without `deploy-stand`. Without a cluster: one that needs none, or names its own. */
export async function runCli(
  argv: readonly string[],
  cluster: Cluster | undefined,
  options: RunOptions = {},
): Promise<RunOutcome> {
  const stdout = new Recorder(options.refuse?.stdout);
  const stderr = new Recorder(options.refuse?.stderr);
  const listeners = new Set<(signal: ProcessSignal) => void>();
  options.onSignaller?.((signal) => listeners.forEach((listener) => listener(signal)));
  const code = await main(argv, {
    stdout,
    stderr,
    ...ioOf(cluster, options),
    onSignal: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** Requests that changed something. */
export function writes(simulator: Pick<Cluster, 'requests'>, since = 0): string[] {
  return simulator.requests
    .slice(since)
    .filter((request) => request.method !== 'GET')
    .map((request) => `${request.method} ${request.rawPath}`);
}
