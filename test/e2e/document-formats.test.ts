/** What stdout is under `--output json` and `--output yaml`, also where nothing came of a command. */
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { ProgramIo } from '../../src/commands/io.ts';
import { createOutput } from '../../src/commands/output.ts';
import type { DocumentFormat } from '../../src/commands/output-formats.ts';
import { runCli } from './harness.ts';

const READ: Readonly<Record<DocumentFormat, (text: string) => unknown>> = {
  json: (text) => JSON.parse(text),
  yaml: (text) => parse(text),
};

describe.each(['json', 'yaml'] as const)('--output %s: an error is a document', (format) => {
  const notThere = { error: { code: 'CONFIG_INVALID', message: expect.stringContaining('absent.yml') } };
  const usage = { error: { code: 'USAGE', message: "unknown option '--absent'", hint: 'see --help' } };
  test.each([
    ['of a command', ['validate', '-c', 'absent.yml', '--output', format], {}, notThere],
    ['the option in one word', ['validate', '-c', 'absent.yml', `--output=${format}`], {}, notThere],
    ['of the environment', ['validate', '-c', 'absent.yml'], { DEPLOY_STAND_OUTPUT: format }, notThere],
    ['of usage', ['status', '--absent', '--output', format], {}, usage],
    ['of usage, by the environment', ['status', '--absent'], { DEPLOY_STAND_OUTPUT: format }, usage],
  ])('%s', async (_, argv, env, document) => {
    const { code, stdout, stderr } = await runCli(argv, undefined, { env });
    expect([code, READ[format](stdout)]).toEqual([
      2,
      expect.objectContaining({ error: expect.objectContaining(document.error) }),
    ]);
    expect(stderr).not.toBe('');
  });

  test('the command line goes before the environment', async () => {
    const { stdout } = await runCli(['validate', '-c', 'absent.yml', '--output', 'text'], undefined, {
      env: { DEPLOY_STAND_OUTPUT: format },
    });
    expect(stdout).toBe('');
  });
});

test('yaml is not json', async () => {
  const { stdout } = await runCli(['validate', '-c', 'absent.yml', '--output', 'yaml'], undefined);
  expect(stdout).toMatch(/^error:\n/);
});

test('documents that follow each other can be told apart: a line of JSON each, or a document of a YAML stream', () => {
  const written = (output: DocumentFormat): string => {
    const texts: string[] = [];
    const stream = { write: (text: string) => texts.push(text) };
    const io = { stdout: stream, stderr: stream, env: {}, argv: [] } as unknown as ProgramIo; // all that output asks
    const out = createOutput(io, { output, color: false });
    for (const round of [1, 2]) out.inStream({ round, name: 'a\u001Bb' }, () => '');
    return texts.join('');
  };
  const both = [1, 2].map((round) => ({ round, name: 'a\u001Bb' }));
  const lines = written('json').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(both);
  const documents = parseAllDocuments(written('yaml'));
  expect([...documents].map((document) => document.toJS() as unknown)).toEqual(both);
});
