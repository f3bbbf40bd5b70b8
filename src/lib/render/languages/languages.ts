/** The texts by language. A new one is its code in codes.ts, then what the compiler asks for: a file beside each `*-en.ts`, and its place here. */
import { balanceEn } from './balance-en.ts';
import { balanceRu } from './balance-ru.ts';
import type { BalanceTexts } from './balance-texts.ts';
import type { Language } from './codes.ts';
import { findingEn } from './finding-en.ts';
import { findingRu } from './finding-ru.ts';
import type { FindingTexts } from './finding-texts.ts';
import { handoutEn } from './handout-en.ts';
import { handoutRu } from './handout-ru.ts';
import type { HandoutTexts } from './handout-texts.ts';
import { reportEn } from './report-en.ts';
import { reportRu } from './report-ru.ts';
import type { ReportTexts } from './report-texts.ts';

export const HANDOUT_LANGUAGES: Readonly<Record<Language, HandoutTexts>> = { en: handoutEn, ru: handoutRu };

export const FINDING_LANGUAGES: Readonly<Record<Language, FindingTexts>> = { en: findingEn, ru: findingRu };

export const REPORT_LANGUAGES: Readonly<Record<Language, ReportTexts>> = { en: reportEn, ru: reportRu };

export const BALANCE_LANGUAGES: Readonly<Record<Language, BalanceTexts>> = { en: balanceEn, ru: balanceRu };

/** `2027-01-31` is a last day; everything else is a moment. */
export function endIn(texts: HandoutTexts, expires: string): string {
  return /^\d{4}-\d{2}-\d{2}$/.test(expires) ? texts.lastDay(expires) : expires;
}
