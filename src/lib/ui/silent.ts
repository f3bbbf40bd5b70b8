/** Listener that tells no progress (`--progress none`): failures are in the result; what is warned of stands nowhere else. */
import { createPaint } from '../render/paint.ts';
import { warningLines } from './failure-lines.ts';
import { widthOf } from './width.ts';
import type { Ui, UiContext } from './types.ts';

function ignore(): void {
  // nothing is said
}

export function createSilentUi({ stream, color }: UiContext): Ui {
  const paint = createPaint(color);
  const told = { paint, width: () => widthOf(stream) };
  const warn: Ui['warn'] = (text) => stream.write(warningLines(text, told));
  return { phase: ignore, warn, start: ignore, event: ignore, done: ignore };
}
