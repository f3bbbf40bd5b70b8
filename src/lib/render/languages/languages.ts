/** The languages that there are. A new one is a file beside en.ts and a line here. */
import { en } from './en.ts';
import { ru } from './ru.ts';
import type { HandoutTexts } from './texts.ts';

export const LANGUAGES = { en, ru } as const satisfies Readonly<Record<string, HandoutTexts>>;

export type Language = keyof typeof LANGUAGES;

/** `2027-01-31` is a last day; everything else is a moment. */
export function endIn(texts: HandoutTexts, expires: string): string {
  return /^\d{4}-\d{2}-\d{2}$/.test(expires) ? texts.lastDay(expires) : expires;
}
