/** What is shown of look after look: on a terminal the whole anew, elsewhere what changed, as lines or as a document each. */
import type { Clock } from '../lib/clock.ts';
import type { JsonObject } from '../lib/render/ordered-json.ts';
import type { ProgramIo } from './io.ts';
import type { Output } from './output.ts';

const CLEAR = '\u001B[2J\u001B[H';
const QUIET_MS = 5 * 60_000;

/** One look. `changes`: since the one before; absent: there is none. */
export interface ShownLook {
  readonly now: string;
  readonly changes: readonly string[] | undefined;
  readonly text: () => string;
  readonly document: () => JsonObject;
}

/**
 * That nobody reads a pipe any more is known by writing alone: so the first look that finds nothing new is told, too, and
 * after that one every five minutes. `| head -1` and `| grep -m1` end with the look after theirs.
 */
export class Again {
  readonly #io: ProgramIo;
  readonly #output: Pick<Output, 'isText' | 'inStream'>;
  readonly #clock: Clock;
  #quietSince: number | undefined;

  constructor(io: ProgramIo, output: Pick<Output, 'isText' | 'inStream'>, clock: Clock) {
    this.#io = io;
    this.#output = output;
    this.#clock = clock;
  }

  show({ now, changes, text, document }: ShownLook): void {
    const { stdout } = this.#io;
    const { isText } = this.#output;
    const isQuiet = changes?.length === 0;
    if (isText && stdout.isTTY === true) stdout.write(`${CLEAR}${text()}\n`);
    else if (isQuiet && !this.#isDue()) return;
    else if (!isText) this.#output.inStream(document(), text);
    else if (isQuiet) stdout.write(`${now.replace(/\.\d+Z$/, 'Z')} nothing new\n`);
    else stdout.write(`${changes?.join('\n') ?? text()}\n`);
    this.#quietSince = isQuiet ? this.#clock.now() : undefined;
  }

  #isDue(): boolean {
    return this.#quietSince === undefined || this.#clock.now() - this.#quietSince >= QUIET_MS;
  }
}
