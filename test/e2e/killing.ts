/** Kills the built command line at its n-th write. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Simulator, SimulatorOptions } from '../../src/lib/simulator/simulator.ts';
import { connectionEnv, SPEED, startCluster } from './harness.ts';

const CHILD = fileURLToPath(new URL('fast-cli.mjs', import.meta.url));
const AT_ONCE = 4;

/** SIGKILL once the n-th write (of those whose path matches) has been processed, before it is answered. */
export async function runAndKill(
  n: number,
  args: readonly string[],
  { only = /./, ...options }: Partial<SimulatorOptions> & { readonly only?: RegExp } = {},
): Promise<{ simulator: Simulator; killed: boolean }> {
  let kill: () => Promise<void> = () => Promise.resolve();
  let seen = 0;
  const simulator = await startCluster({
    ...options,
    onMutation: async (event) => {
      if (event.phase !== 'after' || !only.test(event.path)) return;
      seen += 1;
      if (seen === n) await kill();
    },
  });
  const child = spawn(process.execPath, [CHILD, ...args], {
    env: { ...process.env, ...(await connectionEnv(simulator)), FAST_CLOCK: String(SPEED) },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  const [, signal] = (await exited) as [number | null, string | null];
  return { simulator, killed: signal === 'SIGKILL' };
}

/** Runs `work` for 1…count, a few at a time. */
export async function forEach(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 1;
  const lane = async (): Promise<void> => {
    while (next <= count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
