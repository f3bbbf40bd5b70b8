import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { putEntry, putKey, removeEntry } from '../../src/lib/connections-edit/entries.ts';

const entry = { host: 'pve9:8006', user: 'a@pve', use_token: false, password: 'env:X' };
const BLOCK = 'new:\n  host: pve9:8006\n  user: a@pve\n  use_token: false\n  password: env:X\n';
const put = (text: string, more: { name?: string; asDefault?: boolean } = {}): string =>
  putEntry(text, 'c.yml', { name: 'new', entry, asDefault: false, ...more });
const remove = (text: string, name: string, isDefault = false): string =>
  removeEntry(text, 'c.yml', { name, isDefault });

const FILE = `# Clusters
default: a

a:
  host: x
  user: a@pve # who
  password: p
  # timeout: 5

# about b
b:
  host: y
  user: b@pve
  password: |
    -----BEGIN AGE ENCRYPTED FILE-----
    -----END AGE ENCRYPTED FILE-----

# about c
c: {host: z, user: c@pve, password: q}
# the end
`;

describe('add', () => {
  test.each<[string, string, string]>([
    ['to nothing', '', `\n${BLOCK}`.trimStart()],
    ['to comments', '# mine\n', `# mine\n\n${BLOCK}`],
    ['to a file', FILE, `${FILE}\n${BLOCK}`],
    ['to a file without a last line break', 'a: {host: x}', `a: {host: x}\n\n${BLOCK}`],
    ['with CRLF', 'a: {host: x}\r\n', `a: {host: x}\r\n\r\n${BLOCK.replaceAll('\n', '\r\n')}`],
    ['to an indented file', '  a: {host: x}\n', `  a: {host: x}\n\n${BLOCK.replaceAll(/^(?=.)/gm, '  ')}`],
  ])('%s', (_, text, expected) => {
    expect(put(text)).toBe(expected);
  });

  test('as the default', () => {
    expect(put(FILE, { asDefault: true })).toBe(`${FILE.replace('default: a', 'default: new')}\n${BLOCK}`);
    expect(put('# head\n\na: {host: x}\n', { asDefault: true })).toBe(
      `# head\n\ndefault: new\na: {host: x}\n\n${BLOCK}`,
    );
    expect(put('', { asDefault: true })).toBe(`default: new\n\n${BLOCK}`);
  });

  test('in place of another, where that stood', () => {
    expect(put(FILE, { name: 'a' })).toBe(
      FILE.replace(/a:\n {2}host: x[\s\S]*?timeout: 5\n/, BLOCK.replace('new', 'a')),
    );
    expect(put(FILE, { name: 'c' })).toContain(`# about c\n${BLOCK.replace('new', 'c')}# the end\n`);
  });

  test.each(['{"a": {"host": "x"}}', '{ a: { host: x } } # end\n'])('to %s', (text) => {
    const changed = put(text, { asDefault: true });
    expect(parse(changed)).toEqual({ a: { host: 'x' }, new: entry, default: 'new' });
    expect(changed.includes('# end')).toBe(text.includes('# end'));
  });

  test('names that look like something else are quoted', () => {
    for (const name of ['123', 'true', 'no', '1.5', '2024-01-01'])
      expect(parse(put('', { name, asDefault: true }))).toMatchObject({ [name]: entry, default: name });
  });
});

describe('remove', () => {
  test('with the comment above it, and nothing else', () => {
    expect(remove(FILE, 'b')).toBe(FILE.replace(/# about b[\s\S]*?(?=# about c)/, ''));
    expect(remove(FILE, 'c')).toBe(FILE.replace(/# about c\nc:.*\n/, ''));
  });

  test('the default loses its line too; the head of the file stays', () => {
    expect(remove(FILE, 'a', true)).toBe(`# Clusters\n\n${FILE.slice(FILE.indexOf('# about b'))}`);
  });

  test('the only one', () => {
    expect(remove('# mine\na:\n  host: x\n', 'a')).toBe('# mine\n');
    expect(remove('a:\n  host: x', 'a')).toBe('');
    expect(parse(remove('{a: {host: x}, b: {host: y}} # end\n', 'a'))).toEqual({ b: { host: 'y' } });
  });
});

describe('one key', () => {
  const trust = (text: string, name: string): string =>
    putKey(text, 'c.yml', { name, key: 'fingerprint', value: 'AB:CD' });

  test.each<[string, string, string, string]>([
    [
      'below the others',
      FILE,
      'a',
      FILE.replace('  # timeout: 5\n', '  # timeout: 5\n  fingerprint: AB:CD\n'),
    ],
    [
      'below a block',
      FILE,
      'b',
      FILE.replace('FILE-----\n\n# about c', 'FILE-----\n  fingerprint: AB:CD\n\n# about c'),
    ],
    ['in one line', FILE, 'c', FILE.replace('password: q}', 'password: q, "fingerprint": "AB:CD"}')],
    ['of JSON', '{"a": {"host": "x"}}', 'a', '{"a": {"host": "x", "fingerprint": "AB:CD"}}'],
    ['in one line, in place', 'a: {fingerprint: [X, Y], host: x}', 'a', 'a: {fingerprint: "AB:CD", host: x}'],
    ['at an open end', 'a:\n  host: x', 'a', 'a:\n  host: x\n  fingerprint: AB:CD\n'],
    [
      'in place',
      'a:\n  fingerprint: "X" # old\n  host: x\n',
      'a',
      'a:\n  fingerprint: AB:CD # old\n  host: x\n',
    ],
    [
      'of a list',
      'a:\r\n  fingerprint:\r\n    - X\r\n    - Y\r\n  host: x\r\n',
      'a',
      'a:\r\n  fingerprint: AB:CD\r\n  host: x\r\n',
    ],
  ])('%s', (_, text, name, expected) => {
    expect(trust(text, name)).toBe(expected);
  });

  test('an entry that stands elsewhere is left', () => {
    expect(() => trust('a: &a\n  host: x\nb: *a\n', 'b')).toThrow('cannot be changed in place');
  });
});
