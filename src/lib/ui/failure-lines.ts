/** One failure as lines for people, the same on a terminal and in a log. */
import { paragraph, labelled } from '../render/layout.ts';
import type { Paint } from '../render/paint.ts';
import type { Failure } from './progress.ts';

/** Never wrapped: a terminal does it itself, and a log wants whole lines. */
const width = Infinity;

function failureLines(failure: Failure, paint: Paint): string {
  const { user, work, message, code, hint } = failure;
  const what = user === undefined ? work : `${user}: ${work}`;
  const why = code === undefined ? message : `${message}  [${code}]`;
  return [
    ...paragraph(`failed: ${what}: ${why}`, { width, hang: 2, paint: paint.red }),
    ...(hint === undefined ? [] : labelled('hint', hint, { width, indent: 2 })),
    '',
  ].join('\n');
}

/** Who sees these knows what goes wrong; a node that is gone fails a hundred stands, of which the result tells all. */
const ENOUGH = 3;

/** Failures one after another; undefined: nothing is to be written of this one. */
export function createFailureTeller(paint: Paint): (failure: Failure) => string | undefined {
  const told = new Map<string, number>();
  return (failure) => {
    const { message, code = '' } = failure;
    // Of another machine or node it is the same.
    const key = `${code} ${message.replaceAll(/\d+/g, '#')}`;
    const before = told.get(key) ?? 0;
    told.set(key, before + 1);
    if (before < ENOUGH) return failureLines(failure, paint);
    if (before > ENOUGH) return undefined;
    const text = `failed: others, in the same way: ${code === '' ? message : `[${code}]`}; the result names them`;
    return [...paragraph(text, { width, hang: 2, paint: paint.red }), ''].join('\n');
  };
}

export function warningLines(text: string, paint: Paint): string {
  return [...labelled('warning', text, { width, paint: paint.yellow }), ''].join('\n');
}
