import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { split } from 'shlex';
import { describe, expect, test } from 'vitest';
import type { Version } from '../../src/lib/simulator/version.ts';
import { comparable } from './cluster-view.ts';
import { runAndKill } from './killing.ts';
import {
  canLogin,
  post,
  runCli,
  scenario,
  startCluster,
  workFolder,
  writeFiles,
  writes,
  type Cluster,
} from './harness.ts';
import { resultErrors } from './result-schema.ts';

const LAB = `name: net
passwords: { length: 10 }
machines:
  - device_type: linux
    name: pc
    template_vmid: 101
    networks: [{ bridge: lan }]
`;

const CLASS = `users:
  - { userid: anna@pve, first_name: Anna, last_name: Petrova, email: anna@example.edu }
  - { userid: boris@pve, expire: 2026-12-24 }
`;

interface Room {
  readonly path: (name: string) => string;
  readonly credentials: string;
  /** Runs `users …` with the class's credentials file. */
  readonly users: (simulator: Cluster, ...argv: readonly string[]) => ReturnType<typeof runCli>;
  readonly passwordOf: (userid: string) => string;
}

function room(files: Readonly<Record<string, string>> = {}): Room {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': CLASS, ...files });
  const path = (name: string) => join(folder, name);
  const credentials = path('credentials.csv');
  return {
    path,
    credentials,
    users: (simulator, ...argv) =>
      runCli(['users', ...argv, '--credentials', credentials, '--progress', 'none'], simulator),
    passwordOf: (userid) => {
      const rows = readFileSync(credentials, 'utf8').split('\n');
      const row = rows.find((line) => line.startsWith(`${userid},`)) ?? '';
      const [, password = '', state] = row.split(',');
      expect([userid, state]).toEqual([userid, 'set']);
      return password;
    },
  };
}

const userOf = (simulator: Cluster, userid: string) =>
  simulator.snapshot().users.find((user) => user.userid === userid);

/** With a password instead of the token. */
function loginEnv(
  simulator: Cluster,
  user = simulator.credentials.user,
  password = simulator.credentials.password,
) {
  return { PVE_TOKEN_ID: '', PVE_TOKEN_SECRET: '', PVE_USER: user, PVE_PASSWORD: password };
}

describe('create and sync', () => {
  test('create makes users and pools; deploy takes both over, password included', async () => {
    const simulator = await startCluster();
    const { path, credentials, users, passwordOf } = room();
    const made = await users(simulator, 'create', '-u', path('users.yml'), '-c', path('lab.yml'));
    expect([made.code, made.stderr]).toEqual([0, '']);
    expect(userOf(simulator, 'anna@pve')).toMatchObject({
      firstname: 'Anna',
      lastname: 'Petrova',
      email: 'anna@example.edu',
      comment: expect.stringMatching(/^deploy-stand since=/),
    });
    expect(userOf(simulator, 'boris@pve')?.expire).toBe(Date.UTC(2026, 11, 25) / 1000);
    const pools = simulator.snapshot().pools.filter(({ poolid }) => poolid !== 'infra');
    expect(pools.map(({ poolid, comment }) => [poolid, comment])).toEqual([
      ['anna', 'deploy-stand user=anna@pve kept'],
      ['boris', 'deploy-stand user=boris@pve kept'],
    ]);
    expect(passwordOf('anna@pve')).toHaveLength(10);
    expect(made.stdout).not.toContain(passwordOf('anna@pve'));
    const since = simulator.requests.length;
    expect((await users(simulator, 'create', '-u', path('users.yml'))).code).toBe(0);
    expect(writes(simulator, since)).toEqual([]);
    const deploy = ['deploy', '-c', path('lab.yml'), '-u', path('users.yml'), '--credentials', credentials];
    expect((await runCli(deploy, simulator)).code).toBe(0);
    expect(await canLogin(simulator, 'anna@pve', passwordOf('anna@pve'))).toBe(true);
  });

  test('sync follows the file, and a second run from cron writes nothing', async () => {
    const simulator = await startCluster();
    const { path, users } = room();
    const sync = () => users(simulator, 'sync', '-u', path('users.yml'), '--disable', '--prune');
    expect((await sync()).code).toBe(0);
    const acl = () => simulator.snapshot().acl.map((entry) => `${entry.path} ${entry.subject} ${entry.role}`);
    expect(acl()).toContain('/pool/anna anna@pve PVEVMAdmin');
    const since = simulator.requests.length;
    const idle = await sync();
    expect([idle.code, writes(simulator, since)]).toEqual([0, []]);
    expect(idle.stdout).toContain('Nothing to do for 2 users');

    writeFileSync(
      path('users.yml'),
      'users: [{ userid: anna@pve, first_name: Anya, expire: 2027-01-31 }, dora@pve]\n',
    );
    const changed = await sync();
    expect(changed.code).toBe(0);
    expect(userOf(simulator, 'anna@pve')).toMatchObject({
      firstname: 'Anya',
      lastname: 'Petrova',
      expire: Date.UTC(2027, 1, 1) / 1000,
    });
    expect(userOf(simulator, 'boris@pve')).toBeUndefined();
    expect(simulator.snapshot().pools.map((pool) => pool.poolid)).toEqual(['infra', 'anna', 'dora']);
    expect(readFileSync(path('credentials.csv'), 'utf8')).toMatch(/^boris@pve,,removed,boris,/m);
  });

  test('a leaver with a stand is disabled, kept by --prune, and comes back with the file', async () => {
    const simulator = await startCluster();
    const { path, credentials, users, passwordOf } = room();
    await runCli(
      ['deploy', '-c', path('lab.yml'), '-u', path('users.yml'), '--credentials', credentials],
      simulator,
    );
    writeFileSync(path('less.yml'), 'users: [anna@pve]\n');
    const listed = await users(simulator, 'sync', '-u', path('less.yml'));
    expect(listed.stdout).toContain('boris@pve: not in the users file; has a stand of lab net');
    expect(userOf(simulator, 'boris@pve')?.enable).toBe(true);
    const disabled = await users(simulator, 'sync', '-u', path('less.yml'), '--disable', '--prune');
    expect(disabled.code).toBe(0);
    expect(await canLogin(simulator, 'boris@pve', passwordOf('boris@pve'))).toBe(false);
    const deploy = ['deploy', '-c', path('lab.yml'), '-u', path('users.yml'), '--dry-run'];
    const idle = await runCli([...deploy, '--credentials', credentials], simulator);
    expect(idle.stdout).toMatch(/the account of boris@pve; `deploy-stand users sync .*users\.yml` enables/);
    expect((await users(simulator, 'sync', '-u', path('users.yml'))).code).toBe(0);
    expect(await canLogin(simulator, 'boris@pve', passwordOf('boris@pve'))).toBe(true);
    expect(userOf(simulator, 'boris@pve')?.comment).not.toContain('disabled');
  });

  test('one who was enabled by hand, and later disabled by hand, is left disabled', async () => {
    const simulator = await startCluster();
    const { path, users } = room();
    const byHand = (enable: '0' | '1') =>
      post(simulator, '/access/users/boris@pve', { enable }, 'admin', 'PUT');
    const sync = () => users(simulator, 'sync', '-u', path('users.yml'));
    await sync();
    writeFileSync(path('less.yml'), 'users: [anna@pve]\n');
    await users(simulator, 'sync', '-u', path('less.yml'), '--disable');
    expect(await byHand('1')).toBe(200);

    await sync();
    expect(userOf(simulator, 'boris@pve')?.comment).not.toContain('disabled');
    expect(await byHand('0')).toBe(200);

    const left = await sync();
    expect(left.stdout).toContain('boris@pve: the user is disabled, but not by deploy-stand: left so');
    expect(userOf(simulator, 'boris@pve')?.enable).toBe(false);
  });

  test('several classes are told with -u each; nobody of them is a leaver', async () => {
    const simulator = await startCluster();
    const { path, users } = room({ 'more.yml': 'users: [dora@pve, anna@pve]\n' });
    const both = ['sync', '-u', path('users.yml'), '-u', path('more.yml'), '--prune'];
    expect((await users(simulator, ...both)).code).toBe(0);
    const since = simulator.requests.length;
    expect((await users(simulator, ...both)).code).toBe(0);
    expect(writes(simulator, since)).toEqual([]);
    const limited = await users(simulator, 'sync', '-u', path('users.yml'), '--prune', '--max-changes', '1');
    expect([limited.code, limited.stderr]).toEqual([3, expect.stringContaining('TOO_MANY_CHANGES')]);
    expect(userOf(simulator, 'dora@pve')).toBeDefined();
  });

  test('what is not ours is neither changed nor removed', async () => {
    const cluster = scenario({
      users: [{ userid: 'anna@pve', comment: 'staff', email: 'old@example.edu' }, { userid: 'guest@pve' }],
      pools: [{ pool: 'boris', comment: 'production' }],
    });
    const simulator = await startCluster({ scenario: cluster });
    const { path, users } = room();
    const run = await users(simulator, 'sync', '-u', path('users.yml'), '--disable', '--prune');
    expect(run.code).toBe(5);
    expect(run.stdout).toContain('pool boris exists and was not made by deploy-stand');
    expect(run.stdout).toMatch(
      /anna@pve: the user existed before deploy-stand: email, first_name, last_name/,
    );
    expect(userOf(simulator, 'anna@pve')).toMatchObject({ comment: 'staff', email: 'old@example.edu' });
    expect(userOf(simulator, 'guest@pve')?.enable).toBe(true);
    expect(simulator.snapshot().pools.find((pool) => pool.poolid === 'boris')?.comment).toBe('production');
    expect(readFileSync(path('credentials.csv'), 'utf8')).toMatch(/^anna@pve,,unchanged,/m);
  });

  test.each<{ version: Version; code: number }>([
    { version: '7.4', code: 0 },
    { version: '8.4', code: 3 },
    { version: '9.2', code: 3 },
  ])('passwords of 6 characters on $version: exit $code', async ({ version, code }) => {
    const simulator = await startCluster({ scenario: scenario({ version }) });
    const { path, users } = room({ 'lab.yml': LAB.replace('length: 10', 'length: 6') });
    const run = await users(simulator, 'create', '-u', path('users.yml'), '-c', path('lab.yml'));
    expect(run.code).toBe(code);
    if (code === 0) return;
    expect(run.stderr).toContain('PASSWORD_TOO_SHORT');
    const deploy = ['deploy', '-c', path('lab.yml'), '-u', path('users.yml'), '--credentials', path('x.csv')];
    const deployed = await runCli(deploy, simulator);
    expect([deployed.code, deployed.stderr]).toEqual([3, expect.stringContaining('PASSWORD_TOO_SHORT')]);
    expect(writes(simulator)).toEqual([]);
  });

  test('a dry run writes nothing, and its document fits the schema', async () => {
    const simulator = await startCluster();
    const { path, users } = room();
    const argv = ['sync', '-u', path('users.yml'), '--output', 'json'];
    const dry = await users(simulator, ...argv, '--dry-run', '--detailed-exitcode');
    expect([dry.code, writes(simulator)]).toEqual([6, []]);
    for (const { stdout } of [dry, await users(simulator, ...argv)]) expect(resultErrors(stdout)).toEqual([]);
  });
});

describe('list', () => {
  test('tells users, stands and what is known of passwords', async () => {
    const empty = await startCluster();
    const none = await runCli(['users', 'list'], empty);
    expect([none.code, none.stdout]).toEqual([0, 'no users of deploy-stand on this cluster\n']);
    const claim = 'deploy-stand user=boris@pve\nlab=net vmids=900-901 node=pve1 since=2026-01-15T09:00:00Z';
    const simulator = await startCluster({
      scenario: scenario({
        users: [
          {
            userid: 'boris@pve',
            comment: 'deploy-stand since=2026-01-15T09:00:00Z',
            expire: Date.UTC(2026, 11, 25) / 1000,
          },
        ],
        pools: [{ pool: 'boris', comment: claim }],
        guests: [
          { vmid: 900, name: 'pc', node: 'pve1', pool: 'boris', running: true },
          { vmid: 901, name: 'eco', node: 'pve1', pool: 'boris', running: false },
        ],
      }),
    });
    const { path, credentials, users } = room();
    const address = `https://127.0.0.1:${simulator.port}`;
    writeFileSync(credentials, `userid,password,state,pool,url\nboris@pve,secret,set,boris,${address}\n`);
    const text = await users(simulator, 'list', '-u', path('users.yml'));
    expect(text.stdout.split('\n')).toEqual([
      'USER       REALM  ENABLED  EXPIRES                 POOL   STANDS  RUNNING  PASSWORD',
      'anna@pve   pve    missing  -                       anna   -       -        unknown',
      'boris@pve  pve    yes      2026-12-24, end of day  boris  net     1 of 2   known',
      '',
      '2 users: 1 missing',
      '',
    ]);
    const json = await runCli(['users', 'list', '--user', 'boris@pve', '--output', 'json'], simulator);
    expect(JSON.parse(json.stdout)).toEqual({
      users: [
        {
          userid: 'boris@pve',
          realm: 'pve',
          exists: true,
          ours: true,
          enabled: true,
          expires: '2026-12-25T00:00Z',
          pool: 'boris',
          stands: ['net'],
          frozen: null,
          vms: { total: 2, running: 1 },
          password: 'unknown',
        },
      ],
    });
  });
});

describe('delete', () => {
  test('leaves the cluster as it was before create', async () => {
    const simulator = await startCluster();
    const before = comparable(simulator.snapshot());
    const { path, users } = room();
    await users(simulator, 'sync', '-u', path('users.yml'));
    const run = await users(simulator, 'delete', '-u', path('users.yml'));
    expect(run.code).toBe(0);
    expect(comparable(simulator.snapshot())).toEqual(before);
    const since = simulator.requests.length;
    expect((await users(simulator, 'delete', '--user', 'anna@pve')).code).toBe(0);
    expect(writes(simulator, since)).toEqual([]);
  });

  test('refuses users with stands, users of others, and to guess who is meant', async () => {
    const simulator = await startCluster();
    const { path, credentials, users } = room();
    const deploy = ['deploy', '-c', path('lab.yml'), '--only', 'anna@pve', '--credentials', credentials];
    await runCli([...deploy, '-u', path('users.yml')], simulator);
    await users(simulator, 'create', '-u', path('users.yml'));
    await post(simulator, '/access/users', { userid: 'ops@pve', comment: 'operations' });
    const since = simulator.requests.length;
    for (const [argv, code, text] of [
      [['--user', 'anna@pve'], 3, 'STANDS_LEFT'],
      [['--user', 'ops@pve'], 3, 'NOT_OURS'],
      [['--user', 'root@pam'], 2, 'not a student'],
      [[], 2, 'NO_SELECTION'],
      [['-u', path('users.yml'), '--user', 'zed@pve'], 2, 'UNKNOWN_USER'],
      [['--user', 'zed'], 2, 'realm'],
    ] as const) {
      const run = await users(simulator, 'delete', ...argv);
      expect([argv, run.code, run.stderr]).toEqual([argv, code, expect.stringContaining(text)]);
    }
    expect(writes(simulator, since)).toEqual([]);
    const partly = await users(simulator, 'delete', '-u', path('users.yml'));
    expect(partly.code).toBe(5);
    expect([userOf(simulator, 'anna@pve') !== undefined, userOf(simulator, 'boris@pve')]).toEqual([
      true,
      undefined,
    ]);
  });
});

describe('passwd', () => {
  const versions: readonly Version[] = ['7.4', '8.4', '9.2'];

  /** Two users with stands, on a cluster with an administrator who is not root. */
  async function deployed(version: Version) {
    const simulator = await startCluster({
      scenario: scenario({
        version,
        users: [{ userid: 'lab@pve', password: 'labs-own-secret' }],
        acl: [{ path: '/', role: 'Administrator', user: 'lab@pve' }],
      }),
    });
    const files = room();
    const argv = ['deploy', '-c', files.path('lab.yml'), '-u', files.path('users.yml')];
    await runCli([...argv, '--credentials', files.credentials], simulator);
    const run = (env: Record<string, string>, ...more: readonly string[]) =>
      runCli(
        ['users', 'passwd', ...more, '--credentials', files.credentials, '--progress', 'none'],
        simulator,
        { env },
      );
    const deploy = (env: Record<string, string>, ...more: readonly string[]) =>
      runCli([...argv, ...more, '--credentials', files.credentials], simulator, { env });
    return { simulator, ...files, run, deploy };
  }

  test.each(versions)('%s: a token is refused, exit 4, before anything is changed', async (version) => {
    const { simulator, run, deploy, path, credentials } = await deployed(version);
    const [since, before] = [simulator.requests.length, readFileSync(credentials, 'utf8')];
    const refused = await run({}, '-u', path('users.yml'));
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('TOKEN_CANNOT_SET_PASSWORD');
    expect(refused.stderr).toContain('PVE_PASSWORD');
    expect(refused.stderr).toContain('--recreate');
    const reset = await deploy({}, '--reset-passwords', '--only', 'anna');
    expect([reset.code, reset.stderr]).toEqual([4, expect.stringContaining('TOKEN_CANNOT_SET_PASSWORD')]);
    expect(reset.stderr).toContain(
      `deploy-stand users passwd --recreate --user anna@pve -c ${path('lab.yml')}`,
    );
    expect([writes(simulator, since), readFileSync(credentials, 'utf8')]).toEqual([[], before]);
  });

  test.each(versions)('%s: a login sets new ones; root and others', async (version) => {
    const { simulator, run, deploy, path, passwordOf } = await deployed(version);
    const first = passwordOf('anna@pve');
    const byRoot = await run(loginEnv(simulator), '-u', path('users.yml'), '-c', path('lab.yml'));
    expect([byRoot.code, byRoot.stderr]).toEqual([0, '']);
    const second = passwordOf('anna@pve');
    expect([second === first, second.length]).toEqual([false, 10]);
    expect(await canLogin(simulator, 'anna@pve', first)).toBe(false);
    expect(await canLogin(simulator, 'anna@pve', second)).toBe(true);
    const other = passwordOf('boris@pve');
    const byLab = await run(loginEnv(simulator, 'lab@pve', 'labs-own-secret'), '--user', 'anna@pve');
    expect([byLab.code, byLab.stderr]).toEqual([0, '']);
    expect(await canLogin(simulator, 'anna@pve', passwordOf('anna@pve'))).toBe(true);
    expect(passwordOf('boris@pve')).toBe(other);
    if (version !== '9.2') return;
    // Elsewhere, they would leave the former ones where cards are made from.
    const elsewhere = [
      '-c',
      path('lab.yml'),
      '-u',
      path('users.yml'),
      '--credentials',
      path('credentials-net.csv'),
    ];
    for (const command of [
      ['users', 'passwd'],
      ['deploy', '--reset-passwords'],
    ]) {
      const dry = await runCli([...command, ...elsewhere, '--dry-run'], simulator, {
        env: loginEnv(simulator),
      });
      expect(dry.stderr).toContain(
        `go into ${path('credentials-net.csv')}, and ${path('credentials.csv')} keeps the former one of 2 users`,
      );
    }
    for (const text of [byRoot.stdout, byLab.stdout]) expect(text).not.toMatch(/labs-own-secret/);
    expect(byLab.stdout).not.toContain(passwordOf('anna@pve'));

    const dry = await deploy(loginEnv(simulator), '--reset-passwords', '--dry-run', '--detailed-exitcode');
    expect([dry.code, dry.stdout]).toEqual([6, expect.stringContaining('new password')]);
    const byDeploy = await deploy(loginEnv(simulator), '--reset-passwords');
    expect([byDeploy.code, byDeploy.stdout]).toEqual([
      0,
      expect.stringContaining('2 complete; steps: 2 done'),
    ]);
    expect([await canLogin(simulator, 'boris@pve', other), passwordOf('boris@pve') === other]).toEqual([
      false,
      false,
    ]);
    expect(await canLogin(simulator, 'boris@pve', passwordOf('boris@pve'))).toBe(true);
    expect((await deploy(loginEnv(simulator), '--dry-run', '--detailed-exitcode')).code).toBe(0);
  });

  test.each(versions)('%s: --recreate works with a token, and keeps details and rights', async (version) => {
    const { simulator, run, passwordOf } = await deployed(version);
    const view = () => ({ all: comparable(simulator.snapshot()), anna: userOf(simulator, 'anna@pve') });
    const before = view();
    const first = passwordOf('anna@pve');
    expect((await run({}, '--user', 'anna@pve', '--recreate')).code).toBe(0);
    const after = view();
    expect(after.all).toEqual(before.all);
    expect({ ...after.anna, passwordHash: '' }).toEqual({ ...before.anna, passwordHash: '' });
    expect(await canLogin(simulator, 'anna@pve', first)).toBe(false);
    expect(await canLogin(simulator, 'anna@pve', passwordOf('anna@pve'))).toBe(true);
  });

  test('a name that makes no pool, and that a shell would not take as it is', async () => {
    const simulator = await startCluster();
    const { path, users, passwordOf } = room({
      'users.yml': `users: [{ userid: "o'neil@pve", pool: oneil }]\n`,
    });
    const credentials = ['--credentials', path('credentials.csv')];
    const deploy = ['deploy', '-c', path('lab.yml'), '-u', path('users.yml'), ...credentials];
    expect((await runCli(deploy, simulator)).code).toBe(0);
    const former = passwordOf(`"o'neil@pve"`);
    expect((await users(simulator, 'passwd', '--user', "o'neil@pve", '--recreate')).code).toBe(0);
    expect(passwordOf(`"o'neil@pve"`)).not.toBe(former);
    const early = await users(simulator, 'delete', '--user', "o'neil@pve");
    const [, hint = ''] = /^hint: remove it first: deploy-stand (.*)$/m.exec(early.stderr) ?? [];
    expect([early.code, split(hint)]).toEqual([3, ['cleanup', '--user', "o'neil@pve"]]);
    expect((await runCli([...split(hint), ...credentials], simulator)).code).toBe(0);
    expect(userOf(simulator, "o'neil@pve")).toBeUndefined();
  });

  test('users of others only with --force-foreign; nobody in particular is refused', async () => {
    const { simulator, run, passwordOf } = await deployed('8.4');
    const env = loginEnv(simulator);
    const since = simulator.requests.length;
    expect((await run(env, '--user', 'lab@pve')).code).toBe(3);
    expect((await run({}, '--user', 'lab@pve', '--recreate', '--force-foreign')).code).toBe(3);
    expect((await run(env)).code).toBe(2);
    expect((await run(env, '--user', 'zed@pve')).stderr).toContain('NO_USER');
    const logins = (list: readonly string[]) => list.filter((line) => !line.endsWith('/access/ticket'));
    expect(logins(writes(simulator, since))).toEqual([]);
    expect((await run(env, '--user', 'lab@pve', '--force-foreign')).code).toBe(0);
    expect(await canLogin(simulator, 'lab@pve', passwordOf('lab@pve'))).toBe(true);
  });

  test('an account of a directory: the directory keeps the password', async () => {
    const simulator = await startCluster({
      scenario: scenario({ realms: [{ realm: 'school', type: 'ldap' }] }),
    });
    const { path, credentials, users } = room({ 'users.yml': 'users: [anna@school]\n' });
    expect((await users(simulator, 'create', '-u', path('users.yml'))).code).toBe(0);
    expect(readFileSync(credentials, 'utf8')).toMatch(/^anna@school,,directory,anna,/m);
    const named = await users(simulator, 'passwd', '--user', 'anna@school', '--recreate');
    expect([named.code, named.stderr]).toEqual([3, expect.stringContaining('DIRECTORY_ACCOUNT')]);
    const all = await users(simulator, 'passwd', '-u', path('users.yml'), '--recreate');
    expect([all.code, all.stdout]).toEqual([0, expect.stringContaining('kept by the directory')]);
  });

  test.each([
    { name: 'before it was set', action: 'drop-before' as const, method: 'PUT', path: '/access/password' },
    { name: 'after it was set', action: 'drop-after' as const, method: 'PUT', path: '/access/password' },
    {
      name: 'after the removal',
      action: 'drop-after' as const,
      method: 'DELETE',
      path: '/access/users/{userid}',
    },
    { name: 'after the creation', action: 'drop-after' as const, method: 'POST', path: '/access/users' },
  ])('an answer lost $name does no harm', async ({ action, method, path }) => {
    const { simulator, run, passwordOf } = await deployed('8.4');
    simulator.addFault({ match: { method, path }, nth: 1, action });
    const recreate = method !== 'PUT';
    const done = recreate
      ? await run({}, '--user', 'anna@pve', '--recreate')
      : await run(loginEnv(simulator), '--user', 'anna@pve');
    expect(done.code).toBe(0);
    expect(await canLogin(simulator, 'anna@pve', passwordOf('anna@pve'))).toBe(true);
  });

  test('a password that waits is not taken for the valid one, and is set by the next run', async () => {
    const { simulator, run, path, credentials, users, passwordOf } = await deployed('8.4');
    const former = passwordOf('anna@pve');
    const text = readFileSync(credentials, 'utf8');
    const waiting = text.split('\n').find((line) => line.startsWith('anna@pve,')) ?? '';
    // What a run leaves that was killed before PVE had heard of the new password.
    writeFileSync(
      credentials,
      `${text}${waiting.replace(former, 'waits2secret').replace(',set,', ',pending,')}\n`,
    );
    const deploy = ['deploy', '-c', path('lab.yml'), '-u', path('users.yml'), '--credentials', credentials];
    expect((await runCli(deploy, simulator)).code).toBe(0);
    expect(readFileSync(credentials, 'utf8')).toContain(',waits2secret,pending,');
    const out = path('cards.csv');
    const exported = await users(simulator, 'export', '--format', 'csv', '--out', out);
    expect(exported.stdout).toContain('left out: anna@pve: a change of the password was cut short');
    expect((await run(loginEnv(simulator), '--user', 'anna@pve')).code).toBe(0);
    expect(passwordOf('anna@pve')).toBe('waits2secret');
    expect(await canLogin(simulator, 'anna@pve', 'waits2secret')).toBe(true);
    expect(readFileSync(credentials, 'utf8').match(/^anna@pve,/gm)).toHaveLength(1);
  });
});

test('passwd --recreate killed after every single write: sync and a re-run lose nobody and no password', async () => {
  const origin = await startCluster();
  const class1 = room();
  await class1.users(origin, 'sync', '-u', class1.path('users.yml'));
  const state = origin.snapshot();
  const before = comparable(state);
  const credentials = readFileSync(class1.credentials, 'utf8');
  let killed = 0;
  for (let n = 1; n <= 9; n += 1) {
    const { path, credentials: file, users, passwordOf } = room();
    writeFileSync(file, credentials);
    const argv = ['users', 'passwd', '-u', path('users.yml'), '--recreate', '--credentials', file];
    const { cluster, end } = await runAndKill(n, argv, { state });
    killed += end ? 0 : 1;
    expect([n, (await users(cluster, 'sync', '-u', path('users.yml'))).code]).toEqual([n, 0]);
    const again = await users(cluster, 'passwd', '-u', path('users.yml'), '--recreate');
    expect([n, again.code]).toEqual([n, 0]);
    expect([n, comparable(cluster.snapshot())]).toEqual([n, before]);
    for (const userid of ['anna@pve', 'boris@pve'])
      expect([n, userid, await canLogin(cluster, userid, passwordOf(userid))]).toEqual([n, userid, true]);
  }
  // The lock, two users removed, made and given their right again, the lock.
  expect(killed).toBe(8);
});

test.each(['7.4', '8.4', '9.2'] as const)(
  'passwd --recreate of one who may write a pool: what stands there would be believed, %s',
  async (version) => {
    const simulator = await startCluster({
      scenario: scenario({
        version,
        guests: [{ vmid: 300, name: 'mail', node: 'pve1', pool: 'zoo', running: true }],
        pools: [
          {
            pool: 'zoo',
            comment:
              'deploy-stand user=anna@pve\nlab=net vms=pc:300 since=2020-01-01T00:00:00Z expires=2020-02-01',
          },
        ],
        users: [{ userid: 'anna@pve', comment: 'deploy-stand since=2026-01-01T00:00:00Z' }],
        acl: [{ path: '/pool/zoo', role: 'PVEPoolAdmin', user: 'anna@pve' }],
      }),
    });
    const { users } = room();
    const refused = await users(simulator, 'passwd', '--user', 'anna@pve', '--recreate');
    expect([refused.code, writes(simulator)]).toEqual([3, []]);
    expect(refused.stderr).toContain('anna@pve has PVEPoolAdmin on /pool/zoo');
    expect((await runCli(['cleanup', '--expired'], simulator)).code).toBe(0);
    expect(simulator.snapshot().guests.map(({ vmid }) => vmid)).toContain(300);
  },
);

test('what was cut short is gone on with by the same command, also in a dry run, and after sync', async () => {
  const simulator = await startCluster();
  const { path, users, credentials } = room();
  await users(simulator, 'sync', '-u', path('users.yml'));
  simulator.addFault({
    match: { method: 'POST', path: /access\/users$/ },
    nth: 1,
    action: 'fail',
    status: 500,
    text: 'no',
  });
  const again = ['passwd', '--user', 'anna@pve', '--recreate'];
  expect((await users(simulator, ...again)).code).not.toBe(0);
  expect(userOf(simulator, 'anna@pve')).toBeUndefined();
  expect(readFileSync(credentials, 'utf8')).toMatch(/^userid,password,state,pool,url,account\n/);
  const shown = await users(simulator, ...again, '--dry-run');
  expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining('anna@pve')]);
  expect((await users(simulator, ...again)).code).toBe(0);
  expect(userOf(simulator, 'anna@pve')).toMatchObject({ lastname: 'Petrova', email: 'anna@example.edu' });
  expect(simulator.snapshot().acl).toContainEqual(
    expect.objectContaining({ path: '/pool/anna', subject: 'anna@pve' }),
  );
  expect(readFileSync(credentials, 'utf8')).toMatch(/^userid,password,state,pool,url\n/);
});

describe('export', () => {
  test.each(['csv', 'json', 'markdown', 'html'])('%s: private, with what a student needs', async (format) => {
    const simulator = await startCluster();
    const { path, credentials, users, passwordOf } = room();
    const deploy = ['deploy', '-c', path('lab.yml'), '--only', 'anna@pve', '--credentials', credentials];
    await runCli([...deploy, '-u', path('users.yml')], simulator);
    const out = path(`cards.${format}`);
    const argv = ['export', '--format', format, '--out', out, '-u', path('users.yml'), '-c', path('lab.yml')];
    const since = simulator.requests.length;
    const run = await users(simulator, ...argv);
    expect([run.code, writes(simulator, since)]).toEqual([0, []]);
    expect(run.stdout).toContain('left out: boris@pve: not in the credentials file');
    expect(statSync(out).mode & 0o777).toBe(0o600);
    const text = readFileSync(out, 'utf8');
    const { vmid } = simulator.snapshot().guests.find((guest) => guest.config['name'] === 'pc')!;
    for (const part of ['anna', passwordOf('anna@pve'), `127.0.0.1:${simulator.port}`, 'pc', String(vmid)])
      expect(text).toContain(part);
    expect(text).not.toContain('boris');
    expect(run.stdout + run.stderr).not.toContain(passwordOf('anna@pve'));
    const json = await users(simulator, ...argv, '--output', 'json');
    expect(JSON.parse(json.stdout)).toEqual({
      file: out,
      format,
      users: ['anna@pve'],
      leftOut: [{ user: 'boris@pve', reason: 'not in the credentials file' }],
    });
  });

  test('a card names no VM that somebody made at a claimed number', async () => {
    const simulator = await startCluster();
    const { path, credentials, users } = room();
    const files = ['-c', path('lab.yml'), '-u', path('users.yml'), '--credentials', credentials];
    await runCli(['deploy', ...files, '--only', 'anna@pve'], simulator);
    const { comment } = simulator.snapshot().pools.find(({ poolid }) => poolid === 'anna')!;
    const reserved = comment.replace(/pc:(\d+)/, `pc:$1?${'0'.repeat(24)}`);
    await post(simulator, '/pools', { poolid: 'anna', comment: reserved }, 'admin', 'PUT');
    const run = await users(simulator, 'export', '--format', 'json', '--out', path('cards.json'));
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(JSON.parse(readFileSync(path('cards.json'), 'utf8'))).toMatchObject({
      users: [{ userid: 'anna@pve', machines: [] }],
    });
  });

  test('names the file that has the passwords, where that of a second lab has none', async () => {
    const simulator = await startCluster();
    const { path, users } = room();
    await users(simulator, 'create', '-u', path('users.yml'));
    // Of another cluster, and of nobody who is asked for.
    writeFiles(path('.'), {
      'credentials-far.csv':
        'userid,password,state,pool,url\nanna@pve,aaaaaaaaaa,set,anna,https://far.example:8006\n',
      'two.yml': 'users: [anna@pve, zoe@pve]\n',
    });
    const files = ['-c', path('lab.yml'), '-u', path('users.yml')];
    const second = ['--credentials', path('credentials-net.csv')];
    const deployed = await runCli(['deploy', ...files, ...second], simulator);
    expect(deployed.stdout).toContain(
      `Passwords: as they were: nobody got a new one; ${path('credentials.csv')} has those of 2 users\n`,
    );
    const argv = ['users', 'export', ...files, ...second, '--out', path('x.csv')];
    const none = await runCli(argv, simulator);
    expect(none.code).toBe(3);
    expect(none.stderr).toContain(`hint: --credentials ${path('credentials.csv')} has those of 2 users\n`);
    expect(none.stderr).not.toContain('credentials-far.csv');
    // Of those who are left out, too.
    const more = ['-c', path('lab.yml'), '-u', path('two.yml')];
    await runCli(['deploy', ...more, ...second], simulator);
    const some = await runCli(['users', 'export', ...more, ...second, '--out', path('y.csv')], simulator);
    expect([some.code, some.stdout]).toEqual([0, expect.stringContaining('y.csv: 1 user;')]);
    expect(some.stderr).toContain(`--credentials ${path('credentials.csv')} has those of anna@pve\n`);
  });

  test('refuses when no password is known, and a place it cannot write to', async () => {
    const simulator = await startCluster();
    const { path, users } = room();
    const none = await users(simulator, 'export', '--format', 'csv', '--out', path('x.csv'));
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining('NO_PASSWORDS')]);
    const made = await users(simulator, 'create', '-u', path('users.yml'));
    expect(made.stdout).toContain('Passwords: in the file ');
    const files = ['-c', path('lab.yml'), '-u', path('users.yml')];
    const later = await runCli(['deploy', ...files, '--credentials', path('second.csv')], simulator);
    expect([later.code, later.stdout]).toEqual([0, expect.stringContaining('Passwords: as they were')]);
    const lost = await users(simulator, 'export', '--format', 'csv', '--out', path('users.yml/x.csv'));
    expect([lost.code, lost.stderr]).toEqual([2, expect.stringContaining('OUT_FILE')]);
    const dash = await users(simulator, 'export', '--format', 'csv', '--out', '-');
    expect([dash.code, dash.stderr]).toEqual([
      2,
      expect.stringContaining('never stdout: it holds passwords'),
    ]);
  });
});
