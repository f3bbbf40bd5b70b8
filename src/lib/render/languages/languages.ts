/** The languages that there are. A new one is a file beside handout-en.ts, report-en.ts and balance-en.ts each, and a line for each here. */
import { balanceEn } from './balance-en.ts';
import { balanceRu } from './balance-ru.ts';
import type { BalanceTexts } from './balance-texts.ts';
import { en } from './handout-en.ts';
import { reportEn } from './report-en.ts';
import { reportRu } from './report-ru.ts';
import type { ReportTexts } from './report-texts.ts';
import { ru } from './handout-ru.ts';
import type { HandoutTexts } from './handout-texts.ts';

export const LANGUAGES = { en, ru } as const satisfies Readonly<Record<string, HandoutTexts>>;

export type Language = keyof typeof LANGUAGES;

export const REPORT_LANGUAGES: Readonly<Record<Language, ReportTexts>> = { en: reportEn, ru: reportRu };

export const BALANCE_LANGUAGES: Readonly<Record<Language, BalanceTexts>> = { en: balanceEn, ru: balanceRu };

/** `2027-01-31` is a last day; everything else is a moment. */
export function endIn(texts: HandoutTexts, expires: string): string {
  return /^\d{4}-\d{2}-\d{2}$/.test(expires) ? texts.lastDay(expires) : expires;
}
