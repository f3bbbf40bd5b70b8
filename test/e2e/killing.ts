/** Kills the command line at its n-th write, or at each of its writes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WireRequest } from '../../src/lib/simulator/http/exchange.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { inNextTurn, isAtFiles } from '../../src/lib/simulator/time/virtual-time.ts';
import { afterwards } from '../cleanups.ts';
import { Mortal } from '../mortal.ts';
import {
  runCli,
  startCluster,
  type Cluster,
  type ClusterOptions,
  type RunOptions,
  type RunOutcome,
} from './harness.ts';

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

/** What a run that was killed right after a write leaves behind. */
export interface Wreck {
  /** What the cluster had done by then, as `POST /pools`; the write itself comes last. */
  readonly writes: readonly string[];
  /** Of its folder. */
  readonly files: Readonly<Record<string, string>>;
  readonly state: ClusterState;
  /** Asked for and not answered yet: the cluster goes on with it, whoever waits. */
  readonly underWay: readonly WireRequest[];
}

interface Watched {
  readonly cluster: Cluster;
  readonly run: RunOutcome;
  readonly wrecks: readonly Wreck[];
}

function filesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [entry.name] : [],
  );
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/**
 * One undisturbed run, and what would be left had it been killed after each of its writes. To kill as many runs leaves
 * the same, and runs as many beginnings.
 */
export async function watchWrites(
  argv: readonly string[],
  folder: string,
  options: Omit<ClusterOptions, 'onMutation' | 'onRequest'> = {},
  runOptions: (cluster: Cluster) => Pick<RunOptions, 'env'> = () => ({}),
): Promise<Watched> {
  const mortal = new Mortal();
  const wrecks: Wreck[] = [];
  const done: string[] = [];
  const underWay = new Map<number, WireRequest>();
  let latest: WireRequest | undefined;
  const cluster: Cluster = await startCluster({
    ...options,
    onRequest: (request) => (latest = request),
    onMutation: ({ n, phase, method, path }) => {
      if (phase === 'before') {
        underWay.set(n, latest!);
        return;
      }
      underWay.delete(n);
      done.push(`${method} ${path}`);
      wrecks.push({
        writes: [...done],
        files: filesIn(folder),
        state: cluster.snapshot(),
        underWay: [...underWay.values()],
      });
    },
  });
  const run = await runCli(argv, cluster, { ...runOptions(cluster), mortal });
  mortal.die();
  return { cluster, run, wrecks };
}

/** The cluster that the killed run left. */
export async function startFrom(wreck: Wreck, options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await startCluster({ ...options, state: wreck.state });
  for (const request of wreck.underWay) void cluster.serve(request);
  return cluster;
}
