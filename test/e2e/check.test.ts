/** `check` on a class of ten: who passes, who does not, who cannot be asked, and what the hostile ones do to others. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import type { AgentState, ClusterState } from '../../src/lib/simulator/state.ts';
import type { Version } from '../../src/lib/simulator/version.ts';
import { runCli, scenario, startCluster, workFolder, writeFiles, writes, type Cluster } from './harness.ts';
import { admin, putPool } from './people.ts';

const LAB = `name: web
machines:
  - { name: srv, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
checks:
  - name: web answers
    machine: srv
    run: [curl, -fsS, http://localhost/]
    expect: { stdout: ^Welcome }
    points: 2
    hint: start nginx
  - name: скрипт
    machine: srv
    script: |
      # комментарий
      test -e /tmp/\\\\x
    timeout: 5s
  - { name: is on, machine: srv, power: running }
  - { name: is wired, machine: srv, nic: { network: lan } }
  - { name: has its snapshot, machine: srv, snapshot: done, points: 0 }
`;
const NAMES = ['anna', 'boris', 'carla', 'dora', 'emil', 'fritz', 'gina', 'hans', 'ida', 'jan'];
const USERS = `users:\n${NAMES.map(
  (name, at) =>
    `  - { userid: ${name}@pve, email: ${name}@uni.example, lms_id: '${100 + at}', last_name: "=T${at}" }\n`,
).join('')}`;
const CURL = 'curl -fsS http://localhost/';
/** What the machine is given for the script: it holds more than ASCII. */
const SCRIPT = String.raw`/bin/sh -c eval "$(printf %b "$1")" sh # \0320\0272\0320\0276\0320\0274\0320\0274\0320\0265\0320\0275\0321\0202\0320\0260\0321\0200\0320\0270\0320\0271
test -e /tmp/\\\\x
`;
const GOOD: AgentState = {
  commands: [
    { run: CURL, output: 'Hello\nWelcome to nginx\n' },
    { run: SCRIPT, seconds: 1 },
  ],
};

const deployed = new Map<Version, Promise<ClusterState>>();

function base(version: Version, agents: Scenario['agents'] = []): Scenario {
  const plain = scenario({ version });
  const templates = (plain.templates ?? []).map((one) =>
    one.vmid === 101 ? { ...one, agent: GOOD, config: { ...one.config, agent: '1' } } : one,
  );
  return { ...plain, templates, agents };
}

interface Room {
  readonly files: readonly string[];
  readonly path: (name: string) => string;
}

function room(): Room {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': USERS });
  const path = (name: string) => join(folder, name);
  return { path, files: ['-c', path('lab.yml'), '-u', path('users.yml')] };
}

async function make(version: Version): Promise<ClusterState> {
  const { files, path } = room();
  const cluster = await startCluster({ scenario: base(version) });
  const run = await runCli(
    ['deploy', ...files, '--credentials', path('c.csv'), '--progress', 'none'],
    cluster,
  );
  expect([run.code, run.stderr]).toEqual([0, expect.any(String)]);
  return cluster.snapshot();
}

/** VMIDs are 10000 and on, in the order of the names. */
async function aClass(version: Version, agents: Readonly<Record<string, AgentState>> = {}): Promise<Cluster> {
  const made = deployed.get(version) ?? make(version);
  deployed.set(version, made);
  const own = Object.entries(agents).map(([name, agent]) => ({ vmid: 10_000 + NAMES.indexOf(name), agent }));
  const cluster = await startCluster({ scenario: base(version, own), state: await made });
  await cluster.time.sleep(120_000);
  return cluster;
}

interface Document {
  readonly maxPoints: number;
  readonly totals: object;
  readonly students: readonly {
    readonly user: string;
    readonly points: number;
    readonly results: readonly {
      readonly check: string;
      readonly verdict: string;
      readonly why?: string;
      readonly seen?: Readonly<Record<string, unknown>>;
    }[];
  }[];
}

const validate = new Ajv({ strict: false }).compile(
  JSON.parse(
    readFileSync(new URL('../../schemas/check-results.schema.json', import.meta.url), 'utf8'),
  ) as object,
);

function read(stdout: string): Document {
  const document: unknown = JSON.parse(stdout);
  expect([validate(document), validate.errors]).toEqual([true, null]);
  return document as Document;
}

function resultsOf({ students }: Document, name: string): Record<string, string> {
  const student = students.find(({ user }) => user === `${name}@pve`);
  return Object.fromEntries(
    (student?.results ?? []).map(({ check, verdict, why }) => [check, why ?? verdict]),
  );
}

describe.each<Version>(['7.4', '8.4', '9.2'])('%s', (version) => {
  test('all pass but three, and exactly those are told, graded and written', async () => {
    const cluster = await aClass(version, {
      boris: {
        commands: [{ run: CURL, exitcode: 7, error: '\u001b[31mrefused\r\n  anna@pve: exit code 9\n' }],
      },
      dora: { commands: [{ run: CURL, output: '<script>alert(1)</script>\n' }] },
      jan: { commands: [{ run: SCRIPT, exitcode: 255, output_base64: 'gP8=' }] },
    });
    const { files, path } = room();
    const since = cluster.requests.length;
    const run = await runCli(
      [
        'check',
        ...files,
        '--grades',
        'moodle',
        '--out',
        path('g.csv'),
        '--junit',
        path('r.xml'),
        '--require-pass',
      ],
      cluster,
    );
    expect(run.code).toBe(6);
    const failed = run.stdout.split('\n').filter((line) => line.includes('FAIL') && line.includes('@pve'));
    // Nobody has the snapshot, which is worth nothing.
    expect(failed.filter((line) => line.endsWith('5 of 5'))).toHaveLength(7);
    // One line, whatever was printed: no guest writes a line of another student.
    expect(run.stdout).toContain(
      String.raw`boris@pve: exit code 7, stderr "\x1b[31mrefused\n  anna@pve: exit code 9"`,
    );
    expect(run.stdout).toContain('dora@pve: printed "<script>alert(1)</script>"');
    expect(run.stdout).not.toContain('\u001b');
    const grades = parse<Record<string, string>>(readFileSync(path('g.csv')), { columns: true });
    expect(grades.map((row) => [row['Email address'], row['web']])).toEqual(
      NAMES.map((name) => [`${name}@uni.example`, { boris: '3', dora: '3', jan: '4' }[name] ?? '5']),
    );
    expect(grades[1]?.['Last name']).toBe("'=T1");
    expect(grades[1]?.['web feedback']).toContain('web answers: not passed (start nginx)');
    const junit = readFileSync(path('r.xml'), 'utf8');
    expect(junit).toContain('tests="50" failures="13" errors="0"');
    expect(junit).not.toMatch(/<script|[\u0000-\u0008\u000b-\u001f]/);
    // Nothing but the commands themselves; of each check one request, and its polls.
    expect(writes(cluster, since).every((line) => line.endsWith('/agent/exec'))).toBe(true);
    expect(writes(cluster, since)).toHaveLength(20);
  });
});

test('hostile guests: bounded, told of that student only, and nobody waits for them', async () => {
  const cluster = await aClass('9.2', {
    anna: { state: 'absent' },
    boris: { state: 'stuck' },
    carla: { state: 'garbage' },
    dora: { claims_pid: 1 },
    emil: { commands: [{ run: CURL, output: 'x'.repeat(1024), repeat: 100 * 1024 }] },
    fritz: { commands: [{ run: CURL, seconds: 100_000 }] },
    gina: { commands: [{ run: CURL, signal: 11, output_base64: '/v8gG1tKCg==' }] },
    hans: { commands: [{ run: 'nothing else' }] },
  });
  const { files, path } = room();
  const before = cluster.now();
  const run = await runCli(
    ['check', ...files, '--output', 'json', '--grades', 'canvas', '--out', path('g.csv')],
    cluster,
  );
  expect(run.code).toBe(5);
  expect(cluster.now() - before).toBeLessThan(40_000);
  expect(run.stdout.length).toBeLessThan(100_000);
  const document = read(run.stdout);
  const answers = Object.fromEntries(NAMES.map((name) => [name, resultsOf(document, name)['web answers']]));
  expect(answers).toEqual({
    ...{ anna: 'agent-silent', boris: 'agent-silent', carla: 'agent-odd', dora: 'agent-odd' },
    ...{ emil: 'flood', fritz: 'timeout', gina: 'killed', hans: 'passed', ida: 'passed', jan: 'passed' },
  });
  expect(resultsOf(document, 'anna')['is on']).toBe('passed');
  expect(document.students[6]?.results[0]?.seen).toEqual({ signal: 11, stdout: '\ufffd\ufffd \u001b[J\n' });
  // No grade for those of whom not all is known.
  const grades = parse(readFileSync(path('g.csv')));
  expect(grades.map((row) => row[1])).toEqual(['ID', '', '104', '105', '106', '107', '108', '109']);
  expect(run.stderr).toContain('no grade for anna@pve, boris@pve, carla@pve, dora@pve');
  const counted = await runCli(
    [
      ...[
        'check',
        ...files,
        '--only',
        'anna',
        '--grades',
        'canvas',
        '--out',
        path('h.csv'),
        '--count-not-run',
      ],
      ...['--output', 'json'],
    ],
    cluster,
  );
  expect([counted.code, parse(readFileSync(path('h.csv')))[2]?.at(-1)]).toEqual([5, '2']);
  const told = await runCli(['check', ...files, '--only', 'dora'], cluster);
  expect(told.stdout).toContain('could not be run, its guest agent answers nonsense (2):');
  expect(told.stdout.match(/nonsense/g)).toHaveLength(1);
  expect(told.stdout).toContain(`dora@pve: srv (web answers, скрипт): "Invalid parameter 'pid'"`);
});

test('machines that are off, gone, rewired; checks of a file; again and again until then', async () => {
  const state = structuredClone(await (deployed.get('9.2') ?? make('9.2')));
  const guest = (name: string) => state.guests.find(({ vmid }) => vmid === 10_000 + NAMES.indexOf(name))!;
  guest('anna').runningSince = undefined;
  guest('boris').config['net0'] = `${guest('boris').config['net0'] ?? ''},link_down=1`;
  guest('carla').config['net0'] = (guest('carla').config['net0'] ?? '').replace(/bridge=\w+/, 'bridge=vmbr0');
  const cluster = await startCluster({ scenario: base('9.2'), state });
  await cluster.time.sleep(120_000);
  const { files, path } = room();
  writeFiles(path('.'), {
    'checks.yml':
      'checks:\n  - { name: off, machine: srv, power: stopped }\n  - { name: out, machine: srv, nic: { network: lan, connected: false } }\n  - { name: asked, machine: srv, run: [curl, -fsS, http://localhost/], expect: { stdout: W.*x$ } }\n',
  });
  const end = new Date(cluster.now() + 180_000);
  const until = `${end.getHours()}:${String(end.getMinutes()).padStart(2, '0')}`;
  const run = await runCli(
    [
      'check',
      ...files,
      '--checks',
      path('checks.yml'),
      '--repeat',
      '30s',
      '--until',
      until,
      '--out',
      path('o.json'),
    ],
    cluster,
  );
  expect(run.code).toBe(5);
  expect(end.getTime() - cluster.now()).toBeLessThan(95_000);
  // Nothing changed meanwhile: the table stands there once.
  expect(run.stdout.match(/STUDENT/g)).toHaveLength(1);
  const document = read(readFileSync(path('o.json'), 'utf8'));
  expect(resultsOf(document, 'anna')).toEqual({ off: 'passed', out: 'nic', asked: 'off' });
  expect(resultsOf(document, 'boris')).toEqual({ off: 'power', out: 'passed', asked: 'passed' });
  expect(resultsOf(document, 'carla')).toEqual({ off: 'power', out: 'passed', asked: 'passed' });
  expect(resultsOf(document, 'dora')).toEqual({ off: 'power', out: 'nic', asked: 'passed' });
  const page = ['report', ...files, '--checks', path('o.json'), '--out', path('class.html')];
  // A lab that is gone for a while ends nothing: what was found before it is written.
  let stop: (signal: 'SIGINT') => void = () => undefined;
  const rename = (lab: string, other: string) =>
    Promise.all(
      cluster
        .snapshot()
        .pools.map(({ poolid, comment }) =>
          putPool(admin(cluster), '9.2', poolid, { comment: comment.replace(`lab=${lab}`, `lab=${other}`) }),
        ),
    );
  const meanwhile = async (): Promise<void> => {
    await rename('web', 'gone');
    await cluster.time.sleep(35_000);
    stop('SIGINT');
    await rename('gone', 'web');
  };
  let begun: Promise<void> | undefined;
  const ofLab = ['check', '--lab', 'web', '--checks', path('checks.yml'), '--repeat', '30s', '--out'];
  const cut = await runCli([...ofLab, path('cut.json')], cluster, {
    onSignaller: (send) => (stop = send),
    refuse: { stdout: () => void (begun ??= meanwhile()) },
  });
  await begun;
  expect([cut.code, cut.stderr]).toEqual([130, expect.stringContaining('there is no such lab')]);
  expect(resultsOf(read(readFileSync(path('cut.json'), 'utf8')), 'dora')).toMatchObject({ asked: 'passed' });
  expect((await runCli(page, cluster)).code).toBe(0);
  expect(readFileSync(path('class.html'), 'utf8')).toContain('<p>the machine is off</p>');
  expect(readFileSync(path('class.html'), 'utf8').match(/\d of 3 \?</g)).toHaveLength(1); // one could not be asked all
  const counted = await runCli(page, cluster);
  expect(counted.stdout).toMatch(/; 1\d checks failed, 1 could not be run\n$/);
  expect(readFileSync(path('class.html'), 'utf8')).toMatch(
    /<b class="bad">1\d<\/b><span>checks failed<\/span>[^]*<b class="bad">1<\/b><span>checks not run</,
  );
  writeFiles(path('.'), { 'other.yml': '- { name: p, machine: pc, power: running }\n' });
  for (const [flags, said] of [
    [
      [...files, '--machine', 'svr'],
      /--machine svr: there is no such machine[^]*machines of these stands: srv/,
    ],
    [
      ['--lab', 'web', '--checks', path('other.yml'), '--machine', 'srv'],
      /no checks of --machine srv[^]*machines that are checked: pc/,
    ],
  ] as const) {
    const named = await runCli(['check', ...flags], cluster);
    expect([named.code, named.stderr]).toEqual([2, expect.stringMatching(said)]);
  }
  const broken = await runCli(page.toSpliced(6, 1, path('lab.yml')), cluster);
  expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining('holds no results of checks')]);
});

test('without rights nothing is run; without checks nothing is contacted', async () => {
  const cluster = await aClass('9.2');
  const { files, path } = room();
  writeFiles(path('.'), { 'bare.yml': LAB.slice(0, LAB.indexOf('checks:')) });
  const bare = ['check', '-c', path('bare.yml'), ...files.slice(2)];
  const nothing = await runCli(bare, cluster);
  expect([nothing.code, nothing.stderr]).toEqual([
    2,
    expect.stringMatching(/has no checks[^]*name a file of checks with --checks/),
  ]);
  // As `init` writes them: in a file beside it.
  writeFiles(path('.'), { 'checks.yml': '' });
  expect((await runCli(bare, cluster)).stderr).toContain(`hint: add --checks ${path('checks.yml')}`);
  const formless = await runCli(['check', ...files, '--out', path('x.txt')], cluster);
  expect([formless.code, formless.stderr]).toEqual([2, expect.stringContaining('in which format')]);
  for (const [flags, said] of [
    [['--repeat', '0'], 'less than 1s'],
    [['--grades', 'moodle', '--out', path('x.json')], 'does not end in .csv'],
  ] as const) {
    const odd = await runCli(['check', ...files, ...flags], cluster);
    expect([odd.code, odd.stderr]).toEqual([2, expect.stringContaining(said)]);
  }
  const confined = await startCluster({
    scenario: {
      ...base('9.2'),
      users: [
        {
          userid: 'look@pve',
          tokens: [{ id: 'check', secret: '11111111-2222-3333-4444-555555555555', privsep: false }],
        },
      ],
      acl: [{ path: '/', role: 'PVEAuditor', user: 'look@pve' }],
    },
  });
  const { files: own, path: at } = room();
  expect(
    (
      await runCli(
        ['deploy', ...own, '--only', 'anna', '--credentials', at('c.csv'), '--progress', 'none'],
        confined,
      )
    ).code,
  ).toBe(0);
  await confined.time.sleep(60_000);
  const env = { PVE_TOKEN_ID: 'look@pve!check', PVE_TOKEN_SECRET: '11111111-2222-3333-4444-555555555555' };
  const since = confined.requests.length;
  const refused = await runCli(['check', ...own], confined, { env });
  expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('VM.GuestAgent.Unrestricted')]);
  expect(writes(confined, since)).toEqual([]);
  const tried = await runCli(['check', ...own, '--no-preflight', '--output', 'json'], confined, { env });
  expect(resultsOf(read(tried.stdout), 'anna')).toMatchObject({
    'web answers': 'not-allowed',
    'is on': 'passed',
  });
});

test('rehearsed right after a deploy, machines have come up: a minute passes between commands', async () => {
  const made = deployed.get('8.4') ?? make('8.4');
  deployed.set('8.4', made);
  const { files, path } = room();
  writeFiles(path(''), { 'state.json': `${JSON.stringify(await made)}\n` });
  const checks = ['--simulate', '--simulate-state', path('state.json'), '--output', 'json'];
  const run = await runCli(['check', ...files, ...checks], undefined);
  expect(read(run.stdout).students.filter(({ points }) => points === 0)).toEqual([]);
  expect(read(run.stdout).totals).toMatchObject({ notRun: 0 });
});

test('of who has no stand it is told what makes one: no deploy does for an account or a lab that is over', async () => {
  const cluster = await startCluster({ scenario: base('8.4') });
  const { files, path } = room();
  const people = (expire: string): void =>
    writeFiles(path(''), {
      'users.yml': `users: [anna@pve, { userid: boris@pve${expire} }]\n`,
    });
  people('');
  const deploy = ['deploy', ...files, '--only', 'anna', '--credentials', path('c.csv'), '--progress', 'none'];
  expect((await runCli(deploy, cluster)).code).toBe(0);
  const check = async () => (await runCli(['check', ...files], cluster)).stdout;
  expect(await check()).toContain('way out: deploy the lab for them, or leave them out with --only');
  people(', expire: 2020-01-31');
  const past = await check();
  expect(past).toContain('could not be run, the student has no stand, and the account has expired (5):');
  expect(past).toMatch(/way out: deploy makes no stand for them: set a later `expire`/);
  writeFiles(path(''), { 'lab.yml': LAB.replace('\n', '\nexpires: 2020-01-31\n') });
  expect(await check()).toContain('the student has no stand, and the lab is over (5):');
});
