/** Ten files as Moodle, Canvas and spreadsheets write them, in five languages and six encodings → the users.yml they make. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseUsers } from '../../src/lib/config/load.ts';
import { decodeExport } from '../../src/lib/lms/decode.ts';
import { readExport } from '../../src/lib/lms/export-file.ts';
import type { ExportKind } from '../../src/lib/lms/headings.ts';
import { importPeople, type Imported } from '../../src/lib/lms/users-file.ts';
import type { UseridWant } from '../../src/lib/lms/userids.ts';
import { failure } from '../proxmox/support.ts';

const FOLDER = 'test/lms/exports';
const WANT: UseridWant = { realm: 'pve' };

function read(text: string, kind: ExportKind = 'csv', want = WANT, present?: string): Imported {
  const people = readExport(text, 'class.csv', kind);
  return importPeople(
    people,
    want,
    present === undefined ? undefined : { text: present, users: parseUsers(present, 'users.yml').users },
  );
}

const useridsOf = ({ text }: Imported): string[] =>
  [...text.matchAll(/userid: (\S+)/g)].map(([, userid = '']) => userid);

const FILES: readonly [file: string, encoding: string, leftOut: readonly string[]][] = [
  ['canvas-gradebook-en.csv', 'utf-8', ['Test Student: a test student']],
  ['canvas-noten-de.csv', 'utf-8', []],
  ['canvas-zhurnal-ru.txt', 'utf-16be', ['Тестовый Студент: a test student']],
  ['moodle-calificaciones-es.txt', 'utf-16le', []],
  ['moodle-grades-de.csv', 'utf-8', ['Kai von der Heide: suspended in the course']],
  ['moodle-notes-fr.csv', 'windows-1252', ['Étudiant Test: a test student']],
  ['moodle-otsenki-ru.csv', 'windows-1251', ['Тестовый Студент: a test student']],
  ['moodle-participants-en.csv', 'utf-8', ['Test Student: a test student']],
  ['moodle-uchastniki-ru.csv', 'utf-8', []],
  ['spisok.csv', 'windows-1251', []],
];

test('every file is looked at', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(FILES.map(([file]) => file));
});

describe.each(FILES)('%s', (file, encoding, leftOut) => {
  const kind = (/^(moodle|canvas)/.exec(file)?.[0] ?? 'csv') as ExportKind;
  const decoded = decodeExport(readFileSync(join(FOLDER, file)));
  const people = readExport(decoded?.text ?? '', file, kind);
  const expected = readFileSync(join('test/lms/expected', file.replace(/\.\w+$/, '.yml')), 'utf8');

  test('becomes the users.yml that is asserted, which deploy reads', () => {
    expect(decoded?.encoding).toBe(encoding);
    const { text } = importPeople(people, WANT, undefined);
    expect(text).toBe(expected);
    expect(parseUsers(text, 'users.yml').users).toHaveLength(people.people.length);
    expect(people.leftOut.map(({ who, reason }) => `${who}: ${reason}`)).toEqual(leftOut);
  });

  test('changes nothing when it is merged into it', () => {
    const again = importPeople(people, WANT, { text: expected, users: parseUsers(expected, 'u.yml').users });
    expect([again.text, again.added, again.changed, again.gone]).toEqual([expected, [], [], []]);
  });
});

describe('a roster that grew', () => {
  const BEFORE = 'Имя,Фамилия,Email\nАнна,Смит,anna@a.example\nАнна,Смит,anna@b.example\n';
  const AFTER =
    'Имя,Фамилия,Email\nАнна,Смит,anna@c.example\nАнна,Смит,anna@b.example\nBo,Li,bo@a.example\nАнна,Смит,anna@a.example\n';

  test('renames nobody, whoever stands before them now', () => {
    const before = read(BEFORE);
    expect(useridsOf(before)).toEqual(['anna@pve', 'anna-2@pve']);
    const after = read(AFTER, 'csv', WANT, before.text);
    expect(after.text.startsWith(before.text)).toBe(true);
    expect(after.added).toEqual([
      { userid: 'anna-3@pve', name: 'Анна Смит' },
      { userid: 'bo@pve', name: 'Bo Li' },
    ]);
  });

  test('has whoever stands in it twice once, in the groups of both rows; namesakes stay two', () => {
    const head = 'First name,Last name,Email,Groups\n';
    const twice = read(
      `${head}Anna,Li,anna@a.example,A\nAnna,Li,anna@b.example,A\nAnna,Li,Anna@A.example,B\nBo,Li,anna@a.example,A\nCy,Li,,A\nCy,Li,,A\n`,
      'moodle',
    );
    expect(useridsOf(twice)).toEqual(['anna@pve', 'anna-2@pve', 'anna-3@pve', 'cy.li@pve', 'cy.li-2@pve']);
    expect(twice.text).toContain('groups: [A, B]');
    expect(twice.warnings).toEqual(['Anna Li (class.csv:4) is also at class.csv:2, and gets one userid']);
    const before = read(`${head}Anna,Li,anna@a.example,A\n`, 'moodle');
    const grown = read(
      `${head}Anna,Li,anna@a.example,A\nAnna,Li,anna@a.example,A\n`,
      'moodle',
      WANT,
      before.text,
    );
    expect([grown.text, grown.gone]).toEqual([before.text, []]);
  });

  test('tells who may be somebody who left, with another address', () => {
    const before = read('Имя,Фамилия,Email\nПётр,Сидоров,p@a.example\nAnna,Li,anna@a.example\n');
    const after = read(
      'Имя,Фамилия,Email\nПётр,Сидоров,petr@b.example\nBo,Li,bo@a.example\n',
      'csv',
      WANT,
      before.text,
    );
    expect(after.warnings).toEqual([
      expect.stringMatching(
        /^class\.csv:2: Пётр Сидоров is new as petr@pve, and p@pve of the same name has left/,
      ),
    ]);
    const numbers = read('Имя,Фамилия,Email,lms_id\nBo,Li,bo@a.example,1\n');
    const other = read('Имя,Фамилия,Email,lms_id\nBo,Li,bo@b.example,2\n', 'csv', WANT, numbers.text);
    expect([other.warnings, useridsOf(other)]).toEqual([[], ['bo@pve', 'bo-2@pve']]);
  });

  test('gives numbers in the order in which Canvas knows people, also without a merge', () => {
    const head = 'Student,ID,SIS Login ID,Section\n';
    const [a, b, c] = ['"X, Al",31,al@a.example,S', '"Y, Al",12,al@b.example,S', '"Z, Al",44,al@c.example,S'];
    const of = (text: string): Record<string, string> =>
      Object.fromEntries(
        [...read(head + text, 'canvas').text.matchAll(/userid: (\S+)[^]*?lms_id: '(\d+)'/g)].map(
          ([, userid = '', id = '']) => [id, userid],
        ),
      );
    expect(of([a, b].join('\n'))).toEqual({ 12: 'al@pve', 31: 'al-2@pve' });
    expect(of([c, a, b].join('\n'))).toEqual({ 12: 'al@pve', 31: 'al-2@pve', 44: 'al-3@pve' });
  });

  test('keeps what a person wrote, and whoever left', () => {
    const mine = `# my class
users:
  - anna@pve # the tutor's sister
  - { userid: old@pve, email: old@a.example, expire: 2026-12-24, pool: veteran }
  - userid: married@pve
    email: before@a.example
    last_name: Before
    lms_id: '7'
`;
    const merged = read(
      'username,last_name,email,id number\nanna,Smith,anna@a.example,\nmarried,After,after@a.example,7\n',
      'csv',
      WANT,
      mine,
    );
    expect(merged.text).toBe(
      `# my class
users:
  - userid: anna@pve
    email: anna@a.example
    last_name: Smith
    #the tutor's sister
  - { userid: old@pve, email: old@a.example, expire: 2026-12-24, pool: veteran }
  - userid: married@pve
    email: after@a.example
    last_name: After
    lms_id: '7'
`.replace("    #the tutor's sister", "    # the tutor's sister"),
    );
    expect(merged.changed.map(({ userid }) => userid)).toEqual(['anna@pve', 'married@pve']);
    expect(merged.gone).toEqual([{ userid: 'old@pve', name: '' }]);
  });

  test('gives nobody the stand of somebody else who had the same login', () => {
    const mine =
      'users:\n  - { userid: anna@pve, email: anna@a.example, first_name: Anna, last_name: Old }\n';
    const merged = read(
      'username,first name,last name,email\nanna,Anna,New,new@a.example\n',
      'csv',
      WANT,
      mine,
    );
    expect(merged.added).toEqual([{ userid: 'new@pve', name: 'Anna New' }]);
    expect(merged.gone.map(({ userid }) => userid)).toEqual(['anna@pve']);
  });
});

describe('userids', () => {
  test.each<[string, string, UseridWant, readonly string[]]>([
    [
      'are good for pools',
      'username\n20260117\nдима\na+b\n"x y"\n',
      WANT,
      ['u20260117', 'dima', 'a.b', 'x.y'],
    ],
    ['are no pool of ours', 'username\ndeploy-stand-lock\n', WANT, ['deploy-stand-lock-2']],
    [
      'are what is asked for',
      'username,email,id number\na1,b@x.example,c3\n',
      { realm: 'pve', from: 'idnumber' },
      ['c3'],
    ],
    [
      'of a list of ours',
      'userid,email\nanna@pve,b@x.example\n',
      { realm: 'pve', from: 'username' },
      ['anna'],
    ],
  ])('%s', (_, text, want, names) => {
    expect(useridsOf(read(text, 'csv', want))).toEqual(names.map((name) => `${name}@${want.realm}`));
  });

  test('of a directory stay as they are there; a pool is added where they are none', () => {
    const { text } = read('username\n20260117\nAnna.Smith\n', 'csv', { realm: 'school', from: 'username' });
    expect(parseUsers(text, 'u.yml').users.map(({ userid, pool }) => [userid, pool])).toEqual([
      ['20260117@school', 'u20260117'],
      ['Anna.Smith@school', 'Anna.Smith'],
    ]);
  });
});

describe('what cannot be used is told with its line and the way out', () => {
  test.each<[string, ExportKind, UseridWant, string, RegExp]>([
    [
      'another platform',
      'moodle',
      WANT,
      'Student,ID,SIS User ID,SIS Login ID,Section\n"A, B",1,2,c,S\n',
      /class\.csv 1 .*no heading of an export of Moodle.*→ it looks like one of --from canvas/,
    ],
    [
      'no heading',
      'csv',
      WANT,
      '1;2;3\n',
      /no heading of a roster: "1, 2, 3".*the first row names the columns/,
    ],
    ['nobody', 'csv', WANT, 'email\n', /1 there is no student in this file/],
    [
      'two columns of one meaning',
      'csv',
      WANT,
      'email,E-Mail-Adresse\na@b.c,a@b.c\n',
      /1 the columns "email" and "E-Mail-Adresse" mean the same → remove one/,
    ],
    [
      'no address',
      'csv',
      { realm: 'pve', from: 'email' },
      'email,username,last name\n,anna,Smith\n',
      /class\.csv 2 this person has no email \[Smith\] → try --userid-from username/,
    ],
    [
      'a directory that knows no such name',
      'csv',
      { realm: 'ad', from: 'username' },
      'username\nмаша\n',
      /2 "маша@ad" cannot be a userid of PVE .*→ choose another --userid-from/,
    ],
    [
      'two of one name in a directory',
      'csv',
      { realm: 'ad', from: 'email' },
      'email\nanna@a.example\nanna@b.example\n',
      /3 anna@ad is the userid of somebody else/,
    ],
  ])('%s', async (_, kind, want, text, expected) => {
    const error = (await failure(Promise.resolve().then(() => read(text, kind, want)))) as Error & {
      issues?: readonly { file: string; line?: number; message: string; value?: string; hint?: string }[];
    };
    const [issue] = error.issues ?? [];
    const value = issue?.value === undefined ? '' : ` [${issue.value}]`;
    expect(`${issue?.file} ${issue?.line} ${issue?.message}${value} → ${issue?.hint}`).toMatch(expected);
  });

  test('bytes that are no text', () => {
    expect(decodeExport(Buffer.from('504b0304140000000800', 'hex'))).toBeUndefined();
    expect(decodeExport(Buffer.from([0xff, 0xfe, 0x00, 0xd8]))).toBeUndefined();
  });
});
