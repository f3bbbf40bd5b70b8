/** Writes results to stdout as text or as documents, and words to stderr. */
import { labelled } from '../lib/render/layout.ts';
import { widthOf } from '../lib/ui/width.ts';
import { documentText, streamedText } from './document-text.ts';
import type { ProgramIo } from './io.ts';
import type { GlobalFlags } from './options.ts';
import { ownDocument, ownLines, ownWords } from './own-words.ts';

interface Ended {
  readonly isNothing: boolean;
  readonly warnings: readonly string[];
}

export interface Output {
  readonly color: boolean;
  readonly width: number;
  readonly isText: boolean;
  /** Everything in full, however often the same is said. */
  readonly wide: boolean;
  /** The one document of this command. */
  result(document: unknown, text: () => string): void;
  /** The same of one of many that follow each other: each can be told from the next. */
  inStream(document: unknown, text: () => string): void;
  /** The same of a run: where nothing was done, and nothing is left to do, `--quiet` leaves the text out, but for warnings. */
  ended(run: Ended, document: unknown, text: () => string): void;
  warn(text: string): void;
}

export function createOutput(
  io: ProgramIo,
  flags: Pick<GlobalFlags, 'output' | 'color' | 'quiet' | 'wide'>,
): Output {
  const wantsColor = flags.color && io.env['NO_COLOR'] === undefined && io.env['TERM'] !== 'dumb';
  const output: Output = {
    color: wantsColor && io.stdout.isTTY === true,
    width: widthOf(io.stdout),
    isText: flags.output === 'text',
    wide: flags.wide === true,
    result: (document, text) => {
      if (flags.output === 'text') {
        io.stdout.write(`${ownLines(text().trimEnd(), io.argv, widthOf(io.stdout))}\n`);
        return;
      }
      io.stdout.write(documentText(ownDocument(document, io.argv), flags.output));
    },
    inStream: (document, text) => {
      if (flags.output === 'text') output.result(document, text);
      else io.stdout.write(streamedText(ownDocument(document, io.argv), flags.output));
    },
    ended: ({ isNothing, warnings }, document, text) => {
      const isSilent = isNothing && flags.quiet === true && flags.output === 'text';
      if (!isSilent) output.result(document, text);
      else for (const warning of warnings) output.warn(warning);
    },
    warn: (text) => {
      const lines = labelled('warning', ownWords(text, io.argv), { width: widthOf(io.stderr) });
      io.stderr.write(`${lines.join('\n')}\n`);
    },
  };
  return output;
}
