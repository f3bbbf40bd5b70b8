/**
 * From the course to the grade: 25 students of a Moodle get stands and mails, three break their machines, and the exam of
 * docs/checks.md, line by line as a shell and GitLab run it, gives a grade to each.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { holdLimits } from '../hold-timers.ts';
import { startMoodle } from './moodle-stand-in.ts';
import { startBox } from '../mail/box.ts';
import { simpleParser } from '../mail/read-mail.ts';
import { runCli, scenario, startCluster, workFolder, writeFiles } from '../e2e/harness.ts';

holdLimits();

const LAB = `name: web
machines:
  - { name: srv, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
checks:
  - { name: web answers, machine: srv, run: [curl, http://localhost/], expect: { stdout: ^Welcome }, points: 3 }
  - { name: srv runs, machine: srv, power: running }
`;
const CURL = 'curl http://localhost/';
const COURSE = Array.from({ length: 25 }, (_, at) => ({
  ...{ id: at + 10, username: `s${at + 1}`, firstname: 'Ольга', lastname: `Nr${at + 1}` },
  ...{ email: `s${at + 1}@school.example`, idnumber: String(500 + at) },
}));
const BROKEN = ['s3', 's11', 's25'];

/** Clones answer as their template does; those of `broken` have no web server. */
function classroom(broken: readonly number[] = []): Scenario {
  const plain = scenario();
  const agent = { commands: [{ run: CURL, output: 'Welcome' }] };
  return {
    ...plain,
    templates: (plain.templates ?? []).map((one) =>
      one.vmid === 101 ? { ...one, agent, config: { ...one.config, agent: '1' } } : one,
    ),
    agents: broken.map((vmid) => ({ vmid, agent: { commands: [{ run: CURL, exitcode: 7 }] } })),
  };
}

/** Of the n-th block of docs/checks.md in this language. */
function block(language: string, of: string): string {
  const blocks = readFileSync('docs/checks.md', 'utf8').matchAll(/^```(\w+)\n([^]*?)^```$/gm);
  const found = [...blocks].find(([, named, text]) => named === language && text?.includes(of) === true);
  return found?.[2] ?? '';
}

interface Line {
  readonly words: readonly string[];
  /** `|| test $? -eq 5`. */
  readonly bears5: boolean;
}

function linesOf(text: string): Line[] {
  return text.split('\n').flatMap((line) => {
    const [, command, or] = /^\s*(?:- )?deploy-stand (.*?)( \|\| test \$\? -eq 5)?$/.exec(line) ?? [];
    return command === undefined ? [] : [{ words: command.split(' '), bears5: or !== undefined }];
  });
}

/** Files of the exam, in this folder. */
const inFolder = (folder: string, words: readonly string[]): string[] =>
  words.map((word) => (/\.(?:yml|json|xml|csv|html)$/.test(word) ? join(folder, word) : word));

/** The course as stands, and a mail with the password of the own for each. */
async function deployed(folder: string): Promise<ClusterState> {
  const cluster = await startCluster({ scenario: classroom() });
  const [moodle, box] = [await startMoodle({ courses: { 7: COURSE } }), await startBox()];
  writeFiles(folder, { 'lab.yml': LAB, 'moodle.pem': moodle.cert, 'smtp.pem': box.ca });
  const env = { DEPLOY_STAND_MOODLE_TOKEN: moodle.token, DEPLOY_STAND_SMTP_PASSWORD: 'smtp-secret' };
  const done = async (words: string): Promise<string> => {
    const argv = words.split(' ').map((word) => word.replace(/^@/, `${folder}/`));
    const { code, stdout, stderr } = await runCli(argv, cluster, { env });
    expect([words, code, code === 0 ? '' : stderr]).toEqual([words, 0, '']);
    return stdout;
  };
  const course = `--from moodle --url ${moodle.url} --course 7 --ca-file @moodle.pem`;
  await done(`users import ${course} --out @users.yml`);
  const files = '-c @lab.yml -u @users.yml --credentials @c.csv';
  await done(`deploy ${files} --progress none`);
  const smtp = `--send --smtp smtps://lab@localhost:${box.port} --smtp-ca-file @smtp.pem --mail-rate 6000`;
  const sent = await done(`users export ${files} --mail-from lab@school.example --language ru ${smtp}`);
  expect(sent).toContain('25 sent now');
  const rows = parseCsv<Record<string, string>>(readFileSync(join(folder, 'c.csv')), { columns: true });
  const passwords = new Map(rows.map((row) => [row['userid'], row['password'] ?? '?']));
  expect(box.got.map(({ to }) => to).sort()).toEqual(COURSE.map(({ email }) => email).sort());
  for (const { to, raw } of box.got) {
    const password = passwords.get(`${to.split('@')[0] ?? ''}@pve`) ?? '?';
    expect(simpleParser(raw).text).toContain(`Пароль: ${password}`);
  }
  return cluster.snapshot();
}

function gradesIn(file: string): Record<string, string> {
  const rows = parseCsv<Record<string, string>>(readFileSync(file), { columns: true, bom: true });
  return Object.fromEntries(rows.map((row) => [row['Email address'] ?? '', row['web'] ?? '']));
}

test('a course of 25: three break their machines, and exactly they fail the exam, as a script and in GitLab', async () => {
  const folder = workFolder();
  const state = await deployed(folder);
  const vmidOf = (user: string) => state.pools.find(({ poolid }) => poolid === user)?.vms[0] ?? 0;
  const cluster = await startCluster({ scenario: classroom(BROKEN.map(vmidOf)), state });
  await cluster.time.sleep(120_000);

  const script = block('sh', 'access freeze');
  const [, selection = ''] = /^class="(.*)"$/m.exec(script) ?? [];
  const lines = linesOf(script.replaceAll('$class', selection));
  const commands = ['access', 'snapshot', 'check', 'check', 'report', 'access'];
  expect(lines.map(({ words }) => words[0])).toEqual(commands);
  for (const { words } of lines) {
    const { code, stderr } = await runCli(inFolder(folder, words), cluster);
    expect([words.join(' '), code, code === 0 ? '' : stderr]).toEqual([words.join(' '), 0, '']);
  }
  const points = (username: string): string => (BROKEN.includes(username) ? '1' : '4');
  const wanted = COURSE.map(({ username, email }) => [email, points(username)] as const);
  expect(gradesIn(join(folder, 'grades.csv'))).toEqual(Object.fromEntries(wanted));
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  expect(read('results.xml')).toContain('failures="3"');
  expect(read('results.html')).toContain('<b class="bad">3</b><span>checks failed</span>');
  expect(cluster.snapshot().pools.filter(({ comment }) => comment.includes('frozen='))).toEqual([]);

  const { exam } = parseYaml(block('yaml', 'access freeze')) as {
    readonly exam: Readonly<Record<'script' | 'after_script', readonly string[]>> & {
      readonly variables: Readonly<Record<string, string>>;
    };
  };
  const env = Object.fromEntries(
    Object.entries(exam.variables).map(([name, file]) => [name, join(folder, file)]),
  );
  expect((await runCli(['power', 'stop', '--lab', 'web', '--user', 's1@pve'], cluster)).code).toBe(0);
  for (const { words, bears5 } of linesOf([...exam.script, ...exam.after_script].join('\n'))) {
    // The exam was held before: its snapshot is there.
    const named = words.map((word) => (word === 'exam-end' ? 'exam-end-2' : word));
    const { code, stderr } = await runCli(inFolder(folder, named), cluster, { env });
    const line = words.join(' ');
    expect([line, code, bears5 && code === 5 ? '' : stderr]).toEqual([
      line,
      bears5 ? 5 : 0,
      bears5 ? '' : expect.any(String),
    ]);
  }
  const { [COURSE[0]?.email ?? '']: unknown, ...others } = Object.fromEntries(wanted);
  expect(unknown).toBe('4');
  expect(gradesIn(join(folder, 'grades.csv'))).toEqual(others);
});
