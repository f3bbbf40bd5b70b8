#!/usr/bin/env node
/** The bin, and the one error boundary: errors become text (or a document) and an exit code here and nowhere else. */
import { realpathSync } from 'node:fs';
import { CommanderError } from 'commander';
import envPaths from 'env-paths';
import { saysYes } from './commands/environment.ts';
import type { ProcessSignal, ProgramIo } from './commands/io.ts';
import { askedFormat } from './commands/output-formats.ts';
import { processSignature } from './commands/owner.ts';
import { toStandError } from './commands/stand-error.ts';
import { createClock } from './lib/clock.ts';
import { InternalError, UsageError, type StandError } from './lib/errors.ts';
import { EXIT, type ExitCode, type StopSignal } from './lib/exit.ts';
import { widthOf } from './lib/ui/width.ts';
import { createProgram } from './program.ts';

type OfOneRun = 'setExitCode' | 'exitCode' | 'argv' | 'readerGone';

/** Under a format of documents an error is one, too. */
async function writeDocument(error: StandError, argv: readonly string[], io: ProgramIo): Promise<void> {
  const format = askedFormat(argv, io);
  if (format === 'text') return;
  const { toErrorDocument } = await import('./lib/render/error-json.ts');
  const { ownDocument } = await import('./commands/own-words.ts');
  const { documentText } = await import('./commands/document-text.ts');
  io.stdout.write(documentText(ownDocument(toErrorDocument(error), argv), format));
}

async function report(error: StandError, argv: readonly string[], io: ProgramIo): Promise<ExitCode> {
  const { renderError } = await import('./lib/render/error-text.ts');
  const { ownLines } = await import('./commands/own-words.ts');
  const { redactText } = await import('./lib/redact.ts');
  const { escapeLines } = await import('./lib/render/escape.ts');
  await writeDocument(error, argv, io);
  const color = io.stderr.isTTY === true && io.env['NO_COLOR'] === undefined && !argv.includes('--no-color');
  const width = widthOf(io.stderr);
  const wide = argv.includes('--wide') || saysYes(io.env['DEPLOY_STAND_WIDE']);
  io.stderr.write(`${ownLines(renderError(error, { color, width, wide }), argv, width)}\n`);
  if (error instanceof InternalError && error.cause instanceof Error)
    io.stderr.write(`${escapeLines(redactText(error.cause.stack ?? '')).join('\n')}\n`);
  return error.exitCode;
}

/** commander has written its message to stderr already. */
async function reportUsage(error: CommanderError, argv: readonly string[], io: ProgramIo): Promise<ExitCode> {
  if (error.exitCode === 0) return EXIT.done;
  const message = error.message.replace(/^error: /, '');
  await writeDocument(new UsageError('USAGE', message, { hint: 'see --help' }), argv, io);
  return EXIT.usage;
}

/** The codes of a pipe that was closed, a terminal that is gone, and of what is written after either. */
const GONE: ReadonlySet<unknown> = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED']);

/**
 * What a stream does not take is lost; the work goes on. A reader that closes the pipe early (`| head`) is no error, and
 * neither is a conversation that nobody hears; a full disk for the result is.
 */
class Streams {
  readonly #io: Pick<ProgramIo, 'stdout' | 'stderr'>;
  readonly #gone = new AbortController();
  isUndelivered = false;

  constructor(io: Pick<ProgramIo, 'stdout' | 'stderr'>) {
    this.#io = io;
    io.stderr.on('error', () => undefined);
    io.stdout.on('error', (error: NodeJS.ErrnoException) => this.#lose(error));
  }

  get readerGone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Resolves when it is known what became of all that was written. */
  async settle(): Promise<void> {
    await new Promise<void>((resolve) => this.#io.stdout.write('', () => resolve()));
    // The error of a write is told in a later turn than the end of the next one.
    await new Promise((resolve) => setImmediate(resolve));
  }

  #lose({ code, message }: NodeJS.ErrnoException): void {
    if (GONE.has(code)) {
      this.#gone.abort();
      return;
    }
    if (!this.isUndelivered)
      this.#io.stderr.write(`the result cannot be written to stdout: ${message}  [OUTPUT]\n`);
    this.isUndelivered = true;
  }
}

async function run(argv: readonly string[], io: ProgramIo): Promise<ExitCode> {
  try {
    await createProgram(io, argv[0]).parseAsync(argv, { from: 'user' });
    return io.exitCode();
  } catch (error) {
    if (error instanceof CommanderError) return reportUsage(error, argv, io);
    return await report(toStandError(error), argv, io);
  }
}

/** Runs one command line (without `node` and script) and answers its exit code. */
export async function main(argv: readonly string[], io: Omit<ProgramIo, OfOneRun>): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  const streams = new Streams(io);
  const code = await run(argv, {
    ...io,
    argv,
    readerGone: streams.readerGone,
    setExitCode: (value) => void (exitCode = value),
    exitCode: () => exitCode,
  });
  await streams.settle();
  return code === EXIT.done && streams.isUndelivered ? EXIT.partial : code;
}

/** What the process itself offers. */
export function processIo(): Omit<ProgramIo, OfOneRun> {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    configDir: envPaths('deploy-stand', { suffix: '' }).config,
    clock: createClock(),
    signature: processSignature(),
    onSignal: (listener) => {
      let count = 0;
      const onStop = (signal: StopSignal): void => {
        listener(signal);
        count += 1;
        // Asked twice: leave at once. What PVE is doing goes on there, and the next run looks at it.
        if (count > 1) process.exit(EXIT[signal]);
      };
      const heard = {
        SIGINT: () => onStop('SIGINT'),
        SIGTERM: () => onStop('SIGTERM'),
        SIGHUP: () => listener('SIGHUP'),
      } satisfies Record<ProcessSignal, () => void>;
      for (const [signal, hear] of Object.entries(heard)) process.on(signal, hear);
      return () => {
        for (const [signal, hear] of Object.entries(heard)) process.off(signal, hear);
      };
    },
  };
}

const entry = process.argv[1];
if (entry !== undefined && realpathSync(entry) === import.meta.filename) {
  const exitCode = await main(process.argv.slice(2), processIo());
  if (exitCode !== 0) process.exitCode = exitCode;
}
