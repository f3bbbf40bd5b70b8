/** Credentials as a page of cards to print and cut. Loads nothing, runs nothing; every text in it is escaped. */
import type { Card, CardMachine } from './cards.ts';
import { escapeControl } from './escape.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escapeHtml(text: string): string {
  return escapeControl(text).replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '');
}

/** A card is a block: a browser breaks pages between blocks, and inside one only where it is not told otherwise. */
const STYLE = `
  @page { margin: 12mm; }
  body { margin: 0; color: #000; background: #fff; font: 11pt/1.4 system-ui, sans-serif; }
  .card {
    break-inside: avoid; page-break-inside: avoid;
    box-sizing: border-box; max-width: 180mm; margin: 0 auto 6mm; padding: 5mm 6mm;
    border: 1px dashed #666; border-radius: 2mm;
  }
  h2 { margin: 0 0 2mm; font-size: 13pt; overflow-wrap: anywhere; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 1mm 5mm; margin: 0; }
  dt { color: #444; }
  dd { margin: 0; overflow-wrap: anywhere; }
  .secret { font: 13pt/1.3 ui-monospace, monospace; font-variant-ligatures: none; }
  table { width: 100%; margin-top: 3mm; border-collapse: collapse; font-size: 10pt; }
  th, td { padding: 1mm 2mm 1mm 0; border-top: 1px solid #ccc; text-align: left; overflow-wrap: anywhere; }
  th { color: #444; font-weight: normal; }
  a { color: inherit; }
  @media print { a { text-decoration: none; } }
  @media screen { body { padding: 6mm; } }
`;

/** Only web addresses become links: an address comes out of a file that anybody may have edited. */
function link(address: string, text = address): string {
  const shown = escapeHtml(text);
  return /^https?:\/\//.test(address)
    ? `<a href="${escapeHtml(address)}" rel="noreferrer">${shown}</a>`
    : shown;
}

function machineRow({ lab, name, vmid, node, console }: CardMachine): string {
  const cells = [escapeHtml(name), String(vmid), escapeHtml(node), escapeHtml(lab), link(console, 'console')];
  return `        <tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function machineTable(machines: readonly CardMachine[]): string[] {
  if (machines.length === 0) return [];
  const head = ['Machine', 'VMID', 'Node', 'Lab', 'Console'].map((text) => `<th>${text}</th>`).join('');
  return ['      <table>', `        <tr>${head}</tr>`, ...machines.map(machineRow), '      </table>'];
}

function fact(name: string, html: string, kind = ''): string {
  return `        <dt>${name}</dt><dd${kind === '' ? '' : ` class="${kind}"`}>${html}</dd>`;
}

function cardLines(card: Card): string[] {
  const title = card.name === '' ? card.userid : `${card.name} (${card.userid})`;
  return [
    '    <section class="card">',
    `      <h2>${escapeHtml(title)}</h2>`,
    '      <dl>',
    fact('Address', link(card.url)),
    fact('User name', escapeHtml(card.login), 'secret'),
    fact('Realm', escapeHtml(card.realmLabel)),
    fact('Password', escapeHtml(card.password), 'secret'),
    fact('Pool', escapeHtml(card.pool)),
    '      </dl>',
    ...machineTable(card.machines),
    '    </section>',
  ];
}

/** Same cards, same text. Ends with a line break. */
export function renderHtmlCards(cards: readonly Card[], title: string): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '  <head>',
    '    <meta charset="utf-8">',
    `    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '    <meta name="robots" content="noindex">',
    `    <title>${escapeHtml(title)}</title>`,
    `    <style>${STYLE}    </style>`,
    '  </head>',
    '  <body>',
    ...cards.flatMap(cardLines),
    '  </body>',
    '</html>',
    '',
  ].join('\n');
}
