/** Kills the command line at its n-th write. */
import type { SimulatorOptions } from '../../src/lib/simulator/simulator.ts';
import { Mortal, runMortal, startCluster, type Cluster } from './harness.ts';

/** Killed once the n-th write (of those whose path matches) has been processed, before it is answered. */
export async function runAndKill(
  n: number,
  args: readonly string[],
  {
    only = /./,
    ...options
  }: Partial<Pick<SimulatorOptions, 'scenario' | 'state'>> & { readonly only?: RegExp } = {},
): Promise<{ simulator: Cluster; killed: boolean }> {
  const mortal = new Mortal();
  let seen = 0;
  const simulator = await startCluster({
    ...options,
    onMutation: (event) => {
      if (event.phase !== 'after' || !only.test(event.path)) return;
      seen += 1;
      if (seen === n) mortal.die();
    },
  });
  const outcome = await runMortal(args, simulator, mortal);
  return { simulator, killed: outcome === undefined };
}

/** Runs `work` for 1…count. */
export async function forEach(count: number, work: (n: number) => Promise<void>): Promise<void> {
  for (let n = 1; n <= count; n += 1) await work(n);
}
