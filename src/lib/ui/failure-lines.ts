/** One failure as lines for people, the same on a terminal and in a log. */
import { paragraph, labelled } from '../render/layout.ts';
import { createPaint, type Paint } from '../render/paint.ts';
import type { Failure } from './progress.ts';
import type { UiContext } from './types.ts';
import { widthOf } from './width.ts';

interface Style {
  readonly paint: Paint;
  /** As of now: a window is made wider and narrower. */
  readonly width: () => number;
}

export function styleOf({ stream, color }: Pick<UiContext, 'stream' | 'color'>): Style {
  return { paint: createPaint(color), width: () => widthOf(stream) };
}

function failureLines(failure: Failure, style: Style): string {
  const { paint } = style;
  const width = style.width();
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
export function createFailureTeller(style: Style): (failure: Failure) => string | undefined {
  const counts = new Map<string, number>();
  return (failure) => {
    const { message, code = '' } = failure;
    // Of another machine or node it is the same.
    const key = `${code} ${message.replaceAll(/\d+/g, '#')}`;
    const before = counts.get(key) ?? 0;
    counts.set(key, before + 1);
    if (before < ENOUGH) return failureLines(failure, style);
    if (before > ENOUGH) return undefined;
    const text = `failed: others, in the same way: ${code === '' ? message : `[${code}]`}; the result names them`;
    return [...paragraph(text, { width: style.width(), hang: 2, paint: style.paint.red }), ''].join('\n');
  };
}

export function warningLines(text: string, { paint, width }: Style): string {
  return [...labelled('warning', text, { width: width(), paint: paint.yellow }), ''].join('\n');
}
