/** Credentials as a page of cards to print and cut. Loads nothing, runs nothing; every text in it is escaped. */
import { DEFAULT_LANGUAGE, type Language } from './languages/codes.ts';
import { endIn, HANDOUT_LANGUAGES } from './languages/languages.ts';
import type { HandoutTexts } from './languages/handout-texts.ts';
import type { Card, CardMachine } from './card.ts';
import { escapeHtml } from './escape-html.ts';

/**
 * A card is a block: a browser breaks pages between blocks, and inside one only where it is not told otherwise. Three of
 * them with a few machines go onto a sheet of A4. What can only be clicked is not printed.
 */
const STYLE = `
  @page { margin: 10mm; }
  body { margin: 0; color: #000; background: #fff; font: 10pt/1.3 system-ui, sans-serif; }
  .card {
    break-inside: avoid; page-break-inside: avoid;
    box-sizing: border-box; max-width: 185mm; margin: 0 auto 4mm; padding: 3mm 5mm;
    border: 1px dashed #666; border-radius: 2mm;
  }
  h2 { margin: 0 0 1mm; font-size: 12pt; overflow-wrap: anywhere; }
  .lab { float: right; margin-left: 4mm; color: #444; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 5mm; margin: 0; }
  dt { color: #444; }
  dd { margin: 0; overflow-wrap: anywhere; }
  .first { margin-top: 1mm; font-size: 9pt; }
  .secret { font: 12pt/1.3 ui-monospace, monospace; font-variant-ligatures: none; }
  table { width: 100%; margin-top: 2mm; border-collapse: collapse; font-size: 9pt; }
  th, td { padding: 0.5mm 2mm 0.5mm 0; border-top: 1px solid #ccc; text-align: left; overflow-wrap: anywhere; }
  th { color: #444; font-weight: normal; }
  a { color: inherit; }
  @media print { a { text-decoration: none; } .click { display: none; } }
  @media screen { body { padding: 6mm; } }
`;

/** Only web addresses become links: an address comes out of a file that anybody may have edited. */
function link(address: string, text = address): string {
  const shown = escapeHtml(text);
  return /^https?:\/\//.test(address)
    ? `<a href="${escapeHtml(address)}" rel="noreferrer">${shown}</a>`
    : shown;
}

function machineRow({ lab, name, vmid, node, console }: CardMachine, texts: HandoutTexts): string {
  const cells = [escapeHtml(name), String(vmid), escapeHtml(node), escapeHtml(lab)];
  const opens = `<td class="click">${link(console, texts.openConsole)}</td>`;
  return `        <tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}${opens}</tr>`;
}

function machineTable(machines: readonly CardMachine[], texts: HandoutTexts): string[] {
  if (machines.length === 0) return [];
  const head = [texts.machine, texts.vmid, texts.node, texts.lab].map((text) => `<th>${text}</th>`).join('');
  const opens = `<th class="click">${texts.console}</th>`;
  return [
    '      <table>',
    `        <tr>${head}${opens}</tr>`,
    ...machines.map((machine) => machineRow(machine, texts)),
    '      </table>',
  ];
}

function fact(name: string, html: string, kind = ''): string {
  return `        <dt>${name}</dt><dd${kind === '' ? '' : ` class="${kind}"`}>${html}</dd>`;
}

function cardLines(card: Card, lab: string, texts: HandoutTexts): string[] {
  const title = card.name === '' ? card.userid : `${card.name} (${card.userid})`;
  return [
    '    <section class="card">',
    `      <div class="lab">${escapeHtml(lab)}</div>`,
    `      <h2>${escapeHtml(title)}</h2>`,
    '      <dl>',
    fact(texts.address, link(card.url)),
    // In the order in which the login page is filled in: changing the realm there may clear the rest.
    fact(texts.realm, escapeHtml(card.realmLabel)),
    fact(texts.userName, escapeHtml(card.login), 'secret'),
    card.password === undefined
      ? fact(texts.password, texts.schoolLogin)
      : fact(texts.password, escapeHtml(card.password), 'secret'),
    fact(texts.pool, escapeHtml(card.pool)),
    ...(card.expires === undefined ? [] : [fact(texts.until, escapeHtml(endIn(texts, card.expires)))]),
    '      </dl>',
    `      <div class="first">${texts.first}</div>`,
    ...(card.wayBack === undefined || card.machines.length === 0
      ? []
      : [`      <div class="first">${escapeHtml(texts.wayBack(card.wayBack))}</div>`]),
    ...machineTable(card.machines, texts),
    '    </section>',
  ];
}

/** `lab`: what the cards are for; empty: no lab in particular. Same cards, same text. Ends with a line break. */
export function renderHtmlCards(
  cards: readonly Card[],
  lab: string,
  language: Language = DEFAULT_LANGUAGE,
): string {
  const texts = HANDOUT_LANGUAGES[language];
  return [
    '<!doctype html>',
    `<html lang="${language}">`,
    '  <head>',
    '    <meta charset="utf-8">',
    `    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '    <meta name="robots" content="noindex">',
    `    <title>${escapeHtml(lab === '' ? texts.accounts : lab)}</title>`,
    `    <style>${STYLE}    </style>`,
    '  </head>',
    '  <body>',
    ...cards.flatMap((card) => cardLines(card, lab, texts)),
    '  </body>',
    '</html>',
    '',
  ].join('\n');
}

/** Does a file without its byte order mark begin as one of ours? */
export function isCardsHtml(head: string): boolean {
  return /^<!doctype html>\s*<html lang="[a-z]{2}">[\s\S]{0,300}<meta name="robots" content="noindex">/.test(
    head,
  );
}
