/** Runs the program that prints a secret. No shell, no input, no terminal; what it prints is never shown. */
import { spawn } from 'node:child_process';
import type { Parsed } from './parts.ts';
import type { Env } from './env.ts';
import { printable } from '../input/issues.ts';

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 64 * 1024;
const MAX_COMPLAINT = 400;

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly failure?: string;
}

export interface SecretCommand {
  readonly argv: readonly string[];
  /** Working directory. */
  readonly folder: string;
  readonly env: Env;
}

function run({ argv, folder, env }: SecretCommand): Promise<Ended> {
  const [program = '', ...args] = argv;
  return new Promise((done) => {
    const child = spawn(program, args, { cwd: folder, env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let size = 0;
    const end = (failure?: string): void => {
      clearTimeout(timer);
      // A grandchild may hold the pipes open for as long as it lives.
      child.stdout.destroy();
      child.stderr.destroy();
      child.kill('SIGKILL');
      const textOf = (name: 'stdout' | 'stderr'): string => Buffer.concat(chunks[name]).toString('utf8');
      done({
        stdout: textOf('stdout'),
        stderr: textOf('stderr'),
        ...(failure === undefined ? {} : { failure }),
      });
    };
    const timer = setTimeout(() => end(`did not end within ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BYTES) end('prints more than a secret');
        else chunks[name].push(chunk);
      });
    }
    child.once('error', (error: NodeJS.ErrnoException) =>
      end(`cannot be started (${error.code ?? error.name})`),
    );
    child.once('close', (code, signal) => {
      if (code === 0) end();
      else end(code === null ? `was ended by ${signal ?? 'a signal'}` : `ended with exit code ${code}`);
    });
  });
}

/** What the program prints, as printed. The problem shows the program's name and its complaint, no argument. */
export async function runSecretCommand(command: SecretCommand): Promise<Parsed<string>> {
  const { stdout, stderr, failure } = await run(command);
  if (failure === undefined) return { value: stdout };
  const lines = stderr
    .trim()
    .split(/\s*\n\s*/)
    .join(' / ');
  const complaint = lines === '' ? '' : `: ${lines.slice(-MAX_COMPLAINT)}`;
  return {
    problem: `the program "${printable(command.argv[0] ?? '')}" ${failure}${complaint}`,
    hint: 'run the command by hand in the folder of this file: it has to print the secret and nothing else',
  };
}
