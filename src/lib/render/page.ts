/** The frame of pages that people look at: one file that asks for nothing elsewhere, and runs what is known by its hash. */
import { createHash } from 'node:crypto';
import { GIB } from '../bytes.ts';
import { escapeHtml } from './escape-html.ts';
import { DEFAULT_LANGUAGE, type Language } from './languages/codes.ts';
import { LIVE_SCRIPT } from './live-script.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';
import type { Part, Parts } from './parts.ts';

/** How pages of ours begin. */
export const PAGE_HEAD = '<!doctype html>\n<!-- deploy-stand page -->\n';

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const RUNS = hash(PAGE_SCRIPT);

/** Of a page that asks for nothing. What is in it may be styled, and cannot run. */
const POLICY = `default-src 'none'; style-src 'unsafe-inline'; script-src ${RUNS}; base-uri 'none'; form-action 'none'`;
/** Of a page that hears of news from where it came from. */
export const LIVE_POLICY = `default-src 'none'; style-src 'unsafe-inline'; script-src ${RUNS} ${hash(LIVE_SCRIPT)}; connect-src 'self'; base-uri 'none'; form-action 'none'`;

export interface Page {
  readonly title: string;
  /** Absent: English. */
  readonly language?: Language;
  /** The title, and what stands below it; HTML. */
  readonly head: readonly string[];
  /** HTML; every text in it is escaped. */
  readonly body: readonly string[];
  /** Which state of the class this is, of a page that follows it. */
  readonly version?: string;
}

export function renderPage({ title, language = DEFAULT_LANGUAGE, head, body, version }: Page): string {
  const isLive = version !== undefined;
  return [
    `${PAGE_HEAD}<html lang="${language}">`,
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${isLive ? LIVE_POLICY : POLICY}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="robots" content="noindex">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${PAGE_STYLE}</style>`,
    '</head>',
    isLive ? `<body class="live" data-version="${escapeHtml(version)}">` : '<body>',
    `<header>${head.join('')}</header>`,
    '<main>',
    ...body,
    '</main>',
    `<script>${PAGE_SCRIPT}</script>`,
    ...(isLive ? [`<script>${LIVE_SCRIPT}</script>`] : []),
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** Its own element, which says in which list and under which key it stands. */
function withId({ key, html }: Part): string {
  return html.replace(/^<[a-z0-9]+/, (tag) => `${tag} data-id="${escapeHtml(key)}"`);
}

/** Parts as they are kept up to date. `tag` may have attributes: `section class="tiles"`. */
export function listOf(tag: string, list: string, parts: readonly Part[]): string {
  return `<${tag} data-list="${list}">${parts.map(withId).join('\n')}</${/^[a-z0-9]+/.exec(tag)?.[0] ?? ''}>`;
}

/** As they are sent. */
export function sentParts(parts: Parts): Parts {
  return Object.fromEntries(
    Object.entries(parts).map(([list, all]) => [
      list,
      all.map((part) => ({ key: part.key, html: withId(part) })),
    ]),
  );
}

export const headTitle = (text: string): string => `<h1>${escapeHtml(text)}</h1>`;

/** A line below it. */
export const headLine = (text: string): string => `<p>${escapeHtml(text)}</p>`;

export interface Tile {
  readonly value: string;
  readonly label: string;
  readonly kind?: 'good' | 'warn' | 'bad' | undefined;
}

export function tileParts(list: readonly Tile[]): Part[] {
  return list.map(({ value, label, kind = '' }, at) => ({
    key: String(at),
    html: `<div class="tile"><b class="${kind}">${escapeHtml(value)}</b><span>${escapeHtml(label)}</span></div>`,
  }));
}

export function tiles(parts: readonly Part[], label = 'Summary'): string {
  return listOf(`section class="tiles" aria-label="${escapeHtml(label)}"`, 'tiles', parts);
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

/** A number without its unit. */
export const wholeGib = (bytes: number): string => String(Math.round(bytes / GIB));

/** How one stand is wired. `svg` is markup already. */
export function pictureSection(svg: string, title = 'One stand'): string[] {
  return [
    `<section><h2>${escapeHtml(title)}</h2><div class="picture" tabindex="0">`,
    svg,
    '</div></section>',
  ];
}

interface Column {
  readonly head: string;
  /** Of the width of the table, in percent: what is in it may change, and nothing beside it moves. */
  readonly share: number;
  /** As wide as the screen on a telephone. */
  readonly isWhole?: boolean;
}

interface TableCell {
  readonly html: string;
  /** What it sorts by, where that is not its text; '' comes last. */
  readonly key?: string | undefined;
}

/** A column with what stands in it. */
export interface FilledColumn<Row> extends Column {
  readonly cell: (row: Row) => TableCell;
}

export interface Table {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly Column[];
  /** Made by `rowHtml`. */
  readonly rows: readonly Part[];
  /** Label of the box that leaves the bad rows; absent: there is none. */
  readonly onlyBad?: string | undefined;
  readonly filter?: string;
}

export function rowHtml<Row>(row: Row, columns: readonly FilledColumn<Row>[], isBad: boolean): string {
  const tds = columns.map(({ head, isWhole = false, cell }, at) => {
    const { html, key } = cell(row);
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
export function sortableTable({ id, caption, columns, rows, onlyBad, filter = 'Filter' }: Table): string[] {
  const box = onlyBad === undefined ? '' : `<label><input type="checkbox"> ${escapeHtml(onlyBad)}</label>`;
  const label = escapeHtml(`${filter}: ${caption}`);
  return [
    `<div class="tools" id="${id}" hidden><input type="search" placeholder="${escapeHtml(filter)}" aria-label="${label}">${box}<span class="count" role="status"></span></div>`,
    `<table class="wide" data-sorts="${id}"><caption>${escapeHtml(caption)}</caption>`,
    `<colgroup>${columns.map(({ share }) => `<col style="width:${share}%">`).join('')}</colgroup>`,
    `<thead><tr>${columns.map(({ head }) => `<th scope="col" aria-sort="none"><button type="button">${escapeHtml(head)}</button></th>`).join('')}</tr></thead>`,
    listOf('tbody', id, rows),
    '</table>',
  ];
}

/** A browser breaks lines at hyphens: an option that is torn cannot be read, nor a name in a list. Of escaped text. */
function withOptions(html: string): string {
  return html
    .replace(/(?<!\S)(?:--?[a-z][a-z-]*|deploy-stand)(?![\w-])/g, '<span class="held">$&</span>')
    .replace(/,(?=\S)/g, ',<wbr>');
}

/** A line in which commands stand between backticks, or are all of it. */
export function withCommands(text: string): string {
  if (text.startsWith('deploy-stand ')) return `<code>${withOptions(escapeHtml(text))}</code>`;
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      /^`[^`]+`$/.test(part)
        ? `<code>${withOptions(escapeHtml(part.slice(1, -1)))}</code>`
        : withOptions(escapeHtml(part)),
    )
    .join('');
}
