/** Chooses the listener. Decides nothing about colour or streams: the caller knows the environment. */
import { createJsonlUi } from './jsonl.ts';
import { createPlainUi } from './plain.ts';
import { createSilentUi } from './silent.ts';
import { createTerminalUi } from './terminal.ts';
import type { Ui, UiContext } from './types.ts';

export type ProgressMode = 'auto' | 'plain' | 'json' | 'none';

export interface UiOptions extends UiContext {
  readonly mode: ProgressMode;
  readonly isTty: boolean;
  /** Warnings and failures only. `json` was asked for and stays complete. */
  readonly quiet: boolean;
}

export function createUi(options: UiOptions): Ui {
  const { mode, isTty, quiet } = options;
  if (mode === 'none') return createSilentUi(options);
  if (mode === 'json') return createJsonlUi(options);
  // A terminal that claims no width (some CI and expect ptys) would make the spinner divide by zero.
  const hasWidth = (options.stream.columns ?? 0) > 0;
  if (mode === 'plain' || quiet || !isTty || !hasWidth) return createPlainUi(options);
  return createTerminalUi(options);
}
