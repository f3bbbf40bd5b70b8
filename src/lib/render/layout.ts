/** Lays out escaped text in aligned columns and wrapped paragraphs. Knows nothing of plans. */
import stringWidth from 'string-width';
import { escapeControl, escapeLines } from './escape.ts';
import type { Brush } from './paint.ts';

export interface RenderOptions {
  /** Columns of the terminal; `Infinity` never wraps (pipes). */
  readonly width: number;
  readonly color: boolean;
}

export interface Cell {
  readonly text: string;
  /** What stands between two commas stays together where there is room. */
  readonly isList?: true;
  readonly paint?: Brush;
}

export interface ColumnOptions {
  readonly width: number;
  readonly indent?: number;
  /** Columns that are never made narrower, e.g. numbers. */
  readonly fixed?: readonly number[];
  /** The column that gives way before all others, down to this width. */
  readonly yielding?: { readonly column: number; readonly to: number };
  /** The first row is a heading: a column that has nothing else is left out where there is no room for all. */
  readonly head?: true;
}

/** Columns from which tables have room for what is told elsewhere, too. */
export const ROOMY = 76;

const GAP = '  ';
const NARROWEST = 8;

/** Terminal columns of text without escape sequences. */
export function displayWidth(text: string): number {
  return stringWidth(text);
}

/** Where a word is broken best: behind a comma, else between the ends of a range of numbers. */
function cutOf(piece: string): number {
  return piece.lastIndexOf(',') + 1 || (/^.*\d-(?=\d)/.exec(piece)?.[0].length ?? piece.length);
}

/** Pieces of at most `width` columns, behind a comma where there is one; a letter and its accents stay together. */
function breakWord(word: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const letter of word.match(/\P{M}\p{M}*|\p{M}+/gu) ?? []) {
    if (piece !== '' && displayWidth(piece + letter) > width) {
      const cut = cutOf(piece);
      pieces.push(piece.slice(0, cut));
      piece = piece.slice(cut);
    }
    piece += letter;
  }
  return [...pieces, piece];
}

/** A command that ends a line, or stands between backticks. */
const COMMAND = /`[^`]+`|(?:^ *|(?<=: ))(?:deploy-stand|export|pve[a-z]+|qm|chmod|age-keygen|npm|npx) \S.*$/g;

const FINGERPRINT = /(?:[0-9A-F]{2}:){19,}[0-9A-F]{2}/i;

/** What is there to be copied stays in one piece, and a terminal folds it by itself. */
function isWhole(word: string): boolean {
  return word.includes(' ') || FINGERPRINT.test(word);
}

/** Text has been escaped: it holds no such character of its own. */
const HELD = '\0';

function wordsOf(text: string): string[] {
  return text
    .replaceAll(COMMAND, (command) => command.replaceAll(' ', HELD))
    .replaceAll(/(?<=\d) (?=%)/g, HELD)
    .split(' ')
    .map((word) => word.replaceAll(HELD, ' '));
}

/** What a word may be broken into without harm. */
const partsOf = (word: string): string[] => word.split(/(?<=,)/);

/**
 * Breaks at spaces, and inside a word that is too long for a line, but not in what is to be copied. Every character stays
 * as it is: wrap-ansi would write names in another normal form than the cluster does.
 */
export function wrapText(text: string, width: number): string[] {
  if (displayWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of wordsOf(text)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (displayWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = isWhole(word) ? [word] : breakWord(word, width);
    line = pieces.pop() ?? '';
    lines.push(...pieces);
  }
  return line === '' ? lines : [...lines, line];
}

function wrapCell({ isList }: Cell, text: string, width: number): string[] {
  const parts = text.split(/(?<=,) /);
  if (!isList || parts.some((part) => displayWidth(part) > width)) return wrapText(text, width);
  const lines: string[] = [];
  for (const part of parts) {
    const longer = `${lines.at(-1) ?? ''} ${part}`;
    if (lines.length > 0 && displayWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines;
}

/** One text, wrapped; lines after the first hang by `hang` more columns. */
export function paragraph(
  text: string,
  options: {
    readonly width: number;
    readonly indent?: number;
    readonly hang?: number;
    readonly paint?: Brush;
  },
): string[] {
  const { width, indent = 0, hang = 0, paint = (line: string) => line } = options;
  const room = Math.max(width - indent - hang, NARROWEST);
  return escapeLines(text)
    .flatMap((line) => wrapText(line, room))
    .map((line, at) => (' '.repeat(at === 0 ? indent : indent + hang) + paint(line)).trimEnd());
}

/** `label: text`, later lines under the text. */
export function labelled(
  label: string,
  text: string,
  options: { readonly width: number; readonly indent?: number; readonly paint?: Brush },
): string[] {
  const { width, indent = 0, paint = (line: string) => line } = options;
  const prefix = `${escapeControl(label)}: `;
  const margin = ' '.repeat(displayWidth(prefix));
  const room = Math.max(width - indent - margin.length, NARROWEST);
  return escapeLines(text)
    .flatMap((line) => wrapText(line, room))
    .map((line, at) => ' '.repeat(indent) + paint(`${at === 0 ? prefix : margin}${line}`.trimEnd()));
}

interface Fit extends Pick<ColumnOptions, 'fixed' | 'yielding'> {
  readonly natural: readonly number[];
  /** The longest of each column, which is broken only where nothing else gives way any more. */
  readonly words: readonly number[];
  readonly room: number;
}

function fitWidths({ natural, words, room, fixed = [], yielding }: Fit): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  if (yielding && excess > 0) {
    const width = widths[yielding.column] ?? 0;
    const cut = Math.max(0, Math.min(excess, width - yielding.to));
    widths[yielding.column] = width - cut;
    excess -= cut;
  }
  for (const least of [words, []]) {
    while (excess > 0) {
      let widest = -1;
      widths.forEach((width, column) => {
        if (width <= Math.max(NARROWEST, least[column] ?? 0) || fixed.includes(column)) return;
        if (widest < 0 || width > (widths[widest] ?? 0)) widest = column;
      });
      if (widest < 0) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
      excess -= 1;
    }
  }
  return widths;
}

/** The same without the columns that are empty below their heading. */
function withoutEmpty(
  rows: readonly (readonly Cell[])[],
  { fixed = [], yielding, ...options }: ColumnOptions,
): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const kept = Array.from({ length: columns }, (_, column) => column).filter((column) =>
    rows.slice(1).some((row) => (row[column]?.text ?? '') !== ''),
  );
  const at = (column: number): number => kept.indexOf(column);
  return renderColumns(
    rows.map((row) => kept.map((column) => row[column] ?? { text: '' })),
    {
      ...options,
      fixed: fixed.filter((column) => kept.includes(column)).map(at),
      ...(yielding && kept.includes(yielding.column)
        ? { yielding: { ...yielding, column: at(yielding.column) } }
        : {}),
    },
  );
}

/** One row of wrapped cells as lines. */
function drawRow(cells: readonly (readonly string[])[], widths: readonly number[]): string[] {
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, y) =>
    cells
      .map((lines, x) => {
        const line = lines[y] ?? '';
        return line + ' '.repeat(Math.max(0, (widths[x] ?? 0) - displayWidth(line)));
      })
      .join(GAP),
  );
}

/** Aligned columns without borders. Cells wrap when the row is wider than the terminal; nothing is cut off. */
export function renderColumns(rows: readonly (readonly Cell[])[], options: ColumnOptions): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  if (columns === 0) return [];
  const { head, ...rest } = options;
  const { width, indent = 0 } = rest;
  const texts = rows.map((row) => row.map((cell) => escapeControl(cell.text)));
  const natural = Array.from({ length: columns }, (_, column) =>
    Math.max(1, ...texts.map((row) => displayWidth(row[column] ?? ''))),
  );
  const room = width - indent - GAP.length * (columns - 1);
  const isTooWide = natural.reduce((sum, width) => sum + width, 0) > room;
  if (isTooWide && head) return withoutEmpty(rows, rest);
  const wordsIn = (column: number): number[] =>
    texts.flatMap((row) => wordsOf(row[column] ?? '').flatMap(partsOf)).map(displayWidth);
  const words = isTooWide ? natural.map((_, column) => Math.max(0, ...wordsIn(column))) : [];
  const widths = fitWidths({ ...options, natural, words, room });
  return rows
    .flatMap((row, y) => {
      const cells = widths.map((columnWidth, x) => {
        const cell = row[x] ?? { text: '' };
        const paint = cell.paint ?? ((line: string) => line);
        return wrapCell(cell, texts[y]?.[x] ?? '', columnWidth).map(paint);
      });
      return drawRow(cells, widths);
    })
    .map((line) => (' '.repeat(indent) + line).trimEnd());
}
