#!/usr/bin/env node
/** The bin, and the one error boundary: errors become text (or JSON) and an exit code here and nowhere else. */
import { realpathSync } from 'node:fs';
import { CommanderError } from 'commander';
import envPaths from 'env-paths';
import type { ProgramIo } from './commands/io.ts';
import { processSignature } from './commands/owner.ts';
import { toStandError } from './commands/stand-error.ts';
import { createClock } from './lib/clock.ts';
import { InternalError, UsageError, type StandError } from './lib/errors.ts';
import { createProgram } from './program.ts';

type OfOneRun = 'setExitCode' | 'exitCode' | 'argv';

const USAGE = 2;
const UNDELIVERED = 5;
const STOPPED = { SIGINT: 130, SIGTERM: 143 } as const;

/** Machine-readable output is asked for on the command line or by the environment; parsing may have failed. */
function wantsJson(argv: readonly string[], io: ProgramIo): boolean {
  const at = argv.indexOf('--output');
  const asked = argv.includes('--output=json') || (at >= 0 && argv[at + 1] === 'json');
  return asked || io.env['DEPLOY_STAND_OUTPUT'] === 'json';
}

async function report(error: StandError, argv: readonly string[], io: ProgramIo): Promise<number> {
  const { toErrorDocument } = await import('./lib/render/error-json.ts');
  const { renderError } = await import('./lib/render/error-text.ts');
  const { redactText } = await import('./lib/redact.ts');
  const { escapeJson, escapeLines } = await import('./lib/render/escape.ts');
  if (wantsJson(argv, io))
    io.stdout.write(`${escapeJson(JSON.stringify(toErrorDocument(error), null, 2))}\n`);
  const color = io.stderr.isTTY === true && io.env['NO_COLOR'] === undefined && !argv.includes('--no-color');
  io.stderr.write(`${renderError(error, { color, width: io.stderr.columns ?? 100 })}\n`);
  if (error instanceof InternalError && error.cause instanceof Error)
    io.stderr.write(`${escapeLines(redactText(error.cause.stack ?? '')).join('\n')}\n`);
  return error.exitCode;
}

/** commander has written its message to stderr already. */
async function reportUsage(error: CommanderError, argv: readonly string[], io: ProgramIo): Promise<number> {
  if (error.exitCode === 0) return 0;
  if (wantsJson(argv, io)) {
    const { toErrorDocument } = await import('./lib/render/error-json.ts');
    const message = error.message.replace(/^error: /, '');
    const document = toErrorDocument(new UsageError('USAGE', message, { hint: 'see --help' }));
    io.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  }
  return USAGE;
}

/** Runs one command line (without `node` and script) and answers its exit code. */
export async function main(argv: readonly string[], io: Omit<ProgramIo, OfOneRun>): Promise<number> {
  let exitCode = 0;
  const full: ProgramIo = {
    ...io,
    argv,
    setExitCode: (code) => void (exitCode = code),
    exitCode: () => exitCode,
  };
  try {
    await createProgram(full).parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return reportUsage(error, argv, full);
    return await report(toStandError(error), argv, full);
  }
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
    onStop: (listener) => {
      let count = 0;
      const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
        listener(signal);
        count += 1;
        // Asked twice: leave at once. What PVE is doing goes on there, and the next run looks at it.
        if (count > 1) process.exit(STOPPED[signal]);
      };
      const onInt = (): void => onSignal('SIGINT');
      const onTerm = (): void => onSignal('SIGTERM');
      process.on('SIGINT', onInt).on('SIGTERM', onTerm);
      return () => void process.off('SIGINT', onInt).off('SIGTERM', onTerm);
    },
  };
}

const entry = process.argv[1];
if (entry !== undefined && realpathSync(entry) === import.meta.filename) {
  // A reader that closes the pipe early (`| head`) is no error; a full disk is, though the work itself is done.
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') return;
    process.stderr.write(`the result cannot be written to stdout: ${message}  [OUTPUT]\n`);
    process.exitCode ||= UNDELIVERED;
  });
  const exitCode = await main(process.argv.slice(2), processIo());
  if (exitCode !== 0) process.exitCode = exitCode;
}
