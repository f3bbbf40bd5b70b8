/** A simulated cluster behind real sockets and TLS, for what only these can prove; its time stands still while they are at work. */
import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { HttpsTransport } from '../../src/lib/proxmox/transports/https.ts';
import type { Connect } from '../../src/lib/proxmox/transports/types.ts';
import { Front } from '../../src/lib/simulator/http/front.ts';
import {
  createSimulator,
  type BareSimulator,
  type SimulatorOptions,
} from '../../src/lib/simulator/simulator.ts';
import { VirtualTime } from '../../src/lib/simulator/time/virtual-time.ts';
import { newCertificate } from '../certificate.ts';
import { afterwards } from '../cleanups.ts';
import { assertOfficial } from '../contract/official.ts';
import { BIN, NODE } from '../process/bin.ts';
import { connectionEnv, runCli, scenario, type RunOptions, type RunOutcome } from './harness.ts';

const certificate = newCertificate();
const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));

export interface Served extends BareSimulator {
  readonly port: number;
  readonly time: VirtualTime;
  readonly fingerprint: string;
  /** Reaches it over the network, and keeps its time from running meanwhile. */
  readonly connect: Connect;
  /** What a process of its own needs to reach it and to live in its time. */
  readonly env: Readonly<Record<string, string>>;
  readonly traffic: Traffic;
  /** Leaves the port. */
  close(): Promise<void>;
}

/** Requests on their way: begun by a client of this process, or not yet begun to be served. */
class Traffic {
  #asked = 0;
  #serving = 0;
  /** Bodies that are coming in. */
  #receiving = 0;
  /** Waits of other processes, for an answer or for a time. */
  #waiting = 0;
  /** Processes that live in this time. */
  #children = 0;

  get isBusy(): boolean {
    if (this.#asked > this.#serving || this.#receiving > 0) return true;
    return this.#children > 0 && this.#serving + this.#waiting === 0;
  }

  /** Time may sleep until somebody else's work ends. */
  #tell(): void {
    setImmediate(() => undefined);
  }

  live(child: ChildProcess): void {
    this.#children += 1;
    child.once('exit', () => {
      this.#children -= 1;
      this.#tell();
    });
  }

  ask<T>(work: () => Promise<T>): Promise<T> {
    this.#asked += 1;
    return work().finally(() => {
      this.#asked -= 1;
      this.#tell();
    });
  }

  serve<T>(work: () => Promise<T>): Promise<T> {
    this.#serving += 1;
    return work().finally(() => {
      this.#serving -= 1;
      this.#tell();
    });
  }

  receive<T>(work: () => Promise<T>): Promise<T> {
    this.#receiving += 1;
    return work().finally(() => {
      this.#receiving -= 1;
      this.#tell();
    });
  }

  wait<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    return work().finally(() => {
      this.#waiting -= 1;
      this.#tell();
    });
  }
}

/** Tells the time to other processes, and wakes them. */
async function serveTime(time: VirtualTime, traffic: Traffic): Promise<string> {
  const server = createServer((request, response) => {
    const ms = Number((request.url ?? '/0').slice(1));
    void traffic.wait(() => time.sleep(ms)).then(() => response.end(String(time.now())));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterwards(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type ServedOptions = Partial<Pick<SimulatorOptions, 'scenario' | 'state' | 'onMutation' | 'port' | 'tls'>>;

export async function startServed(options: ServedOptions = {}): Promise<Served> {
  const traffic = new Traffic();
  const { simulator, time } = createSimulator(
    { scenario: scenario(), ...options },
    (start) => new VirtualTime(start, { isBusy: () => traffic.isBusy }),
  );
  const { port: wanted = 0, tls = await certificate } = options;
  const front = new Front({
    host: '127.0.0.1',
    port: wanted,
    tls,
    serve: ({ body, ...head }) =>
      traffic.serve(() =>
        simulator.serve({
          ...head,
          body: typeof body === 'string' ? body : () => traffic.receive(body),
        }),
      ),
  });
  const port = await front.listen();
  const close = async (): Promise<void> => {
    time.stop();
    await front.close();
  };
  afterwards(async () => {
    assertOfficial(simulator);
    await close();
  });
  const { fingerprint256: fingerprint } = new X509Certificate(tls.cert);
  const connect: Connect = (host, given) => {
    const transport = new HttpsTransport(host, given);
    return {
      host,
      send: (...request) => traffic.ask(() => transport.send(...request)),
      close: () => transport.close(),
    };
  };
  const env = {
    ...connectionEnv({ ...simulator, port }),
    PVE_FINGERPRINT: fingerprint,
    TEST_TIME: await serveTime(time, traffic),
  };
  return { ...simulator, port, time, fingerprint, connect, env, traffic, close };
}

/** A command of this process that goes over the network. */
export function runServed(
  argv: readonly string[],
  served: Served,
  options: RunOptions = {},
): Promise<RunOutcome> {
  return runCli(argv, undefined, {
    ...options,
    clock: served.time.clock,
    connect: served.connect,
    env: { ...served.env, ...options.env },
  });
}

/** A command in a process of its own. */
export function spawnServed(
  argv: readonly string[],
  served: Served,
  env: Readonly<Record<string, string>> = {},
): ChildProcessByStdio<null, Readable, Readable> {
  const [node, ...flags] = NODE;
  const child = spawn(node, [...flags, CHILD, ...argv], {
    env: { ...process.env, TEST_BIN: BIN, ...served.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  served.traffic.live(child);
  // Read by nobody, it must not fill up.
  child.stdout.resume();
  child.stderr.resume();
  return child;
}
