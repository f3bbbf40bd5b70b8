/** Every text of every dictionary is read by somebody: it stands in a card, a table or a mail. */
import { describe, expect, test } from 'vitest';
import { renderCsvCards } from '../../src/lib/credentials/cards-csv.ts';
import { isExport } from '../../src/lib/credentials/own-file.ts';
import type { Card } from '../../src/lib/render/cards.ts';
import { renderHtmlCards } from '../../src/lib/render/cards-html.ts';
import { renderMarkdownCards } from '../../src/lib/render/cards-markdown.ts';
import { LANGUAGES, type Language } from '../../src/lib/render/languages/languages.ts';
import { mailOf } from '../../src/lib/render/mail-text.ts';

const CARD: Card = {
  userid: 'anna@school',
  login: 'anna',
  realm: 'school',
  realmLabel: 'School',
  name: 'Анна',
  password: undefined,
  expires: '2027-01-31',
  url: 'https://pve1.example:8006',
  pool: 'anna',
  machines: [
    { lab: 'net', name: 'pc', vmid: 10001, node: 'pve1', console: 'https://pve1.example/?vmid=10001' },
  ],
};

describe.each(Object.keys(LANGUAGES) as Language[])('%s', (language) => {
  const exports = [
    renderHtmlCards([CARD], '', language),
    renderMarkdownCards([CARD], language),
    renderCsvCards([CARD], language),
  ];
  const mails = ['net', ''].map((lab) => mailOf({ ...CARD, name: lab && 'Анна' }, { lab, language }));
  const all = [...exports, ...mails.flatMap(({ subject, text }) => [subject, text])].join('\n');

  test.each(Object.entries(LANGUAGES[language]))('%s is used', (key, text) => {
    const argument = { lastDay: ['2027-01-31'], greeting: ['Анна', ''] }[key] ?? ['net', ''];
    // English columns of CSV keep the names that programs know.
    if (language === 'en' && key === 'consoles') return;
    for (const one of typeof text === 'string' ? [text] : argument.map(text)) expect(all).toContain(one);
  });

  test('its exports are known again as ours, and may be replaced', () => {
    expect(exports.map(isExport)).toEqual([true, true, true]);
  });
});
