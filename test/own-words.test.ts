import { expect, test } from 'vitest';
import { ownDocument, ownLines, ownWords, REACHING } from '../src/commands/own-words.ts';
import type { ProgramIo } from '../src/commands/io.ts';
import { createProgram } from '../src/program.ts';

const ARGV = 'status --connection b1 -c exam.yml -u a.yml -u b.yml --connections=my file.yml'.split(
  / (?!file)/,
);
const WHERE = "--connection b1 --connections 'my file.yml'";

test.each([
  ['`deploy-stand cleanup --expired`', `\`deploy-stand cleanup ${WHERE} --expired\``],
  ['deploy-stand doctor', `deploy-stand doctor ${WHERE}`],
  ['with: deploy-stand snapshot delete s1 --lab x', `with: deploy-stand snapshot delete s1 ${WHERE} --lab x`],
  ['one\ndeploy-stand cleanup --lab x\n', `one\ndeploy-stand cleanup ${WHERE} --lab x\n`],
  [
    '`deploy-stand doctor -c lab.yml -u users.yml`',
    `\`deploy-stand doctor ${WHERE} -c exam.yml -u a.yml -u b.yml\``,
  ],
  ['`deploy-stand connections encrypt`', "`deploy-stand connections encrypt --connections 'my file.yml'`"],
  // What says where it goes already, reaches no cluster, or is no command.
  [
    '`deploy-stand power resume --connection b2`',
    "`deploy-stand power resume --connections 'my file.yml' --connection b2`",
  ],
  ...[
    '`deploy-stand show p.json`',
    '`deploy-stand deploy --help`',
    'deploy-stand runs on it',
    'kind: deploy-stand v1',
  ].map((text) => [text, text]),
])('%s', (text, own) => {
  expect(ownWords(text, ARGV)).toBe(own);
  expect(ownWords(own, ARGV)).toBe(own);
  expect(ownWords(text, ['status', '--lab', 'x'])).toBe(text);
});

test('standard input is no file to name; a simulator without a scenario keeps its state', () => {
  const text = '`deploy-stand reset --reclone -c lab.yml`';
  expect(ownWords(text, ['deploy', '-c', '-', '--simulate', '--simulate-state', 's'])).toBe(
    '`deploy-stand reset --simulate --simulate-state s --reclone -c lab.yml`',
  );
});

test('documents are read through, but for what they are called; grown lines are folded', () => {
  const document = { kind: 'deploy-stand report', at: [{ hint: 'deploy-stand doctor', n: 1, none: null }] };
  expect(ownDocument(document, ARGV)).toEqual({
    kind: 'deploy-stand report',
    at: [{ hint: `deploy-stand doctor ${WHERE}`, n: 1, none: null }],
  });
  expect(ownLines('  a `deploy-stand doctor` tells more', ['--connection', 'b1'], 36)).toBe(
    '  a\n  `deploy-stand doctor --connection b1`\n  tells more'.replace('a\n  `', 'a\n  `'),
  );
});

test('each command is known to reach a cluster or not', () => {
  const io = { env: {}, stdout: process.stdout, stderr: process.stderr } as unknown as ProgramIo;
  const names = createProgram(io).commands.map((command) => command.name());
  const nothing = [
    'completion',
    'completion-server',
    'graph',
    'help',
    'init',
    'show',
    'simulate',
    'validate',
  ];
  expect(names.filter((name) => !REACHING.has(name) && !nothing.includes(name))).toEqual([]);
  expect([...REACHING].filter((name) => !names.includes(name))).toEqual([]);
});
