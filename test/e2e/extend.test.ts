/** `extend`: one later day for claims and accounts, in one plan; never an earlier one unnamed. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runAndKill } from './killing.ts';
import { runCli, scenario, startCluster, workFolder, writeFiles, writes, type Cluster } from './harness.ts';
import { room } from './people.ts';
import { resultErrors } from './result-schema.ts';

const lab = (name: string, expires?: string) =>
  `name: ${name}\n${expires ? `expires: ${expires}\n` : ''}machines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: vmbr0 }] }]\n`;
const FILES = {
  'lab.yml': lab('exam', '2027-02-01'),
  'web.yml': lab('web'),
  'users.yml': 'users: [{ userid: anna@pve, expire: 2027-02-01 }, boris@pve]\n',
};
const CLASS = '-c @lab.yml -u @users.yml';

const expiryOf = (cluster: Cluster) => {
  const { pools, users } = cluster.snapshot();
  return {
    claims: pools.flatMap(({ comment }) => comment.match(/lab=\S+|expires=\S+/g) ?? []),
    accounts: users
      .flatMap(({ userid, expire }) =>
        /^(anna|boris)@/.test(userid)
          ? [`${userid} ${expire === 0 ? 'never' : new Date(expire * 1000).toISOString()}`]
          : [],
      )
      .sort(),
  };
};

test('status shows the end of the account where the lab has none, or a later one', async () => {
  const cluster = await startCluster();
  const { run } = room(FILES);
  expect(await run(cluster, 'deploy -c @web.yml -u @users.yml')).toMatchObject({ code: 0 });
  const { labs } = JSON.parse((await run(cluster, 'status --output json')).stdout) as {
    labs: { stands: { user: string; expires: string | null }[] }[];
  };
  expect(labs.flatMap(({ stands }) => stands.map(({ user, expires }) => [user, expires]))).toEqual([
    ['anna@pve', '2027-02-01'],
    ['boris@pve', null],
  ]);
});

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  test('later for stands and accounts; nothing to do twice; earlier only when asked for', async () => {
    const cluster = await startCluster({ scenario: scenario({ version }) });
    const { run } = room(FILES);
    expect(await run(cluster, `deploy ${CLASS}`)).toMatchObject({ code: 0 });
    const done = await run(cluster, `extend ${CLASS} --until 1.3.2027`);
    expect([done.code, done.stdout]).toEqual([
      0,
      expect.stringContaining('`expires: 2027-03-01` in the lab'),
    ]);
    const later = {
      claims: ['lab=exam', 'expires=2027-03-01', 'lab=exam', 'expires=2027-03-01'],
      // To the end of the day; who never expires does not begin to.
      accounts: ['anna@pve 2027-03-02T00:00:00.000Z', 'boris@pve never'],
    };
    expect(expiryOf(cluster)).toEqual(later);
    // Machines anew, and nothing of what the file has otherwise by now.
    expect(await run(cluster, `reset ${CLASS} --user anna@pve --reclone`)).toMatchObject({ code: 0 });
    expect(expiryOf(cluster)).toEqual(later);
    const since = cluster.requests.length;
    for (const less of ['--until 2027-03-01', '--until 2027-02-10']) {
      const again = await run(cluster, `extend ${CLASS} ${less}`);
      expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('Nothing to do for 2 stands')]);
    }
    expect(writes(cluster, since)).toEqual([]);
    const back = (await run(cluster, `deploy ${CLASS} --dry-run`)).stdout.replaceAll(/\s+/g, ' ');
    expect(back).toContain('pool anna: updates the claim until 2027-02-01; it was 2027-03-01');
    expect(back).toContain('lab exam ends on 2027-02-01, as its file says; until now it was 2027-03-01');
    expect(await run(cluster, `extend ${CLASS} --by 1w`)).toMatchObject({ code: 0 });
    expect(expiryOf(cluster).accounts).toEqual(['anna@pve 2027-03-09T00:00:00.000Z', 'boris@pve never']);
    expect(await run(cluster, `extend ${CLASS} --until 2027-02-10 --shorten`)).toMatchObject({ code: 0 });
    expect(expiryOf(cluster).accounts).toEqual([
      'anna@pve 2027-02-11T00:00:00.000Z',
      'boris@pve 2027-02-11T00:00:00.000Z',
    ]);
    const past = await run(cluster, `extend ${CLASS} --until 2020-01-01 --shorten`);
    expect([past.code, past.stdout.replaceAll(/\s+/g, ' ')]).toEqual([
      0,
      expect.stringMatching(
        /warning: 2020-01-01 is past, today is 2026-\S+: nobody can log in with .* the next `cleanup --expired` removes the stands/,
      ),
    ]);
    // The way out that status names is one.
    const expired = await run(cluster, 'status --check');
    const [, way = ''] = /deploy-stand (extend .*)/.exec(expired.stdout) ?? [];
    expect([expired.code, way]).toEqual([6, 'extend --lab exam --user anna@pve --user boris@pve --by 7d']);
    expect((await run(cluster, way)).code).toBe(0);
    expect(await run(cluster, 'status --check')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('no problems') as string,
    });
  });
});

test('where nothing is to do, why comes first, once for all, and no machine is listed', async () => {
  const cluster = await startCluster();
  const { run } = room({ ...FILES, 'users.yml': 'users: [anna@pve, boris@pve, carla@pve, dora@pve]\n' });
  await run(cluster, 'deploy -c @web.yml -u @users.yml');
  const { code, stdout } = await run(cluster, 'extend --lab web --until 2027-03-01');
  expect([code, stdout]).toEqual([
    0,
    `Nothing to do for 4 stands

Notes
  anna@pve: lab web never expires: left so without --shorten
    the same for 3 more: boris@pve, carla@pve, dora@pve

4 stands are unchanged (--wide lists them)

4 stands: 4 unchanged
`,
  ]);
  expect((await run(cluster, 'extend --lab web --until 2027-03-01 --wide')).stdout).toContain('10000');
});

test('an account outlives every stand of its user; one that is not ours is told of', async () => {
  const cluster = await startCluster({
    scenario: scenario({ users: [{ userid: 'boris@pve', expire: Date.UTC(2027, 1, 1) / 1000 }] }),
  });
  const { run } = room(FILES);
  await run(cluster, `deploy ${CLASS}`);
  await run(cluster, 'deploy -c @web.yml -u @users.yml');
  const told = await run(cluster, `extend ${CLASS} --until 2027-01-20 --shorten`);
  expect([told.code, told.stdout]).toEqual([0, expect.stringContaining('anna@pve')]);
  // The other lab of both never expires.
  expect(expiryOf(cluster).accounts).toEqual([
    'anna@pve 2027-02-02T00:00:00.000Z',
    'boris@pve 2027-02-01T00:00:00.000Z',
  ]);
  const foreign = await run(cluster, `extend ${CLASS} --until 2027-05-01 --output json`);
  expect(foreign.stdout).toContain('was not made by deploy-stand: it still expires on 2027-01-31');
  expect(resultErrors(foreign.stdout)).toEqual([]);
});

test('what makes no sense is refused before anything is changed', async () => {
  const cluster = await startCluster();
  const { run } = room(FILES);
  await run(cluster, 'deploy -c @web.yml -u @users.yml');
  const since = cluster.requests.length;
  const cases: [string, number, string][] = [
    [`extend ${CLASS}`, 2, 'one of --until and --by'],
    [`extend ${CLASS} --until 2027-03-01 --by 7d`, 2, 'one of --until and --by'],
    [`extend ${CLASS} --until 31.02.2027`, 2, 'YYYY-MM-DD'],
    [`extend ${CLASS} --by 7h`, 2, 'days or weeks'],
    ['extend --until 2027-03-01', 2, 'web (2 stands)'],
    ['extend --lab web --until 2020-01-01', 3, 'UNTIL_PAST'],
    ['extend --lab web --by 7d', 3, 'NO_EXPIRY'],
  ];
  for (const [command, code, says] of cases) {
    const run_ = await run(cluster, command);
    expect([command, run_.code, run_.stderr]).toEqual([command, code, expect.stringContaining(says)]);
  }
  expect(writes(cluster, since)).toEqual([]);
});

test('--by, killed at any write but the last: the same command ends on the same day', async () => {
  const folder = workFolder();
  writeFiles(folder, FILES);
  const argv = (line: string) => line.split(' ').map((word) => word.replace('@', `${folder}/`));
  const first = await startCluster();
  const credentials = ['--credentials', join(folder, 'c.csv')];
  await runCli([...argv(`deploy ${CLASS}`), ...credentials], first);
  const state = first.snapshot();
  const count = 5; // the lock, an account, two claims, the lock
  for (let n = 1; n < count; n += 1) {
    const { cluster, end } = await runAndKill(n, argv(`extend ${CLASS} --by 7d`), { state });
    expect([n, end]).toEqual([n, undefined]);
    if (expiryOf(cluster).claims.filter((word) => word === 'expires=2027-02-08').length < 2)
      expect(await runCli(argv(`extend ${CLASS} --by 7d`), cluster)).toMatchObject({ code: 0 });
    expect([n, expiryOf(cluster)]).toEqual([
      n,
      {
        claims: ['lab=exam', 'expires=2027-02-08', 'lab=exam', 'expires=2027-02-08'],
        accounts: ['anna@pve 2027-02-09T00:00:00.000Z', 'boris@pve never'],
      },
    ]);
  }
});
