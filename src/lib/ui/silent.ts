/** Listener that says nothing at all (`--progress none`); warnings and failures are in the result. */
import type { Ui } from './types.ts';

function ignore(): void {
  // nothing is said
}

export function createSilentUi(): Ui {
  return { phase: ignore, warn: ignore, start: ignore, event: ignore, done: ignore };
}
