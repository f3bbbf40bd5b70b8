/** Writes the figures of a round in Prometheus' text format, for node-exporter's textfile collector. Judges nothing. */
import type { BalanceSummary } from '../outcome/types.ts';
import { beginsLike } from '../files/open.ts';
import { replaceFile } from '../files/replace.ts';
import type { BalanceReport } from '../plan/document/balance-report.ts';

/** One cluster's round. */
export interface BalanceFigures {
  readonly connection: string;
  /** 0: the round ended well. */
  readonly exitCode: number;
  /** Seconds since the epoch, and how long it took. */
  readonly ended: number;
  readonly seconds: number;
  /** Absent: the round failed before there was a plan. */
  readonly result?: { readonly report: BalanceReport; readonly summary: BalanceSummary };
}

const READABLE = 0o644;

/** prom-client is loaded here alone: who writes no metrics need not wait for it. */
export async function formatMetrics(all: readonly BalanceFigures[]): Promise<string> {
  const { Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const gauge = (name: string, help: string, ...labels: string[]) =>
    new Gauge({
      name: `deploy_stand_balance_${name}`,
      help,
      labelNames: ['connection', ...labels],
      registers: [registry],
    });
  const success = gauge('success', 'Whether the last round ended well (exit code 0).');
  const exit = gauge('exit_code', 'Exit code of the last round.');
  const ended = gauge('last_run_timestamp_seconds', 'When the last round ended.');
  const duration = gauge('duration_seconds', 'How long the last round took.');
  const imbalance = gauge('imbalance', 'Coefficient of variation of node load.', 'phase');
  const overloaded = gauge('overloaded_nodes', 'Nodes above their limits before the last round.');
  const moves = gauge('moves', 'Guests of the last round by what became of them.', 'result');
  const bytes = gauge('moved_bytes', 'Memory and local disks moved by the last round.');
  const rejected = gauge(
    'rejected',
    'Guests or stands of the last round that were considered and not moved.',
  );
  for (const { connection, exitCode, result, ...times } of all) {
    const at = { connection };
    success.set(at, exitCode === 0 ? 1 : 0);
    exit.set(at, exitCode);
    ended.set(at, times.ended);
    duration.set(at, times.seconds);
    if (!result) continue;
    const { report, summary } = result;
    imbalance.set({ ...at, phase: 'before' }, report.imbalance.before);
    imbalance.set({ ...at, phase: 'after' }, report.imbalance.after);
    overloaded.set(at, report.nodes.filter((node) => node.overloaded.length > 0).length);
    const guests = summary.moves.flatMap((move) => move.guests);
    for (const status of ['moved', 'failed', 'skipped']) {
      moves.set({ ...at, result: status }, guests.filter((guest) => guest.status === status).length);
    }
    bytes.set(
      at,
      summary.moves.filter(({ status }) => status !== 'planned').reduce((sum, move) => sum + move.bytes, 0),
    );
    rejected.set(at, report.rejected.length);
  }
  return registry.metrics();
}

/** Figures of ours, and of nobody else: the collector takes other programs' from other files. */
export const isMetrics = beginsLike('# HELP deploy_stand_balance_');

/** Whoever reads the file meanwhile sees the old figures or the new ones, never half of them. Throws FileProblem. */
export async function writeMetrics(file: string, all: readonly BalanceFigures[]): Promise<void> {
  await replaceFile(file, await formatMetrics(all), { mode: READABLE, isOurs: isMetrics });
}
