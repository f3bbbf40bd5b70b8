/** Listener that tells no progress (`--progress none`): failures are in the result; what is warned of stands nowhere else. */
import { styleOf, warningLines } from './failure-lines.ts';
import type { Ui, UiContext } from './types.ts';

function ignore(): void {
  // nothing is said
}

export function createSilentUi({ stream, color }: UiContext): Ui {
  const style = styleOf({ stream, color });
  const warn: Ui['warn'] = (text) => stream.write(warningLines(text, style));
  return { phase: ignore, warn, start: ignore, event: ignore, done: ignore };
}
