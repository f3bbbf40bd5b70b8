/** The reports of an installation's clusters as one: guests move inside one of them only, and are planned so. */
import type { BalanceReport, BalanceVerdict } from '../../document/balance-report.ts';
import { compareNatural } from '../../../order.ts';

/** What is worth most to be told comes first. */
const ORDER: readonly BalanceVerdict[] = ['moves', 'blackout', 'no-beneficial-move', 'holding', 'balanced'];

/** The clusters that have a say of this kind, by name where there are several. */
function reasonOf(parts: readonly Part[], verdict: BalanceVerdict): string {
  const saying = parts.filter(({ report }) => report.verdict === verdict);
  const moves = parts.reduce(
    (sum, { report }) => sum + report.moves.reduce((count, { guests }) => count + guests.length, 0),
    0,
  );
  if (verdict === 'moves') return `${moves} ${moves === 1 ? 'migration' : 'migrations'} planned`;
  const texts = new Set(saying.map(({ report }) => report.reason));
  if (texts.size === 1) return [...texts].join('');
  return saying.map(({ name, report }) => `${name}: ${report.reason}`).join('; ');
}

export interface Part {
  /** Of the cluster. */
  readonly name: string;
  readonly report: BalanceReport;
}

export function mergeReports(parts: readonly [Part, ...Part[]]): BalanceReport {
  const [{ report: first }] = parts;
  const reports = parts.map(({ report }) => report);
  const verdict = ORDER.find((one) => reports.some((report) => report.verdict === one)) ?? 'balanced';
  const evacuate = reports.flatMap((report) => report.evacuate ?? []);
  const worst = Math.max(...reports.map(({ imbalance }) => imbalance.before));
  // Of the cluster that is worst before.
  const imbalance = reports.find((report) => report.imbalance.before === worst)?.imbalance ?? first.imbalance;
  const gaps = reports.flatMap(({ gap }) => gap ?? []);
  return {
    verdict,
    reason: reasonOf(parts, verdict),
    mode: first.mode,
    ...(evacuate.length === 0
      ? {}
      : { evacuate, remaining: reports.flatMap(({ remaining = [] }) => remaining) }),
    imbalance,
    nodes: reports.flatMap(({ nodes }) => nodes).sort((a, b) => compareNatural(a.node, b.node)),
    moves: reports.flatMap(({ moves }) => moves),
    ...(gaps.length === 0 ? {} : { gap: Math.max(...gaps) }),
    rejected: reports.flatMap(({ rejected }) => rejected),
    stuck: [],
    deferred: reports.reduce((sum, { deferred }) => sum + deferred, 0),
    inFlight: reports.flatMap(({ inFlight }) => inFlight),
  };
}
