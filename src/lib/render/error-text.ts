/** An error for people: what happened, where, and the way out. Shows neither stack nor cause. */
import type { ConfigIssue, StandError } from '../errors.ts';
import { escapeControl } from './escape.ts';
import type { FoldOptions } from './fold.ts';
import { displayWidth, labelled, paragraph, renderColumns, type Cell, type RenderOptions } from './layout.ts';
import { createPaint, type Paint } from './paint.ts';

/** A broken roster can have thousands; nobody reads them all. JSON output has every one. */
const MOST_ISSUES = 50;

/** Below this many columns for the message, issues are written one under another. */
const NARROWEST_MESSAGE = 36;

function placeOf({ file, line, column }: ConfigIssue): string {
  return [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(':');
}

/** The value is added unless the message names it already. */
function messageOf({ message, value }: ConfigIssue): string {
  return value === undefined || message.includes(value) ? message : `${message}, got ${value}`;
}

function issueRows(issue: ConfigIssue, paint: Paint): Cell[][] {
  const place: Cell = { text: placeOf(issue), paint: paint.cyan };
  const rows: Cell[][] = [[place, { text: issue.path, paint: paint.dim }, { text: messageOf(issue) }]];
  if (issue.hint !== undefined) rows.push([{ text: '' }, { text: '' }, { text: `hint: ${issue.hint}` }]);
  return rows;
}

function issueBlock(issue: ConfigIssue, width: number, paint: Paint): string[] {
  return [
    ...paragraph(escapeControl(`${placeOf(issue)} ${issue.path}`), { width, hang: 2, paint: paint.cyan }),
    ...paragraph(messageOf(issue), { width, indent: 4 }),
    ...(issue.hint === undefined ? [] : labelled('hint', issue.hint, { width, indent: 4 })),
  ];
}

/** `file:line:column  path  message`, aligned; or stacked when the terminal is too narrow for that. */
export function renderIssues(issues: readonly ConfigIssue[], { width, color }: RenderOptions): string {
  const paint = createPaint(color);
  const shown = issues.slice(0, MOST_ISSUES);
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map((text) => displayWidth(text)));
  const taken = widest(shown.map(placeOf)) + widest(shown.map((issue) => issue.path)) + 4;
  const lines =
    width - taken < NARROWEST_MESSAGE
      ? shown.flatMap((issue) => issueBlock(issue, width, paint))
      : renderColumns(
          shown.flatMap((issue) => issueRows(issue, paint)),
          { width, fixed: [0, 1] },
        );
  const more = issues.length - shown.length;
  return [
    ...lines,
    ...(more === 0 ? [] : paragraph(`and ${more} more; --output json lists them all`, { width })),
  ].join('\n');
}

/** `message  [CODE]`, the issues, the hint. Ends without a line break. */
export function renderError(error: StandError, options: FoldOptions): string {
  const { width, color, wide = false } = options;
  const message = wide ? (error.inFull ?? error.message) : error.message;
  const paint = createPaint(color);
  return [
    ...paragraph(`${message}  [${error.code}]`, { width, paint: paint.red }),
    ...(error.issues.length === 0 ? [] : [renderIssues(error.issues, options)]),
    ...(error.hint === undefined ? [] : labelled('hint', error.hint, { width })),
  ].join('\n');
}
