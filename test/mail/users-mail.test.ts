/** Handouts by mail: files, and a local SMTP server that refuses one student; a second run sends what is missing. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { holdLimits } from '../hold-timers.ts';
import { startBox } from './box.ts';
import { simpleParser } from './read-mail.ts';
import { expect, test } from 'vitest';
import { runCli, startCluster, workFolder, writeFiles } from '../e2e/harness.ts';

holdLimits();

const LAB = `name: net
expires: 2026-12-24
machines:
  - { device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: lan }] }
`;
const CLASS = `users:
  - { userid: anna@pve, first_name: Анна, last_name: Петрова, email: anna@school.example }
  - { userid: boris@pve, email: boris@school.example }
  - { userid: carla@pve }
`;

test('a mail per student, as files and sent once', async () => {
  const cluster = await startCluster();
  const folder = workFolder();
  const box = await startBox();
  const path = (name: string): string => join(folder, name);
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': CLASS, 'ca.pem': box.ca });
  const files = ['-c', path('lab.yml'), '-u', path('users.yml'), '--credentials', path('c.csv')];
  expect((await runCli(['deploy', ...files, '--progress', 'none'], cluster)).code).toBe(0);
  const mail = (...more: readonly string[]) =>
    runCli(
      ['users', 'export', ...files, '--mail-from', 'lab@school.example', '--language', 'ru', ...more],
      cluster,
      {
        env: { DEPLOY_STAND_SMTP_PASSWORD: 'smtp-secret' },
      },
    );

  const written = await mail('--mail', path('out'));
  expect([written.code, written.stdout]).toEqual([
    0,
    expect.stringMatching(/2 users\nleft out: carla@pve: no mail address is known/),
  ]);
  expect(readdirSync(path('out')).sort()).toEqual(['anna@pve.eml', 'boris@pve.eml']);
  expect(statSync(path('out/anna@pve.eml')).mode & 0o777).toBe(0o600);
  const rows = readFileSync(path('c.csv'), 'utf8');
  const password = /^anna@pve,([^,]+),/m.exec(rows)?.[1] ?? '';
  const eml = simpleParser(readFileSync(path('out/anna@pve.eml'), 'utf8'));
  expect(eml.headers.get('to')).toBe('anna@school.example');
  expect(eml.subject).toBe('Ваш вход: лабораторная работа net');
  for (const text of [
    'Здравствуйте, Анна Петрова!',
    `Пароль: ${password}`,
    '24.12.2026',
    'vmname=',
    'С чего начать',
  ])
    expect(eml.text).toContain(text);

  const smtp = ['--send', '--smtp', `smtps://lab@localhost:${box.port}`, '--smtp-ca-file', path('ca.pem')];
  // Two in a row: the server is gone, and nobody else is tried.
  box.drops.push('anna@school.example', 'boris@school.example');
  const gone = await mail(...smtp);
  expect([gone.code, gone.stderr]).toEqual([4, expect.stringContaining('[SMTP]')]);
  expect(box.got.splice(0)).toHaveLength(2);
  box.drops.splice(0);

  box.refuse = 'boris@school.example';
  const first = await mail(...smtp);
  expect([first.code, first.stdout]).toEqual([
    5,
    expect.stringMatching(
      /1 sent now, 0 before[^]*boris@pve: the mail server refuses boris@school\.example: 550/,
    ),
  ]);
  expect(first.stdout + first.stderr).not.toContain(password);
  expect(readFileSync(path('c.csv'), 'utf8')).toMatch(
    /^userid,password,state,pool,url,sent\n[^]*^anna@pve,[^\n]*,net\/[0-9a-f]{16}\/\S+Z$/m,
  );

  // A connection that breaks at one mail breaks it for that one; nothing is sent twice in a run.
  box.refuse = undefined;
  box.drops.push('boris@school.example');
  const lost = await mail(...smtp);
  expect([lost.code, lost.stdout]).toEqual([
    5,
    expect.stringMatching(/0 sent now, 1 before[^]*boris@pve: the mail server does not say whether it took/),
  ]);
  expect(box.got.splice(1).map(({ to }) => to)).toEqual(['boris@school.example']);
  box.drops.splice(0);

  // A sender that it does not like is none of a student's.
  box.refuseSender = true;
  const sender = await mail(...smtp);
  expect([sender.code, sender.stderr]).toEqual([4, expect.stringMatching(/not your address[^]*--mail-from/)]);
  box.refuseSender = false;

  const second = await mail(...smtp);
  expect([second.code, second.stdout]).toEqual([0, expect.stringContaining('1 sent now, 1 before')]);
  expect(box.got.map(({ to }) => to)).toEqual(['anna@school.example', 'boris@school.example']);
  expect((await mail(...smtp)).stdout).toContain('0 sent now, 2 before');

  // A new password is a new mail; a template says how it looks.
  expect(
    (
      await runCli(
        ['users', 'passwd', '--recreate', '--user', 'anna@pve', '--credentials', path('c.csv')],
        cluster,
      )
    ).code,
  ).toBe(0);
  writeFileSync(path('t.txt'), 'Subject: {{lab}} для {{name}}\n\n{{login}}: {{password}}\n');
  expect((await mail(...smtp, '--template', path('t.txt'))).stdout).toContain('1 sent now, 1 before');
  expect(simpleParser(box.got[2]?.raw ?? '').subject).toBe('net для Анна Петрова');
  expect(box.got[2]?.raw).not.toContain(password);

  // A server that is not who it says: nothing is sent, exit 4.
  const passwords = await runCli(
    ['users', 'passwd', '--recreate', '--user', 'anna@pve', '--credentials', path('c.csv')],
    cluster,
  );
  expect(passwords.code).toBe(0);
  const distrusted = await mail('--send', '--smtp', `smtps://lab@localhost:${box.port}`);
  expect([distrusted.code, distrusted.stderr]).toEqual([4, expect.stringContaining('certificate')]);
  const wrong = await runCli(
    ['users', 'export', ...files, '--mail-from', 'lab@school.example', ...smtp],
    cluster,
    { env: { DEPLOY_STAND_SMTP_PASSWORD: 'wrong-secret' } },
  );
  expect([wrong.code, wrong.stderr]).toEqual([4, expect.stringContaining('DEPLOY_STAND_SMTP_PASSWORD')]);
  expect(wrong.stderr).not.toContain('wrong-secret');
  expect(box.got).toHaveLength(3);
});

test.each<[readonly string[], RegExp]>([
  [['--mail', 'out'], /--mail-from/],
  [['--send', '--mail-from', 'a@b.example'], /--smtp/],
  [
    ['--send', '--mail-from', 'a@b.example', '--smtp', 'smtp://u:secret@b.example'],
    /password goes elsewhere/,
  ],
  [['--mail', 'out', '--mail-from', 'a@b.example', '--template', 'test/lms/exports/spisok.csv'], /UTF-8/],
  [['--mail', 'out', '--mail-from', 'a@b.example', '--out', 'x.csv'], /two exports/],
  [[], /--out cards\.html/],
])('%j is bad usage', async (argv, words) => {
  const run = await runCli(['users', 'export', ...argv], await startCluster());
  expect([run.code, run.stderr]).toEqual([2, expect.stringMatching(words)]);
  expect(run.stderr).not.toContain('secret@');
});
