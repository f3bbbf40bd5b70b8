/** Runs the command line in this process against a simulator over real HTTP, and reads what is left on the cluster. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { generate } from 'selfsigned';
import { main } from '../../src/cli.ts';
import { createClock } from '../../src/lib/clock.ts';
import { defaultScenario, type Scenario } from '../../src/lib/simulator/scenario.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/lib/simulator/simulator.ts';

import { assertOfficial } from '../contract/official.ts';

/** Simulated seconds per second: fast enough for tests, slow enough that a request is not a simulated minute. */
export const SPEED = 60;

const certificate = generate([{ name: 'commonName', value: 'localhost' }]);
const cleanups: (() => Promise<void> | void)[] = [];

/** After each test, see setup.ts: closes clusters, removes folders. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** The default cluster (three nodes, shared storage, templates 100, 101, 102, 200) at another version or changed. */
export function scenario(change: Partial<Scenario> = {}): Scenario {
  return { ...defaultScenario(), ...change };
}

/** A folder that is gone after the test. */
export function workFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-stand-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

export async function startCluster(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const { private: key, cert } = await certificate;
  const simulator = await startSimulator({
    scenario: scenario(),
    speed: SPEED,
    tls: { key, cert },
    ...options,
  });
  cleanups.push(async () => {
    assertOfficial(simulator);
    await simulator.close();
  });
  return simulator;
}

class Recorder extends Writable {
  text = '';

  override _write(chunk: Buffer | string, _: unknown, done: () => void): void {
    this.text += chunk.toString();
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
  readonly onSignaller?: (send: (signal: 'SIGINT' | 'SIGTERM') => void) => void;
}

export async function connectionEnv(simulator: Simulator): Promise<Record<string, string>> {
  const { tokenId, secret } = simulator.credentials;
  return {
    PVE_HOST: `127.0.0.1:${simulator.port}`,
    PVE_FINGERPRINT: new X509Certificate((await certificate).cert).fingerprint256,
    PVE_TOKEN_ID: tokenId,
    PVE_TOKEN_SECRET: secret,
  };
}

/** A request of somebody else to the same cluster; answers the HTTP status. */
export function post(
  simulator: Simulator,
  path: string,
  form: Readonly<Record<string, string>>,
  as: 'admin' | 'nobody' = 'admin',
  method: 'POST' | 'PUT' = 'POST',
): Promise<number> {
  const { tokenId, secret } = simulator.credentials;
  const authorization = as === 'admin' ? { authorization: `PVEAPIToken=${tokenId}=${secret}` } : {};
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `https://127.0.0.1:${simulator.port}/api2/json${path}`,
      {
        method,
        rejectUnauthorized: false,
        agent: false,
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...authorization },
      },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(new URLSearchParams(form).toString());
  });
}

/** Can this student log in? */
export async function canLogin(simulator: Simulator, username: string, password: string): Promise<boolean> {
  return (await post(simulator, '/access/ticket', { username, password }, 'nobody')) === 200;
}

/** One command line, without `deploy-stand`. */
export async function runCli(
  argv: readonly string[],
  simulator: Simulator | undefined,
  { env = {}, onSignaller }: RunOptions = {},
): Promise<RunOutcome> {
  const stdout = new Recorder();
  const stderr = new Recorder();
  const listeners = new Set<(signal: 'SIGINT' | 'SIGTERM') => void>();
  onSignaller?.((signal) => listeners.forEach((listener) => listener(signal)));
  const code = await main(argv, {
    stdout,
    stderr,
    env: { ...(simulator ? await connectionEnv(simulator) : {}), ...env },
    clock: createClock(simulator ? SPEED : 1),
    onStop: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** Requests that changed something. */
export function writes(simulator: Simulator, since = 0): string[] {
  return simulator.requests
    .slice(since)
    .filter((request) => request.method !== 'GET')
    .map((request) => `${request.method} ${request.rawPath}`);
}
