/** Credentials as a spreadsheet: one row per student. Touches no file. */
import type { Card } from './card.ts';
import { formatCsv } from './csv.ts';
import { escapeControl } from './escape.ts';
import type { HandoutTexts } from './languages/handout-texts.ts';
import { DEFAULT_LANGUAGE, LANGUAGES, type Language } from './languages/codes.ts';
import { HANDOUT_LANGUAGES } from './languages/languages.ts';

interface Column {
  /** In English, which is read by programs, too: it stays. */
  readonly head: string;
  /** In every other language. */
  readonly word: (texts: HandoutTexts) => string;
  readonly cell: (card: Card, schoolLogin: string) => string;
}

const COLUMNS: readonly Column[] = [
  // In every language the same, and the first.
  { head: 'userid', word: () => 'userid', cell: ({ userid }) => userid },
  { head: 'name', word: ({ name }) => name, cell: ({ name }) => escapeControl(name) },
  { head: 'login', word: ({ userName }) => userName, cell: ({ login }) => login },
  { head: 'realm', word: ({ realm }) => realm, cell: ({ realm }) => realm },
  {
    head: 'password',
    word: ({ password }) => password,
    cell: ({ password }, schoolLogin) => password ?? schoolLogin,
  },
  { head: 'url', word: ({ address }) => address, cell: ({ url }) => url },
  { head: 'pool', word: ({ pool }) => pool, cell: ({ pool }) => pool },
  {
    head: 'machines',
    word: ({ machines }) => machines,
    cell: ({ machines }) => machines.map(({ name, vmid }) => `${name}=${vmid}`).join(' '),
  },
  {
    head: 'consoles',
    word: ({ consoles }) => consoles,
    cell: ({ machines }) => machines.map((machine) => machine.console).join(' '),
  },
  {
    head: 'labs',
    word: ({ lab }) => lab,
    cell: ({ machines }) => [...new Set(machines.map(({ lab }) => lab))].join(' '),
  },
  { head: 'expires', word: ({ until }) => until, cell: ({ expires = '' }) => expires },
];

function headsIn(language: Language): string[] {
  const texts = HANDOUT_LANGUAGES[language];
  return COLUMNS.map(({ head, word }) => (language === 'en' ? head : word(texts)));
}

/** Earlier versions had other columns behind these. */
const STARTS = [
  'userid,name,login,realm,password,',
  ...LANGUAGES.map((language) => formatCsv(headsIn(language), []).trimEnd()),
];

/** Does a file without its byte order mark begin as one of ours? */
export function isCardsCsv(head: string): boolean {
  return STARTS.some((start) => head.startsWith(start));
}

/** Ends with a line break. A spreadsheet takes what is not English for another encoding without the mark. */
export function renderCsvCards(cards: readonly Card[], language: Language = DEFAULT_LANGUAGE): string {
  const schoolLogin = language === 'en' ? '' : HANDOUT_LANGUAGES[language].schoolLogin;
  const rows = cards.map((card) => COLUMNS.map(({ cell }) => cell(card, schoolLogin)));
  return `${language === 'en' ? '' : '\uFEFF'}${formatCsv(headsIn(language), rows)}`;
}
