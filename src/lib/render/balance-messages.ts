/** The words of notifications: short enough for a phone. Pure. */
import type { BalanceSummary, MoveSummary } from '../outcome/types.ts';
import type { BalanceReport } from '../plan/document/balance-report.ts';
import { sizeOf } from './balance-text.ts';
import type { BalanceTexts } from './languages/balance-texts.ts';
import type { Language } from './languages/codes.ts';
import { BALANCE_LANGUAGES } from './languages/languages.ts';
import { shortened } from './short-message.ts';

/** Of which cluster, and in which language. */
export interface About {
  readonly connection: string;
  readonly language: Language;
}

/** What is about to happen. */
export function startMessage({ connection, language }: About, report: BalanceReport): string {
  const texts = BALANCE_LANGUAGES[language];
  const lines = report.moves.map((move) => `${move.name}: ${move.from.join(', ')} → ${move.to}`);
  return shortened([texts.titled(connection, texts.verdict(report)), ...lines], texts.more);
}

export function moveMessage(
  { connection, language }: About,
  move: { readonly vmid: number; readonly node: string; readonly target: string },
  durationMs: number,
): string {
  const texts = BALANCE_LANGUAGES[language];
  return texts.titled(connection, texts.movedTo({ ...move, seconds: Math.round(durationMs / 1000) }));
}

export function failureMessage({ connection, language }: About, what: string): string {
  const texts = BALANCE_LANGUAGES[language];
  return texts.titled(connection, texts.failure(what));
}

function moveLine({ name, to, status, guests, error }: MoveSummary, texts: BalanceTexts): string {
  const where = guests.map(
    ({ vmid, node, status: own }) => `${vmid} ${texts.guestWord(own, status === 'moved' ? to : node)}`,
  );
  return `${texts.moveWord(status)}: ${name}, ${where.join(', ')}${error ? `: ${error.message}` : ''}`;
}

export function summaryMessage(
  { connection, language }: About,
  { imbalance }: BalanceReport,
  summary: BalanceSummary,
): string {
  const texts = BALANCE_LANGUAGES[language];
  const { moves } = summary;
  const moved = moves.flatMap((move) => move.guests).filter(({ status }) => status === 'moved').length;
  const bytes = moves.reduce((sum, move) => sum + move.bytes, 0);
  const text = `${texts.status(summary.status)}, ${texts.moved(moved)} (${sizeOf(bytes)}), ${texts.imbalanceWas(imbalance.before.toFixed(2))}`;
  return shortened(
    [texts.titled(connection, text), ...moves.map((move) => moveLine(move, texts))],
    texts.more,
  );
}
