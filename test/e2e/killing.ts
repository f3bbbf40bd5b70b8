/** Kills the command line at its n-th write. */
import { inNextTurn, isAtFiles } from '../../src/lib/simulator/virtual-time.ts';
import { afterwards } from '../cleanups.ts';
import { Mortal } from '../mortal.ts';
import { runCli, startCluster, type Cluster, type ClusterOptions, type RunOutcome } from './harness.ts';

interface Killed {
  readonly cluster: Cluster;
  /** Undefined: it was killed. */
  readonly end: RunOutcome | undefined;
}

/** What the dead had begun to write to files is written: no later run may meet it half-way. */
async function settleFiles(): Promise<void> {
  for (let quiet = 0; quiet < 5; quiet = isAtFiles() ? 0 : quiet + 1)
    await new Promise<void>((resolve) => inNextTurn(resolve));
}

/** On a cluster of its own; killed once the n-th write has been processed, before it is answered. */
export async function runAndKill(
  n: number,
  argv: readonly string[],
  options: Omit<ClusterOptions, 'onMutation'> = {},
  /** What comes before, on the same cluster. */
  prepare: (cluster: Cluster) => Promise<unknown> = () => Promise.resolve(),
): Promise<Killed> {
  const mortal = new Mortal();
  const cluster = await startCluster({ ...options, onMutation: mortal.atWrite(n) });
  await prepare(cluster);
  const run = runCli(argv, cluster, { mortal });
  const end = await Promise.race([run, mortal.death]);
  if (end !== 'killed') return { cluster, end };
  await settleFiles();
  afterwards(async () => {
    mortal.bury();
    await run;
  });
  return { cluster, end: undefined };
}
