/** Runs the command line in this process against a simulator over real HTTP, and reads what is left on the cluster. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach } from 'vitest';
import { main } from '../../src/cli.ts';
import { createClock } from '../../src/lib/clock.ts';
import { loadScenario, type Scenario } from '../../src/lib/simulator/scenario.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/lib/simulator/simulator.ts';
import { assertOfficial } from '../contract/official.ts';

/** Simulated seconds per second: fast enough for tests, slow enough that a request is not a simulated minute. */
export const SPEED = 60;

const SCENARIO = new URL('../../examples/clusters/three-nodes.yml', import.meta.url);
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export function scenario(
  change: (raw: Record<string, unknown>) => void = () => undefined,
  version = '8.4',
): Scenario {
  return loadScenario(readFileSync(SCENARIO, 'utf8'), 'three-nodes.yml', { version, change } as never);
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
  const simulator = await startSimulator({ scenario: scenario(), speed: SPEED, ...options });
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

export function connectionEnv(simulator: Simulator): Record<string, string> {
  const { tokenId, secret } = simulator.credentials;
  return { PVE_HOST: simulator.url, PVE_TOKEN_ID: tokenId, PVE_TOKEN_SECRET: secret };
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
    env: { ...(simulator ? connectionEnv(simulator) : {}), ...env },
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
