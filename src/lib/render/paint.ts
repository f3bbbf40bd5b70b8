/** Colours, or none. The caller decides (NO_COLOR, pipes); nothing here looks at a stream or the environment. */
import { styleText } from 'node:util';

export type Brush = (text: string) => string;

export interface Paint {
  readonly bold: Brush;
  readonly dim: Brush;
  readonly red: Brush;
  readonly green: Brush;
  readonly yellow: Brush;
  readonly cyan: Brush;
}

function brush(format: Parameters<typeof styleText>[0], color: boolean): Brush {
  if (!color) return (text) => text;
  // Node 22.13+ would ask stdout whether it likes colours.
  return (text) => (text === '' ? '' : styleText(format, text, { validateStream: false }));
}

export function createPaint(color: boolean): Paint {
  return {
    bold: brush('bold', color),
    dim: brush('dim', color),
    red: brush('red', color),
    green: brush('green', color),
    yellow: brush('yellow', color),
    cyan: brush('cyan', color),
  };
}
