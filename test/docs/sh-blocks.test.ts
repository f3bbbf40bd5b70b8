/** The lines of the `sh` blocks in README.md and docs/ do what they are there for, one after another. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { split } from 'shlex';
import { expect, test } from 'vitest';
import { runCli, startCluster, workFolder, writeFiles, type Cluster } from '../e2e/harness.ts';

const PAGES = [
  'README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** Lines that are not run here, and where what they do is tried. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^(npm|sudo npm|npx) /, 'installs: .ci/run'],
  [/deploy-stand completion/, 'a file for a shell: test/process/completion.test.ts'],
  [/^(read|unset|export|openssl) /, 'of the shell alone'],
  [/^pveum /, 'of a node'],
  [
    /^deploy-stand (connections|serve)\b/,
    'over TLS, or until it is stopped: test/e2e/connections.test.ts, serve.test.ts',
  ],
  [
    /^deploy-stand simulate|^(api|url|done|esac)\b|^ {2}|deploy-stand doctor .*\| grep/,
    'a cluster of its own: test/e2e/doctor.test.ts',
  ],
  [/^(systemd-run|set|class=|DEPLOY_STAND_\w+=)/, 'words around the command'],
  [/--connection vmm/, 'needs VMmanager: test/e2e/vmmanager.test.ts'],
];

interface Block {
  readonly page: string;
  readonly lines: readonly string[];
}

function blocksOf(page: string): Block[] {
  const found = readFileSync(page, 'utf8').matchAll(/^```sh\n([^]*?)^```/gm);
  return [...found].map(([, text = '']) => ({
    page,
    lines: text
      .split('\n')
      .map((line) => line.replace(/(?:^| +)#.*$/, ''))
      .filter((line) => line !== ''),
  }));
}

const isElsewhere = (line: string): boolean => ELSEWHERE.some(([pattern]) => pattern.test(line));

/** Words of a command in a block; undefined: the line is another one. */
const CRON = /^(?:\S+ \S+ \S+ \S+ \S+ {2})?deploy-stand (.*?)(?: \|\| test \$\? -eq \d| > \S+)?$/;
const wordsIn = (line: string): string | undefined => CRON.exec(line)?.[1];

const LAB = `name: net
expires: 2027-02-01
machines:
  - { name: srv, template: web-tpl, start: true, baseline_snapshot: true, networks: [{ bridge: lan }] }
checks: [{ name: srv runs, machine: srv, power: running }]
`;

const FILES = {
  'lab.yml': LAB,
  'users.yml': 'users: [{ userid: anna@pve, email: anna@school.example }]\n',
  'morning.yml': 'users: [anna@pve]\n',
  'evening.yml': 'users: [boris@pve]\n',
  'balance.yml': 'notify: { events: [failure], webhook: { url: "https://127.0.0.1:1/" } }\n',
};

/** Runs a line with the files of a folder; what it should be told of: the line, its exit code, what it complains of. */
function shellIn(folder: string, cluster: Cluster): (line: string) => Promise<unknown> {
  return async (line) => {
    const words = split(line)
      .flatMap((word) => (word === '$class' ? ['-c', 'lab.yml', '-u', 'users.yml'] : [word]))
      .map((word, at, all) => {
        if (all[at - 1] === '--lab') return 'net';
        if (all[at - 1] === '--students') return '2';
        return /^[\w.-]+\.(yml|json|html|svg|xml|csv)$/.test(word) ? join(folder, word) : word;
      })
      .map((word) => word.replace(/^\/etc\/deploy-stand/, folder));
    const own = [
      ...(/^(deploy|cleanup)/.test(line) ? ['--credentials', join(folder, 'c.csv')] : []),
      ...(line.startsWith('init ') ? ['--out', join(folder, `init-${line.length}`)] : []),
    ];
    const { code, stderr } = await runCli([...words, ...own], cluster);
    return [line, code, code === 0 ? '' : stderr];
  };
}

const BLOCKS = PAGES.flatMap(blocksOf);

test('every line is a command that is run here, or has a row that says where', () => {
  const neither = BLOCKS.flatMap(({ page, lines }) =>
    lines
      .filter((line) => !isElsewhere(line) && wordsIn(line) === undefined)
      .map((line) => `${page}: ${line}`),
  );
  expect(neither).toEqual([]);
  const used = (pattern: RegExp) => BLOCKS.some(({ lines }) => lines.some((line) => pattern.test(line)));
  expect(ELSEWHERE.filter(([pattern]) => !used(pattern))).toEqual([]);
});

const RUN = BLOCKS.map(({ page, lines }) => ({
  page,
  commands: lines.filter((line) => !isElsewhere(line)).flatMap((line) => wordsIn(line) ?? []),
})).filter(({ commands }) => commands.length > 0);

test.each(RUN.map(({ page, commands }) => [`${page}: ${commands[0]}`, commands] as const))(
  '%s',
  async (_, commands) => {
    const cluster = await startCluster();
    const folder = workFolder();
    writeFiles(folder, FILES);
    const run = shellIn(folder, cluster);
    const isAboutStands = commands.some((words) => /^(access|report|snapshot)/.test(words));
    if (isAboutStands)
      expect(await run('deploy -c lab.yml -u users.yml')).toEqual([expect.anything(), 0, '']);
    for (const words of commands) expect(await run(words)).toEqual([words, 0, '']);
  },
);

test('the first steps of a ready-made lab', async () => {
  const folder = join(workFolder(), 'lab');
  const cluster = await startCluster();
  const made = ['init', 'single-machine', '--students', '1', '--out', folder];
  expect((await runCli(made, cluster)).code).toBe(0);
  const lines = blocksOf(join(folder, 'README.md')).flatMap((block) => block.lines);
  const commands = lines.flatMap((line) => wordsIn(line) ?? []);
  expect([lines.length, commands.length > 5]).toEqual([commands.length, true]);
  // The simulated templates have no guest agent: of some checks it is said that they could not be run.
  const codes = (words: string): number => (words.startsWith('check') ? 5 : 0);
  const run = shellIn(folder, cluster);
  for (const words of commands)
    expect(await run(words)).toMatchObject([words, codes(words), expect.anything()]);
});
