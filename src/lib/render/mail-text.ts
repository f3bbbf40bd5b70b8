/** The mail that a student gets, from a template. Pure: the template is text, and so is the mail. */
import type { Card, CardMachine } from './card.ts';
import { escapeControl } from './escape.ts';
import type { Language } from './languages/codes.ts';
import { endIn, HANDOUT_LANGUAGES } from './languages/languages.ts';
import type { HandoutTexts } from './languages/handout-texts.ts';

export interface MailText {
  readonly subject: string;
  readonly text: string;
}

export interface MailTemplate {
  readonly subject: string;
  readonly body: string;
}

export type ParsedTemplate = MailTemplate | { readonly problem: string; readonly line: number };

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g;

function machineLines(machines: readonly CardMachine[]): string {
  return machines
    .map(({ name, lab, vmid, console }) => `- ${name} (${lab}, VM ${vmid}): ${console}`)
    .join('\n');
}

type Value = (card: Card, texts: HandoutTexts, lab: string) => string;

/** What a template may hold. */
const VALUES: Readonly<Record<string, Value>> = {
  name: ({ name }) => escapeControl(name),
  userid: ({ userid }) => userid,
  login: ({ login }) => login,
  realm: ({ realmLabel }) => realmLabel,
  password: ({ password }, texts) => password ?? texts.schoolLogin,
  url: ({ url }) => url,
  pool: ({ pool }) => pool,
  lab: (_, __, lab) => lab,
  until: ({ expires }, texts) => (expires === undefined ? '' : endIn(texts, expires)),
  machines: ({ machines }) => machineLines(machines),
  first: (_, texts) => texts.first,
};

export const PLACEHOLDERS: readonly string[] = Object.keys(VALUES);

/** First line `Subject: …`, an empty line, then the text. */
export function parseTemplate(text: string): ParsedTemplate {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const subject = /^subject:\s*(\S.*)$/i.exec(lines[0] ?? '')?.[1];
  if (subject === undefined) return { problem: 'the first line is not "Subject: …"', line: 1 };
  if ((lines[1] ?? '').trim() !== '') return { problem: 'the line below the subject is not empty', line: 2 };
  const at = lines.findIndex((line) =>
    [...line.matchAll(PLACEHOLDER)].some(([, name = '']) => !Object.hasOwn(VALUES, name)),
  );
  if (at < 0) return { subject, body: lines.slice(2).join('\n') };
  const unknown = [...(lines[at] ?? '').matchAll(PLACEHOLDER)].find(
    ([, name = '']) => !Object.hasOwn(VALUES, name),
  );
  return { problem: `nothing is called ${unknown?.[0] ?? ''}`, line: at + 1 };
}

/** Without a template. */
function plainMail(card: Card, lab: string, texts: HandoutTexts): MailText {
  const { name, url, realmLabel, login, password, expires, machines, wayBack } = card;
  const facts = [
    [texts.address, url],
    [texts.realm, realmLabel],
    [texts.userName, login],
    [texts.password, password ?? texts.schoolLogin],
    ...(expires === undefined ? [] : [[texts.until, endIn(texts, expires)]]),
  ];
  return {
    subject: texts.subject(lab),
    text: [
      texts.greeting(escapeControl(name)),
      '',
      texts.intro(lab),
      '',
      ...facts.map(([what, value]) => `${what}: ${value}`),
      '',
      ...(machines.length === 0 ? [] : [`${texts.machines}:`, machineLines(machines), '']),
      texts.first,
      ...(wayBack === undefined || machines.length === 0 ? [] : ['', texts.wayBack(wayBack)]),
      '',
    ].join('\n'),
  };
}

/** A name with a line break in it must not become a header. */
const oneLine = (text: string): string => escapeControl(text.replaceAll(/\s+/g, ' ')).trim();

export interface MailOptions {
  /** Empty: no lab in particular. */
  readonly lab: string;
  readonly language: Language;
  readonly template?: MailTemplate;
}

export function mailOf(card: Card, { lab, language, template }: MailOptions): MailText {
  const texts = HANDOUT_LANGUAGES[language];
  if (!template) {
    const { subject, text } = plainMail(card, lab, texts);
    return { subject: oneLine(subject), text };
  }
  const fill = (text: string): string =>
    text.replaceAll(PLACEHOLDER, (_, name: string) => VALUES[name]?.(card, texts, lab) ?? '');
  return { subject: oneLine(fill(template.subject)), text: fill(template.body) };
}
