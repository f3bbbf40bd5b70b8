/** Credentials as a Markdown table. Nothing of a name or password is taken for markup. */
import type { Card, CardMachine } from './card.ts';
import { escapeMarkdown, markdownRow } from './escape-markdown.ts';
import { DEFAULT_LANGUAGE, type Language } from './languages/codes.ts';
import { endIn, HANDOUT_LANGUAGES } from './languages/languages.ts';
import type { HandoutTexts } from './languages/handout-texts.ts';

function headIn(texts: HandoutTexts): string {
  const { user, name, realm, userName, password, until, address, lab, machines } = texts;
  return markdownRow([user, name, realm, userName, password, until, address, lab, machines]);
}

/** 0.1.0 wrote the login before the realm. */
const STARTS = [
  '| User | Name | Login ',
  '| User | Name | Realm ',
  ...Object.values(HANDOUT_LANGUAGES).map(headIn),
];

/** Does a file without its byte order mark begin as one of ours? */
export function isCardsMarkdown(head: string): boolean {
  return STARTS.some((start) => head.startsWith(start));
}

/** The console is a link where its address cannot be taken for anything else. */
function machineText({ name, vmid, console }: CardMachine): string {
  const text = escapeMarkdown(`${name} (${vmid})`);
  return /^https?:\/\/[\w.:[\]/?=&%+~-]+$/.test(console) ? `[${text}](<${console}>)` : text;
}

function rowOf(card: Card, texts: HandoutTexts): string {
  const { userid, name, realmLabel, login, password, url, machines, expires } = card;
  const until = expires === undefined ? '' : endIn(texts, expires);
  const labs = [...new Set(machines.map(({ lab }) => lab))].join(', ');
  const cells = [userid, name, realmLabel, login, password ?? texts.schoolLogin, until, url, labs];
  return markdownRow([...cells.map(escapeMarkdown), machines.map(machineText).join(', ')]);
}

/** Ends with a line break. */
export function renderMarkdownCards(cards: readonly Card[], language: Language = DEFAULT_LANGUAGE): string {
  const texts = HANDOUT_LANGUAGES[language];
  const head = headIn(texts);
  const lines = [
    head,
    head.replaceAll(/[^| ]+(?: [^| ]+)*/g, '---'),
    ...cards.map((card) => rowOf(card, texts)),
  ];
  const back = cards.find(({ wayBack }) => wayBack !== undefined)?.wayBack;
  const words = [texts.first, ...(back === undefined ? [] : [escapeMarkdown(texts.wayBack(back))])];
  return `${lines.join('\n')}\n\n${words.join('\n\n')}\n`;
}
