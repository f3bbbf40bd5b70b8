/** Every command that the documentation shows is one, and has the options that are shown with it. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import type { ProgramIo } from '../../src/commands/io.ts';
import { createProgram } from '../../src/program.ts';

const program = createProgram({ env: {}, stdout: {}, stderr: {} } as unknown as ProgramIo); // nothing is run by it

const PAGES = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);

/** What stands behind `deploy-stand`, in blocks and between backquotes, up to a pipe, a comment or the next command. */
function commandsOf(text: string): string[] {
  const found = text.matchAll(/(?<![\w./-])deploy-stand ([a-z][^`\n]*)/g);
  return [...found].map(([, words = '']) => words.split(/ *(?:#|[|;>&)]|\\$)/)[0]?.trim() ?? '');
}

function leafOf(words: readonly string[]): Command | undefined {
  let at: Command = program;
  for (const word of words) {
    if (word.startsWith('-')) break;
    const below = at.commands.find((one) => one.name() === word);
    if (!below) break;
    at = below;
  }
  return at === program ? undefined : at;
}

function wrongIn(line: string): string[] {
  const words = line.split(/\s+/);
  const command = leafOf(words);
  // Prose: "deploy-stand is started".
  if (!command) return words.some((word) => word.startsWith('--')) ? [`${line}: no command`] : [];
  const known = [...command.options, ...program.options].flatMap(({ long, short }) => [long, short]);
  return words
    .flatMap((word) => /^(--?[a-z][a-z-]*)(?:=.*)?$/.exec(word)?.[1] ?? [])
    .filter((option) => !known.includes(option) && !['--help', '-h', '--version'].includes(option))
    .map((option) => `${line}: ${option}`);
}

test.each(PAGES)('%s', (page) => {
  expect(commandsOf(readFileSync(page, 'utf8')).flatMap(wrongIn)).toEqual([]);
});

/** What is done to a class while it runs, each shown with its output. */
const SHOWN = ['snapshot', 'reset', 'status', 'access', 'extend', 'power', 'cleanup'];

test('each command on stands is shown as it is typed, with what it prints', () => {
  const blocks = PAGES.flatMap((page) => [
    ...readFileSync(page, 'utf8').matchAll(/^\$ deploy-stand (.*)\n(?!\$|```)/gm),
  ]).map(([, line = '']) => `${line} `);
  const paths = program.commands
    .filter((one) => SHOWN.includes(one.name()))
    .flatMap((one) => [
      ...(one.commands.length === 0 ? [one.name()] : []),
      ...one.commands.filter((sub) => sub.name() !== 'help').map((sub) => `${one.name()} ${sub.name()}`),
    ]);
  expect(paths.length).toBeGreaterThan(SHOWN.length);
  expect(paths.filter((path) => !blocks.some((line) => line.startsWith(`${path} `)))).toEqual([]);
});
