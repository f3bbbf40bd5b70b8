/** Every command line that the documentation and the examples show goes through the real one: options, values, arguments. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { split } from 'shlex';
import { expect, test } from 'vitest';
import type { ProgramIo } from '../../src/commands/io.ts';
import { createProgram } from '../../src/program.ts';

const nowhere = { write: () => true };
const newProgram = () => createProgram({ env: {}, stdout: nowhere, stderr: nowhere } as unknown as ProgramIo);
const names = new Set(newProgram().commands.map((command) => command.name()));

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(json|svg)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));

const FILES = [
  'README.md',
  'CONTRIBUTING.md',
  ...['docs', 'examples', 'starters'].flatMap(filesBelow),
].filter((file) => !file.startsWith('docs/adr/'));

/** What of a word is only said to be left out, or to be one of several: prose. */
const PROSE = /…|\.\.\.|^\[|\]$|[|{]|^[A-Z][A-Z,=]*$/;

/** In place of what a reader puts in. */
const VALUES: readonly (readonly [RegExp, string])[] = [
  [/^(NAME|ID|LAB|NODE|FILE|FOLDER|MACHINE)$/, 'x'],
  [/^\$class$/, '--lab=x'],
  [/^DATE$/, '2027-01-31'],
  [/^"?\$\w+"?$/, 'x'],
  [/^\$\{\w+\}/, 'x'],
];

function wordsOf(text: string): string[] {
  const [line = ''] = text.split(/ +#| (?:\||\|\||&&|>|>>|2>) |[;)]/);
  const words = split(line.replace(/ \\$/, '').trim());
  return words.map((word) => VALUES.reduce((now, [what, put]) => now.replace(what, put), word));
}

/** In blocks and files a line, at a prompt or not; else between backquotes. */
function linesOf(file: string): string[] {
  const text = readFileSync(file, 'utf8').replaceAll(/ \\\n\s*/g, ' ');
  const found = [
    ...text.matchAll(
      /^(?:[$#]|ExecStart=|[ \t]*- |\S+ \S+ \S+ \S+ \S+ +\S+ )? *(?:.*(?:&&|; ) ?)?(?:\/usr\/bin\/)?deploy-stand ([a-z][^`\n]*)$/gm,
    ),
    ...text.matchAll(/`deploy-stand ([a-z][^`\n]*)`/g),
  ];
  return found.map(([, line = '']) => line);
}

/** The line is sound: here it ends. */
const SOUND = new Error('nothing is carried out');

/** What the command line says against it; undefined: it would be carried out, or is a sentence. */
async function refusal(words: readonly string[]): Promise<string | undefined> {
  const [command] = words;
  if (words.some((word) => PROSE.test(word)) || !names.has(command ?? '')) return undefined;
  const program = newProgram();
  program.hook('preAction', () => {
    throw SOUND;
  });
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return error === SOUND || /commander\.(help|version)/.test(code ?? '') ? undefined : message;
  }
  return 'nothing would be carried out';
}

test('command lines', async () => {
  const lines = new Map(FILES.flatMap((file) => linesOf(file).map((line) => [line, file] as const)));
  expect(lines.size).toBeGreaterThan(100);
  const wrong: string[] = [];
  const tried = new Set<string>();
  for (const [line, file] of lines) {
    const words = wordsOf(line);
    if (tried.has(words.join(' '))) continue;
    tried.add(words.join(' '));
    const problem = await refusal(words);
    if (problem !== undefined) wrong.push(`${file}: ${line}: ${problem}`);
  }
  expect(wrong).toEqual([]);
});
