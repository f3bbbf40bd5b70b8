/** Credentials as a spreadsheet: one row per student. Touches no file. */
import type { Card } from './card.ts';
import { formatCsv } from './csv.ts';
import { escapeControl } from './escape.ts';
import { DEFAULT_LANGUAGE, type Language } from './languages/codes.ts';
import { HANDOUT_LANGUAGES } from './languages/languages.ts';

/** English is read by programs, too: its columns keep their names. */
const ENGLISH = [
  'name',
  'login',
  'realm',
  'password',
  'url',
  'pool',
  'machines',
  'consoles',
  'labs',
  'expires',
];

/** Of every language: `userid` comes first, and this is how an export of ours is known again. */
export function csvColumns(language: Language): readonly string[] {
  const { name, userName, realm, password, address, pool, machines, consoles, lab, until } =
    HANDOUT_LANGUAGES[language];
  const words = [name, userName, realm, password, address, pool, machines, consoles, lab, until];
  return ['userid', ...(language === 'en' ? ENGLISH : words)];
}

/** Ends with a line break. A spreadsheet takes what is not English for another encoding without the mark. */
export function renderCsvCards(cards: readonly Card[], language: Language = DEFAULT_LANGUAGE): string {
  const { schoolLogin } = HANDOUT_LANGUAGES[language];
  const rows = cards.map(({ userid, name, login, realm, password, url, pool, machines, expires }) => [
    userid,
    escapeControl(name),
    login,
    realm,
    password ?? (language === 'en' ? '' : schoolLogin),
    url,
    pool,
    machines.map((machine) => `${machine.name}=${machine.vmid}`).join(' '),
    machines.map((machine) => machine.console).join(' '),
    [...new Set(machines.map(({ lab }) => lab))].join(' '),
    expires ?? '',
  ]);
  return `${language === 'en' ? '' : '\uFEFF'}${formatCsv(csvColumns(language), rows)}`;
}
