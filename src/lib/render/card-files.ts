/** The formats of files with students' logins, a row each: how one is written, and by what it is known again. */
import type { Card } from './card.ts';
import { isCardsCsv, renderCsvCards } from './cards-csv.ts';
import { isCardsHtml, renderHtmlCards } from './cards-html.ts';
import { isCardsMarkdown, renderMarkdownCards } from './cards-markdown.ts';
import type { Language } from './languages/codes.ts';

interface CardFile {
  readonly render: (cards: readonly Card[], language: Language, lab: string) => string;
  /** Of how a file begins, without its byte order mark. */
  readonly isOurs: (head: string) => boolean;
}

export const CARD_FILES = {
  csv: { render: renderCsvCards, isOurs: isCardsCsv },
  json: {
    render: (cards) => `${JSON.stringify({ users: cards }, null, 2)}\n`,
    isOurs: (head) => /^\{\s*"users": \[/.test(head),
  },
  markdown: { render: renderMarkdownCards, isOurs: isCardsMarkdown },
  html: { render: (cards, language, lab) => renderHtmlCards(cards, lab, language), isOurs: isCardsHtml },
} as const satisfies Readonly<Record<string, CardFile>>;

/** Also one that 0.1.0 wrote, in any format and language. */
export function isCardFile(head: string): boolean {
  const text = head.replace(/^\uFEFF/, '');
  return Object.values(CARD_FILES).some(({ isOurs }) => isOurs(text));
}
