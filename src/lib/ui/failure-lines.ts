/** One failure as lines for people, the same on a terminal and in a log. */
import { paragraph, labelled } from '../render/layout.ts';
import type { Paint } from '../render/paint.ts';
import type { Failure } from './progress.ts';

/** Never wrapped: a terminal does it itself, and a log wants whole lines. */
const width = Infinity;

export function failureLines(failure: Failure, paint: Paint): string {
  const { user, work, message, code, hint } = failure;
  const what = user === undefined ? work : `${user}: ${work}`;
  const why = code === undefined ? message : `${message}  [${code}]`;
  return [
    ...paragraph(`failed: ${what}: ${why}`, { width, hang: 2, paint: paint.red }),
    ...(hint === undefined ? [] : labelled('hint', hint, { width, indent: 2 })),
    '',
  ].join('\n');
}

export function warningLines(text: string, paint: Paint): string {
  return [...labelled('warning', text, { width, paint: paint.yellow }), ''].join('\n');
}
