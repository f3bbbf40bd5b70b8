/** The frame of pages that people look at: one file that asks for nothing, and runs one script, known by its hash. */
import { createHash } from 'node:crypto';
import { escapeHtml } from './escape-html.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';

/** How pages of ours begin. */
export const PAGE_HEAD = '<!doctype html>\n<!-- deploy-stand page -->\n';

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

function policy(): string {
  return `default-src 'none'; style-src 'unsafe-inline'; script-src ${hash(PAGE_SCRIPT)}; base-uri 'none'; form-action 'none'`;
}

export interface Page {
  readonly title: string;
  /** Below the title. */
  readonly lines: readonly string[];
  /** HTML; every text in it is escaped. */
  readonly body: readonly string[];
}

export function renderPage({ title, lines, body }: Page): string {
  return [
    `${PAGE_HEAD}<html lang="en">`,
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy()}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="robots" content="noindex">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${PAGE_STYLE}</style>`,
    '</head>',
    '<body>',
    `<header><h1>${escapeHtml(title)}</h1>${lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('')}</header>`,
    '<main>',
    ...body,
    '</main>',
    `<script>${PAGE_SCRIPT}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

export interface Tile {
  readonly value: string;
  readonly label: string;
  readonly kind?: 'good' | 'warn' | 'bad' | undefined;
}

export function tiles(list: readonly Tile[]): string[] {
  return [
    '<section class="tiles" aria-label="Summary">',
    ...list.map(
      ({ value, label, kind = '' }) =>
        `<div class="tile"><b class="${kind}">${escapeHtml(value)}</b><span>${escapeHtml(label)}</span></div>`,
    ),
    '</section>',
  ];
}

const HIGH = 0.75;
const FULL = 0.9;

function partOf(fraction: number, more = ''): string {
  const kind = fraction > FULL ? 'full' : fraction > HIGH ? 'high' : '';
  const width = Math.round(Math.max(0, Math.min(1, fraction)) * 100);
  return `<i class="${[kind, more].filter((one) => one !== '').join(' ')}" style="width:${width}%"></i>`;
}

/** A bar with its words; `after`: what it grows to, drawn paler. */
export function loadBar(label: string, words: string, fraction: number, after?: number): string {
  const bars = `${after === undefined ? '' : partOf(after, 'more')}${partOf(fraction)}`;
  return `<div class="load"><span>${escapeHtml(label)}</span><span class="bar" aria-hidden="true">${bars}</span><span>${escapeHtml(words)}</span></div>`;
}

const GIB = 1024 ** 3;

/** Bytes, in whole GiB. */
export const gib = (bytes: number): string => String(Math.round(bytes / GIB));

/** How one stand is wired. `svg` is markup already. */
export function pictureSection(svg: string): string[] {
  return ['<section><h2>One stand</h2><div class="picture">', svg, '</div></section>'];
}

export interface Column {
  readonly head: string;
  /** As wide as the screen on a telephone. */
  readonly isWhole?: boolean;
}

export interface TableCell {
  readonly html: string;
  /** What it sorts by, where that is not its text; '' comes last. */
  readonly key?: string | undefined;
}

export interface TableRow {
  readonly cells: readonly TableCell[];
  readonly isBad: boolean;
}

export interface Table {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly TableRow[];
  /** Label of the box that leaves the bad rows; absent: there is none. */
  readonly onlyBad?: string | undefined;
}

function rowHtml({ cells, isBad }: TableRow, columns: readonly Column[]): string {
  const tds = cells.map(({ html, key }, at) => {
    const { head = '', isWhole = false } = columns[at] ?? {};
    const attributes = [
      ...(isWhole ? ['class="whole"'] : []),
      ...(at === 0 ? [] : [`data-label="${escapeHtml(head)}"`]),
      ...(key === undefined ? [] : [`data-key="${escapeHtml(key)}"`]),
    ].map((one) => ` ${one}`);
    return `<td${attributes.join('')}>${html}</td>`;
  });
  return `<tr${isBad ? ' data-bad' : ''}>${tds.join('')}</tr>`;
}

/** Sorts and filters itself where scripts run. */
export function sortableTable({ id, caption, columns, rows, onlyBad }: Table): string[] {
  const box = onlyBad === undefined ? '' : `<label><input type="checkbox"> ${escapeHtml(onlyBad)}</label>`;
  return [
    `<div class="tools" id="${id}" hidden><input type="search" placeholder="Filter" aria-label="Filter ${escapeHtml(caption)}">${box}<span class="count" role="status"></span></div>`,
    `<table class="wide" data-sorts="${id}"><caption>${escapeHtml(caption)}</caption>`,
    `<thead><tr>${columns.map(({ head }) => `<th scope="col" aria-sort="none"><button type="button">${escapeHtml(head)}</button></th>`).join('')}</tr></thead>`,
    '<tbody>',
    ...rows.map((row) => rowHtml(row, columns)),
    '</tbody></table>',
  ];
}

/** A line in which commands stand between backticks, or are all of it. */
export function withCommands(text: string): string {
  if (text.startsWith('deploy-stand ')) return `<code>${escapeHtml(text)}</code>`;
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      /^`[^`]+`$/.test(part) ? `<code>${escapeHtml(part.slice(1, -1))}</code>` : escapeHtml(part),
    )
    .join('');
}
