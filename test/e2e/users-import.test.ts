/** `users import` as a whole: a file, and a Moodle behind TLS that does all it can. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Enrolment, MoodleOptions } from '../lms/moodle-answers.ts';
import { startMoodle, type Moodle } from '../lms/moodle-stand-in.ts';
import { runCli, workFolder, writeFiles } from './harness.ts';

const STUDENTS: readonly Enrolment[] = Array.from({ length: 230 }, (_, at) => ({
  id: at + 10,
  username: `s${at}`,
  firstname: 'Student',
  lastname: `Nr${at}`,
  email: `s${at}@school.example`,
  groups: at === 0 ? ['Группа 1'] : [],
}));
const OTHERS: readonly Enrolment[] = [
  { id: 1, username: 'teacher', firstname: 'Tom', lastname: 'Teacher', roles: ['editingteacher'] },
  { id: 2, username: 'gone', firstname: 'Gina', lastname: 'Gone', inactive: true },
];

async function ask(moodle: Moodle, folder: string, ...more: readonly string[]) {
  writeFiles(folder, { 'ca.pem': moodle.cert });
  const argv = ['users', 'import', '--from', 'moodle', '--url', moodle.url, '--course', '7'];
  return runCli(
    [...argv, '--out', join(folder, 'users.yml'), '--ca-file', join(folder, 'ca.pem'), ...more],
    undefined,
    {
      env: { DEPLOY_STAND_MOODLE_TOKEN: moodle.token },
    },
  );
}

test('a course of several pages; teachers and suspended people stay out; the token is nowhere', async () => {
  const folder = workFolder();
  const moodle = await startMoodle({ courses: { 7: [...STUDENTS, ...OTHERS] } });
  const run = await ask(moodle, folder);
  expect(run.stderr + run.stdout).not.toContain(moodle.token);
  expect([run.code, run.stdout]).toEqual([
    0,
    expect.stringContaining(
      '230 users, 230 new, 0 changed\nleft out: Tom Teacher (course 7): teaches the course',
    ),
  ]);
  expect(moodle.server.heard.map(({ url }) => url)).toEqual(Array(2).fill('/lms/webservice/rest/server.php'));
  const text = readFileSync(join(folder, 'users.yml'), 'utf8');
  expect(text).toContain('groups: [Gruppa-1]');
  expect(text).not.toContain('Gina');

  const again = await ask(moodle, folder);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('--merge')]);
  expect(readFileSync(join(folder, 'users.yml'), 'utf8')).toBe(text);
});

describe('a Moodle that does not do it', () => {
  const course = { courses: { 7: STUDENTS.slice(0, 1) } };
  test.each<[string, MoodleOptions, readonly string[], RegExp]>([
    ['a wrong token', course, ['--token', 'env:OTHER'], /Invalid token.*invalidtoken[^]*make a token/],
    [
      'a token without the function',
      { ...course, functions: [] },
      [],
      /accessexception[^]*may not call this function/,
    ],
    ['no such course', {}, [], /invalidrecord[^]*is 7 the course's number/],
    [
      'a page',
      { answer: { status: 200, body: '<html>' } },
      [],
      /status 200 and no list of participants: "<html>"/,
    ],
    [
      'a redirect',
      { answer: { status: 302, body: '', location: 'https://evil.example/' } },
      [],
      /sends elsewhere, to https:\/\/evil\.example\/; not followed/,
    ],
    ['garbage', { answer: { status: 200, body: '[1,{"id":"x"}]' } }, [], /participants that have no number/],
    [
      'another certificate',
      course,
      ['--fingerprint', 'AB:'.repeat(31) + 'AB'],
      /fingerprint[^]*nothing was sent[^]*--fingerprint [0-9A-F:]{95}/,
    ],
  ])('%s: exit 4, nothing written', async (_, options, more, words) => {
    const folder = workFolder();
    const moodle = await startMoodle(options);
    writeFiles(folder, { 'ca.pem': moodle.cert });
    const argv = ['users', 'import', '--from', 'moodle', '--url', moodle.url, '--course', '7'];
    const run = await runCli(
      [...argv, '--out', join(folder, 'u.yml'), '--ca-file', join(folder, 'ca.pem'), ...more],
      undefined,
      { env: { DEPLOY_STAND_MOODLE_TOKEN: moodle.token, OTHER: 'cafecafecafe' } },
    );
    expect([run.code, run.stderr]).toEqual([4, expect.stringMatching(words)]);
    expect(run.stderr).not.toMatch(new RegExp(`${moodle.token}|cafecafecafe`));
    expect(existsSync(join(folder, 'u.yml'))).toBe(false);
  });

  test('its own fingerprint is enough; without any the certificate is refused, and nothing is sent', async () => {
    const folder = workFolder();
    const moodle = await startMoodle(course);
    const { fingerprint256 } = new X509Certificate(moodle.cert);
    const argv = [
      'users',
      'import',
      '--from',
      'moodle',
      '--url',
      moodle.url,
      '--course',
      '7',
      '--out',
      join(folder, 'u.yml'),
    ];
    const env = { DEPLOY_STAND_MOODLE_TOKEN: moodle.token };
    const refused = await runCli(argv, undefined, { env });
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('is not trusted')]);
    expect(moodle.server.heard).toEqual([]);
    expect((await runCli([...argv, '--fingerprint', fingerprint256], undefined, { env })).code).toBe(0);
  });
});

test.each<[readonly string[], RegExp]>([
  [['--from', 'moodle', '--out', 'x.yml'], /name one exported file, or give --url/],
  [
    ['--from', 'canvas', '--url', 'https://a.example', '--course', '1', '--out', 'x.yml'],
    /--url is for --from moodle/,
  ],
  [
    ['--from', 'moodle', '--url', 'http://a.example', '--course', '1', '--out', 'x.yml'],
    /unencrypted[^]*write https:/,
  ],
  [['--from', 'moodle', '--url', 'https://a.example', '--course', '1', '--out', 'x.yml'], /no token/],
  [
    [
      '--from',
      'moodle',
      '--url',
      'https://a.example',
      '--course',
      '1',
      '--out',
      'x.yml',
      '--token',
      's3cr3t',
    ],
    /everybody on this machine/,
  ],
  [['--from', 'csv', 'test/lms/exports/spisok.csv'], /add --out users\.yml/],
  [['--from', 'csv', 'no-such.csv', '--out', 'x.yml'], /no-such\.csv cannot be read/],
])('%j is bad usage', async (argv, words) => {
  const run = await runCli(['users', 'import', ...argv], undefined);
  expect([run.code, run.stderr]).toEqual([2, expect.stringMatching(words)]);
  expect(run.stderr).not.toContain('s3cr3t');
});
