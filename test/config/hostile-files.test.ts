import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadClass, loadLab, loadUsers, parseLab } from '../../src/lib/config/load.ts';
import { problems } from './problems.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-stand-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}
const withoutFolder = (lines: string[]): string[] => lines.map((line) => line.replaceAll(`${folder}/`, ''));

describe('files', () => {
  test('a missing one', () => {
    expect(withoutFolder(problems(() => loadLab(join(folder, 'none.yml'))))).toEqual([
      'none.yml: the file does not exist → check the path, and the folder you are in',
    ]);
  });

  test('a directory', () => {
    mkdirSync(join(folder, 'directory.yml'));
    expect(withoutFolder(problems(() => loadLab(join(folder, 'directory.yml'))))).toEqual([
      'directory.yml: this is a directory, not a file → name a file inside it',
    ]);
  });

  test('a pipe that nobody writes to', () => {
    const file = join(folder, 'pipe.yml');
    execFileSync('sh', ['-c', 'mkfifo "$0"', file]);
    expect(withoutFolder(problems(() => loadUsers(file)))).toEqual(['pipe.yml: this is not a regular file']);
  });

  test('8 GiB, unread: Node reads no file of that size at once', () => {
    const file = join(folder, 'large.yml');
    closeSync(openSync(file, 'w'));
    truncateSync(file, 8 * 1024 ** 3);
    expect(withoutFolder(problems(() => loadLab(file)))).toEqual([
      'large.yml: the file has 8192.0 MiB and was not read; at most 5 MiB are accepted → is this the right file?',
    ]);
  });

  test.each<[string, Uint8Array, string]>([
    [
      'binary',
      Buffer.from('name: a\0b\n'),
      'the file is binary (it contains NUL bytes) → a text file is expected',
    ],
    [
      'workbook',
      Buffer.from('PK\x03\x04\0'),
      'the file is an Excel workbook or another archive, not text → open it in the spreadsheet and save it as "CSV UTF-8"',
    ],
    ['utf16', Buffer.from('\uFEFFname: a\n', 'utf16le'), 'the file is written in UTF-16 → save it as UTF-8'],
    [
      'cp1251',
      Buffer.from([0x23, 0xcc, 0xe0, 0xf8, 0x0a]),
      'the file is not valid UTF-8 → save it as UTF-8 (in a spreadsheet: "CSV UTF-8"); a list of users in Windows-1251 is read by `deploy-stand users import --from csv`',
    ],
    ['empty', Buffer.from(''), 'the file is empty'],
    ['comments', Buffer.from('# nothing\n\n'), 'the file is empty'],
  ])('%s', (name, content, expected) => {
    const file = put(`${name}.yml`, content);
    expect(withoutFolder(problems(() => loadLab(file)))).toEqual([`${name}.yml: ${expected}`]);
  });

  test('BOM and CRLF are fine', () => {
    const text = '\uFEFFname: a\r\nmachines:\r\n  - { device_type: linux, name: pc, template_vmid: 100 }\r\n';
    expect(loadLab(put('bom.yml', text)).lab.machines[0]).toMatchObject({ name: 'pc', line: 3 });
  });

  test('both files of a class are complained about at once', () => {
    const lab = put('two.yml', 'machines: 5\n');
    const users = put('two-users.yml', '- a\n- b\n');
    expect(withoutFolder(problems(() => loadClass(lab, users)))).toEqual([
      'two.yml:1:11 machines: must be a list, but is a number [5] → for example: [ { device_type: linux, name: student-pc, template_vmid: 100, networks: [ { bridge: vmbr0 } ] } ]',
      'two-users.yml:1:3 users[0]: the realm is missing: a user is name@realm (1 more has none) [a] → write a@pve',
    ]);
    expect(withoutFolder(problems(() => loadClass(lab, join(folder, 'none.yml'))))).toHaveLength(2);
  });
});

const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  ...Array.from('bcdefghij', (key, index) => {
    const previous = 'abcdefghij'.charAt(index);
    return `${key}: &${key} [${Array(10).fill(`*${previous}`).join(', ')}]`;
  }),
].join('\n');

/** The large ones never end, or take all memory, where the work is not bounded by the size of the text. */
describe('YAML', () => {
  test.each<[string, string, string]>([
    [
      'a tab',
      'machines:\n\t- name: x\n',
      'lab.yml:2:1: a tab is used for indentation → replace tabs by spaces; YAML allows only spaces there',
    ],
    [
      'crooked indentation',
      'machines:\n  - name: a\n   template: b\n',
      'lab.yml:3:1: a quote, bracket, comma or colon is missing here → look for wrong indentation, or an unclosed quote or bracket above',
    ],
    [
      'an open bracket',
      'machines: [a\n',
      'lab.yml:2:1: the indentation does not fit the lines above → entries of one list or mapping start in one column; is a bracket above still open?',
    ],
    [
      'an open quote',
      'name: "a\n',
      'lab.yml:2:1: a quote, bracket, comma or colon is missing here → look for wrong indentation, or an unclosed quote or bracket above',
    ],
    [
      'two colons',
      'name: a: b\n',
      'lab.yml:1:7: two "key: value" pairs on one line → put the value in quotes, or on a line of its own',
    ],
    [
      'a reserved sign',
      'name: @a\n',
      'lab.yml:1:7: this value starts with a character that YAML reserves → put the value in quotes',
    ],
    [
      'stars without quotes',
      'bridge: **vmbr100**\n',
      'lab.yml:1:9 bridge: a "*" at the start of a value is YAML syntax → put the value in quotes: "**name**"',
    ],
    [
      'a tag',
      'name: !!js/function x\n',
      'lab.yml:1:7: YAML tags (!…) are not supported → remove the tag, or put the value in quotes',
    ],
    [
      'two documents',
      'name: a\n---\nname: b\n',
      'lab.yml:2:1: the file holds 2 YAML documents → keep one document per file: remove the "---" line and what follows',
    ],
    [
      'a key twice',
      'name: a\nmachines: []\nname: b\n',
      'lab.yml:3:1 name: the key is given twice (first on line 1) → remove one of them',
    ],
    ['a key that is a list', '? [a]\n: b\n', 'lab.yml:1:3: a key must be plain text → put the key in quotes'],
    [
      'a prototype',
      'name: a\n__proto__: { x: 1 }\n',
      'lab.yml:2:1: "__proto__" is not allowed as a key → remove it',
    ],
    ['an alias in itself', 'machines: &m\n  - *m\n', 'lab.yml:2:5: an alias (*) contains itself → remove it'],
    [
      'a bomb of aliases',
      bomb,
      'lab.yml: the file expands to more than 100000 values → anchors and aliases (& and *) must not multiply that far',
    ],
    [
      'a deep nest',
      '['.repeat(1_000_000),
      'lab.yml:1:202: the file is nested too deeply → is this the right file?',
    ],
    [
      'a deep nest of blocks',
      '- '.repeat(1_000_000),
      'lab.yml:1:401: the file is nested too deeply → is this the right file?',
    ],
    [
      'millions of entries',
      'machines:\n' + '- a\n'.repeat(1_000_000),
      'lab.yml: the file has too many entries → is this the right file?',
    ],
    [
      'millions of documents',
      '---\n'.repeat(1_000_000),
      'lab.yml: the file has too many entries → is this the right file?',
    ],
    [
      'millions of quotes',
      '"'.repeat(5_000_000),
      'lab.yml: the file has too many entries → is this the right file?',
    ],
  ])('%s', (_, text, expected) => {
    expect(problems(() => parseLab(text, 'lab.yml'))).toEqual([expected]);
  });

  test('no key reaches a prototype', () => {
    const text = 'constructor: 1\ntoString: 2\nmachines: []\nname: a\n';
    expect(problems(() => parseLab(text, 'lab.yml')).map((line) => line.replace(/ →.*/, ''))).toEqual([
      'lab.yml:1:1 constructor: unknown key',
      'lab.yml:2:1 toString: unknown key',
      'lab.yml:3:11 machines: the list is empty',
    ]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  test('thousands of problems are not all kept', () => {
    const text = `name: a\nmachines:\n${'  - x\n'.repeat(5000)}`;
    expect(problems(() => parseLab(text, 'lab.yml'))).toHaveLength(1000);
  });
});
