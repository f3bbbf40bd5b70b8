/** The words of notifications: short enough for a phone. Pure. */
import type { BalanceSummary, MoveSummary } from '../outcome/types.ts';
import type { BalanceReport } from '../plan/document/balance-report.ts';
import { sizeOf } from './balance-text.ts';
import { countOf } from './step-text.ts';

/** Telegram cuts messages at 4096 characters; the rest is in the output of the run. */
const MOST_LINES = 20;

function shortened(lines: readonly string[]): string {
  const left = lines.length - MOST_LINES;
  return [...lines.slice(0, MOST_LINES), ...(left > 0 ? [`… and ${left} more`] : [])].join('\n');
}

function titled(connection: string, text: string): string {
  return connection === '' ? `deploy-stand balance: ${text}` : `deploy-stand balance, ${connection}: ${text}`;
}

/** What is about to happen. */
export function startMessage(connection: string, { moves, reason }: BalanceReport): string {
  const lines = moves.map((move) => `${move.name}: ${move.from.join(', ')} → ${move.to}`);
  return shortened([titled(connection, reason), ...lines]);
}

export function moveMessage(
  connection: string,
  move: { readonly vmid: number; readonly node: string; readonly target: string },
  durationMs: number,
): string {
  const { vmid, node, target } = move;
  return titled(
    connection,
    `VM ${vmid} moved from ${node} to ${target} in ${Math.round(durationMs / 1000)} s`,
  );
}

export function failureMessage(connection: string, what: string): string {
  return titled(connection, `FAILED: ${what}`);
}

function moveLine({ name, to, status, guests, error }: MoveSummary): string {
  const places = guests.map(({ vmid, node }) => `${vmid} on ${node ?? '?'}`).join(', ');
  const where = status === 'moved' ? `on ${to}` : `${places}${error ? `: ${error.message}` : ''}`;
  return `${status}: ${name}, ${where}`;
}

export function summaryMessage(
  connection: string,
  { imbalance }: BalanceReport,
  summary: BalanceSummary,
): string {
  const { moves } = summary;
  const moved = moves.flatMap((move) => move.guests).filter(({ status }) => status === 'moved').length;
  const bytes = moves.reduce((sum, move) => sum + move.bytes, 0);
  const text = `${summary.status}, ${countOf(moved, 'guest', 'guests')} moved (${sizeOf(bytes)}), imbalance was ${imbalance.before.toFixed(2)}`;
  return shortened([titled(connection, text), ...moves.map(moveLine)]);
}
