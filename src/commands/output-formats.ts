/** Which formats `--output` knows, and which one was asked for. How each is written: document-text.ts, loaded when there is something to write. */
import type { ProgramIo } from './io.ts';

/** A further one does not compile until document-text.ts says how it is written. */
const FORMATS = { text: true, json: true, yaml: true } as const;

export type OutputFormat = keyof typeof FORMATS;
export type DocumentFormat = Exclude<OutputFormat, 'text'>;

export const OUTPUT_FORMATS: readonly string[] = Object.keys(FORMATS);

const isFormat = (text: string | undefined): text is OutputFormat =>
  text !== undefined && OUTPUT_FORMATS.includes(text);

function writtenFormat(argv: readonly string[]): string | undefined {
  const values = argv.flatMap((word, at) => {
    if (word.startsWith('--output=')) return [word.slice('--output='.length)];
    return word === '--output' ? [argv[at + 1]] : [];
  });
  return values.at(-1);
}

/** For errors: of the command line, else of the environment. Parsing may have failed, so what is no format counts for nothing. */
export function askedFormat(argv: readonly string[], { env }: Pick<ProgramIo, 'env'>): OutputFormat {
  return [writtenFormat(argv), env['DEPLOY_STAND_OUTPUT']].find(isFormat) ?? 'text';
}
