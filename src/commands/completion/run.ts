/** Writes the script for a shell, and answers what it asks while somebody types. Contacts nothing, complains of nothing. */
import tabtab from '@pnpm/tabtab';
import type { Command } from 'commander';
import { connectionNames, presentFile, readConnections } from '../../lib/config/connections/file.ts';
import { filesBeside } from '../../lib/files/beside.ts';
import { escapeControl } from '../../lib/render/escape.ts';
import { describeStarter, STARTERS } from '../../lib/starters/catalogue.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { connectionOptions } from '../session.ts';
import { candidatesFor, type Candidates, type Names } from './candidates.ts';

const NAME = 'deploy-stand';

export type ShellName = 'bash' | 'zsh' | 'fish' | 'powershell';

/** What the maker of the scripts calls them. */
const TABTAB_NAMES = {
  bash: 'bash',
  zsh: 'zsh',
  fish: 'fish',
  powershell: 'pwsh',
} as const satisfies Readonly<Record<ShellName, string>>;

export async function writeScript(io: ProgramIo, shell: ShellName): Promise<void> {
  const script = await tabtab.getCompletionScript({
    name: NAME,
    completer: NAME,
    shell: TABTAB_NAMES[shell],
  });
  io.stdout.write(`${(shell === 'zsh' ? completingValues(script) : script).trimEnd()}\n`);
}

/** `--config=la`: a file is what comes after the sign. */
const completingValues = (script: string): string =>
  script.replace(/^ +_files$/m, "      compset -P '--*='\n$&");

/** Nobody is told why a file is not read while he types. */
function orNone(read: () => readonly string[]): readonly string[] {
  try {
    return read();
  } catch {
    return [];
  }
}

const CREDENTIALS = /^credentials-(.+)\.csv$/;

function namesOf(io: ProgramIo, flags: GlobalFlags): Names {
  return {
    connections: () =>
      orNone(() => {
        const file = presentFile(connectionOptions(io, flags));
        return file === undefined ? [] : connectionNames(readConnections(file).value);
      }),
    // The labs that were deployed from this folder: each left a file with passwords.
    labs: () =>
      filesBeside('.', (name) => CREDENTIALS.test(name)).map((name) => CREDENTIALS.exec(name)?.[1] ?? ''),
    starters: () => STARTERS.map((name) => ({ name, description: describeStarter(name) })),
  };
}

/** As far as the cursor. PowerShell writes two quotes for a word that is yet empty. */
function wordsOf(env: ProgramIo['env']): string[] {
  const { line, point } = tabtab.parseEnv({ ...env });
  const written = line.slice(0, point > 0 ? point : undefined);
  const [, ...words] = written.trimStart().split(/\s+/);
  return words.map((word) => (/^`?"`?"$/.test(word) ? '' : word));
}

/** What the scripts take for a wish to complete files. */
const FILES = '__tabtab_complete_files__';

function linesOf(candidates: Candidates, io: ProgramIo): string[] {
  const shell = tabtab.getShellFromEnv(io.env);
  // Bash completes files by itself where nothing is answered (`-o default`); asked to, the script would look for the
  // number of the word in place of the word.
  if (candidates === 'files') return shell === 'bash' ? [] : [FILES];
  const lines: string[] = [];
  const items = candidates.map(({ name, description = '' }) => ({
    name: escapeControl(name),
    description: escapeControl(description),
  }));
  tabtab.log(items, shell, (line) => void lines.push(line));
  return lines;
}

export function answerShell(io: ProgramIo, program: Command): void {
  const candidates = candidatesFor(wordsOf(io.env), program, namesOf(io, program.opts<GlobalFlags>()));
  for (const line of linesOf(candidates, io)) io.stdout.write(`${line}\n`);
}
