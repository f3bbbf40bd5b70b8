import { describe, expect, test } from 'vitest';
import { ConfigError, PlanRefusedError, type ConfigIssue } from '../../src/lib/errors.ts';
import { toErrorDocument } from '../../src/lib/render/error-json.ts';
import { renderError, renderIssues } from '../../src/lib/render/error-text.ts';
import { stripColor } from './fixtures.ts';

const issues: readonly ConfigIssue[] = [
  {
    file: 'lab.yml',
    line: 3,
    column: 5,
    path: 'machines[0].name',
    message: 'must be a legal host name',
    value: 'Моя машина',
    hint: 'use letters, digits and hyphens',
  },
  { file: 'lab.yml', line: 14, path: 'machines[2].networks[0].bridge', message: 'is missing' },
  { file: 'users.csv', path: '', message: 'the file "users.csv" is empty', value: 'users.csv' },
];

describe('renderIssues', () => {
  test('in columns where there is room', () => {
    expect(renderIssues(issues, { width: 120, color: false })).toMatchInlineSnapshot(`
      "lab.yml:3:5  machines[0].name                must be a legal host name, got Моя машина
                                                   hint: use letters, digits and hyphens
      lab.yml:14   machines[2].networks[0].bridge  is missing
      users.csv                                    the file "users.csv" is empty"
    `);
  });

  test('one under another at 80 columns', () => {
    expect(renderIssues(issues, { width: 80, color: false })).toMatchInlineSnapshot(`
      "lab.yml:3:5 machines[0].name
          must be a legal host name, got Моя машина
          hint: use letters, digits and hyphens
      lab.yml:14 machines[2].networks[0].bridge
          is missing
      users.csv
          the file "users.csv" is empty"
    `);
  });

  test('hundreds are cut, and the number of the rest is told', () => {
    const many = Array.from({ length: 130 }, (_, at) => ({ ...issues[1]!, line: at + 1 }));
    const lines = renderIssues(many, { width: 120, color: false }).split('\n');
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toBe('and 80 more; --output json lists them all');
  });

  test('escapes what the file smuggles in', () => {
    const text = renderIssues([{ file: 'a', path: 'b', message: 'bad', value: '\u001b[2J' }], {
      width: 120,
      color: false,
    });
    expect(text).toBe('a  b  bad, got \\x1b[2J');
  });
});

describe('renderError', () => {
  test('message, code, issues, hint', () => {
    const error = new ConfigError('CONFIG', '3 problems in lab.yml and users.csv', {
      issues: issues.slice(1, 2),
      hint: 'see docs/lab-file.md',
    });
    expect(renderError(error, { width: 120, color: false })).toMatchInlineSnapshot(`
      "3 problems in lab.yml and users.csv  [CONFIG]
      lab.yml:14  machines[2].networks[0].bridge  is missing
      hint: see docs/lab-file.md"
    `);
  });

  test('several lines of message and hint', () => {
    const error = new PlanRefusedError('TEMPLATE', 'template 100 is missing\ntemplate 101 is missing', {
      hint: 'name another\nor create it',
    });
    expect(renderError(error, { width: 80, color: false })).toBe(
      [
        'template 100 is missing',
        'template 101 is missing  [TEMPLATE]',
        'hint: name another',
        '      or create it',
      ].join('\n'),
    );
  });

  test('what is true of many is said once, in full where all is asked for', () => {
    const inFull = 'there is no room\n  for anna@pve\n  for boris@pve';
    const error = new PlanRefusedError('FULL', 'there is no room\n  for anna@pve (and 1 more)', { inFull });
    const options = { width: 80, color: false };
    expect(renderError(error, options)).toBe('there is no room\n  for anna@pve (and 1 more)  [FULL]');
    expect(renderError(error, { ...options, wide: true })).toBe(`${inFull}  [FULL]`);
    expect(toErrorDocument(error)).toMatchObject({ error: { message: inFull } });
  });

  test('colour changes nothing but colour', () => {
    const error = new ConfigError('CONFIG', 'bad', { issues, hint: 'h' });
    const colored = renderError(error, { width: 120, color: true });
    expect(colored).toContain('\u001b[31mbad  [CONFIG]\u001b[39m');
    expect(stripColor(colored)).toBe(renderError(error, { width: 120, color: false }));
  });
});
