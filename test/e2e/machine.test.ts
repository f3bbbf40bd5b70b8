/** The machine around a run fails: streams that nobody reads, full disks, a terminal that goes. The run goes on, and is told. */
import fs, { existsSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ProcessSignal } from '../../src/commands/io.ts';
import { inProcess } from '../../src/lib/proxmox/transports/in-process.ts';
import {
  post,
  runCli,
  scenario,
  startCluster,
  workFolder,
  writeFiles,
  writes,
  type Cluster,
} from './harness.ts';

const LAB =
  'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: lan }] }]\n';

function newClass() {
  const folder = workFolder();
  const at = (name: string) => join(folder, name);
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve, boris@pve]\n' });
  const files = ['-c', at('lab.yml'), '-u', at('users.yml'), '--credentials', at('c.csv')];
  return { folder, at, files, deploy: ['deploy', ...files] };
}

const FOREIGN_POOL = 'infra';
const poolsOf = (cluster: Cluster): string[] =>
  cluster
    .snapshot()
    .pools.map(({ poolid }) => poolid)
    .filter((pool) => pool !== FOREIGN_POOL);

/** Two stands, and nothing else of ours: no lock. */
function expectDeployed(cluster: Cluster): void {
  expect(poolsOf(cluster).sort()).toEqual(['anna', 'boris']);
  expect(cluster.snapshot().guests.filter(({ vmid }) => vmid >= 10_000)).toHaveLength(2);
}

type Spied = (this: unknown, ...given: readonly unknown[]) => Promise<unknown>;
const full = (): Error => Object.assign(new Error('ENOSPC: no space left on device, write'), FULL);
const FULL = { code: 'ENOSPC', syscall: 'write' };

/** From now on the disk of files that are replaced is full; `after`: the n-th is the first that does not fit. */
async function fillDisk(after = 0): Promise<void> {
  const handle = await open('package.json');
  const prototype = Object.getPrototypeOf(handle) as { writeFile: Spied };
  await handle.close();
  const { writeFile } = prototype;
  let count = 0;
  vi.spyOn(prototype, 'writeFile').mockImplementation(async function (this: unknown, ...given) {
    if ((count += 1) > after) throw full();
    return Reflect.apply(writeFile, this, given);
  });
}

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

describe('streams', () => {
  test.each(['EPIPE', 'ENOSPC', 'EIO'])(
    'stderr that answers %s: all is done, and the summary is there',
    async (code) => {
      const cluster = await startCluster();
      const { deploy } = newClass();
      const refuse = { stderr: () => code };
      const run = await runCli([...deploy, '--log-level', 'debug'], cluster, { refuse });
      expect([run.code, run.stderr]).toEqual([0, '']);
      expect(run.stdout).toContain('2 stands');
      expectDeployed(cluster);
    },
  );

  test('stdout that nobody reads is no error; a full disk is one, said once', async () => {
    const cluster = await startCluster();
    const { deploy } = newClass();
    const closed = await runCli(deploy, cluster, { refuse: { stdout: () => 'EPIPE' } });
    expect([closed.code, closed.stderr]).toEqual([0, expect.not.stringContaining('[OUTPUT]')]);
    expectDeployed(cluster);
    const lost = await runCli(deploy, cluster, { refuse: { stdout: () => 'ENOSPC' } });
    expect(lost.code).toBe(5);
    expect(lost.stderr.split('[OUTPUT]')).toHaveLength(2);
  });

  test.each(['EPIPE', 'EIO'])('balance --interval goes on until its output answers %s', async (code) => {
    const cluster = await startCluster();
    const folder = workFolder();
    writeFiles(folder, { 'balance.yml': 'guests: all\n' });
    let lines = 0;
    const run = await runCli(
      ['balance', '-c', join(folder, 'balance.yml'), '--interval', '60', '--output', 'json'],
      cluster,
      { refuse: { stdout: () => ((lines += 1) > 2 ? code : undefined) } },
    );
    expect([run.code, run.stdout.trim().split('\n').length]).toEqual([0, 2]);
    expect(cluster.requests.filter(({ path }) => path === '/cluster/status')).toHaveLength(3);
  });
});

describe.each([
  ['status', '--watch', '10'],
  ['check', '--repeat', '10s'],
])('%s %s, of which nobody reads more than the first look', (...argv) => {
  test.each(['text', 'json'])('ends although nothing changes: %s', async (output) => {
    const cluster = await startCluster();
    const { deploy, folder } = newClass();
    expect((await runCli(deploy, cluster)).code).toBe(0);
    writeFiles(folder, { 'checks.yml': 'checks: [{ name: on, machine: pc, power: running }]\n' });
    const of = argv[0] === 'check' ? ['--checks', join(folder, 'checks.yml')] : [];
    const begun = cluster.time.now();
    let writes = 0;
    const run = await runCli([...argv, '--lab', 'net', ...of, '--output', output], cluster, {
      refuse: { stdout: () => ((writes += 1) > 1 ? 'EPIPE' : undefined) },
    });
    expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining('OUTPUT')]);
    expect(cluster.time.now() - begun).toBeLessThan(60_000);
  });
});

describe('SIGHUP', () => {
  /** Sent when the first write of this path is carried out. */
  const hangUp = async (path: RegExp, argv: (at: (name: string) => string) => readonly string[]) => {
    let send: (signal: ProcessSignal) => void = () => undefined;
    let isOver = false;
    const cluster = await startCluster({
      onMutation: ({ phase, path: written }) => {
        if (isOver || phase !== 'after' || !path.test(written)) return;
        isOver = true;
        send('SIGHUP');
        send('SIGHUP');
      },
    });
    const one = newClass();
    const run = await runCli(argv(one.at), cluster, { onSignaller: (signaller) => (send = signaller) });
    return { cluster, run };
  };

  test.each([
    ['while the lock is taken', /^\/pools$/],
    ['inside a clone', /\/clone$/],
  ])('%s: the run goes on to its end', async (_, path) => {
    const { cluster, run } = await hangUp(path, (at) => [
      ...['deploy', '-c', at('lab.yml'), '-u', at('users.yml')],
      ...['--credentials', at('c.csv')],
    ]);
    expect(run.code).toBe(0);
    expect(run.stderr.split('the terminal is gone')).toHaveLength(2);
    expectDeployed(cluster);
  });
});

describe('a machine that sleeps', () => {
  const LOCK = 'deploy-stand-lock';
  type Meanwhile = (cluster: Cluster) => Promise<unknown>;

  /** It falls asleep after such a request; `meanwhile`: what another run does before it wakes up. */
  const sleeping = async (
    cluster: Cluster,
    argv: string[],
    isMoment: (request: Parameters<Cluster['serve']>[0]) => boolean,
    { seconds, meanwhile }: { readonly seconds: number; readonly meanwhile?: Meanwhile | undefined },
  ) => {
    const { clock } = cluster.time;
    let night: Promise<unknown> | undefined;
    const serve: Cluster['serve'] = async (request) => {
      const answer = await cluster.serve(request);
      if (isMoment(request)) night ??= clock.sleep(seconds * 1000).then(() => meanwhile?.(cluster));
      await night;
      return answer;
    };
    // Nothing in it wakes up by itself.
    const sleep: typeof clock.sleep = async (ms, signal) => {
      await clock.sleep(ms, signal);
      await night;
    };
    const sleeper = { ...clock, sleep };
    const timer = {
      now: () => clock.now(),
      at: (due: number, fire: () => void) =>
        cluster.time.at(due, () => void Promise.resolve(night).then(fire)),
    };
    const run = await runCli(argv, cluster, { clock: sleeper, connect: inProcess(serve, timer) });
    expect(night).toBeDefined();
    return { cluster, run };
  };

  /** When it reads under the lock. */
  const sleepFor = async (seconds: number, meanwhile?: Meanwhile) => {
    const cluster = await startCluster();
    const isMoment = ({ target }: { readonly target: string }): boolean =>
      poolsOf(cluster).includes(LOCK) && target.endsWith('/cluster/resources');
    return sleeping(cluster, newClass().deploy, isMoment, { seconds, meanwhile });
  };

  test('nobody else came: it goes on with its plan', async () => {
    const { cluster, run } = await sleepFor(300);
    expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining('another run')]);
    expectDeployed(cluster);
  });

  test('another run came and went: it plans again', async () => {
    const { cluster, run } = await sleepFor(300, (cluster) =>
      post(cluster, `/pools/${LOCK}`, {}, 'admin', 'DELETE'),
    );
    expect([run.code, run.stderr]).toEqual([
      0,
      expect.stringContaining('planning again: another run took over'),
    ]);
    expect(writes(cluster).filter((write) => write === 'POST /pools').length).toBeGreaterThan(1);
    expectDeployed(cluster);
  });

  test('another run has the lock: it waits for it, then plans again', async () => {
    const { cluster, run } = await sleepFor(300, (cluster) => {
      const until = new Date(cluster.now() + 60_000).toISOString();
      const comment = `deploy-stand-lock owner=boris run=x until=${until}`;
      return post(cluster, `/pools/${LOCK}`, { comment }, 'admin', 'PUT');
    });
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('waiting for boris')]);
    expectDeployed(cluster);
  });

  test.each(['7.4', '8.4', '9.2'] as const)(
    'while it applies, and another run planned: no claim is written as it was planned before, on %s',
    async (version) => {
      const cluster = await startCluster({ scenario: scenario({ version }) });
      const one = newClass();
      expect((await runCli(one.deploy, cluster)).code).toBe(0);
      const commentOf = (pool: string) =>
        cluster.snapshot().pools.find(({ poolid }) => poolid === pool)?.comment ?? '';
      const extend = ['extend', '--lab', 'net', '--until', '2027-03-01', '--shorten'];
      const isClaim = ({ method, target }: { readonly method: string; readonly target: string }): boolean =>
        method === 'PUT' && target.includes('/pools') && commentOf('anna').includes('expires=');
      const meanwhile = async () => {
        await post(cluster, `/pools/${LOCK}`, {}, 'admin', 'DELETE');
        expect((await runCli(['access', 'freeze', '--lab', 'net'], cluster)).code).toBe(0);
      };
      const { run } = await sleeping(cluster, extend, isClaim, { seconds: 300, meanwhile });
      expect([run.code, run.stdout]).toEqual([5, expect.stringMatching(/boris.*\[PLANNING_LOCK_LOST\]/)]);
      expect(commentOf('boris')).toMatch(/taken=PVEVMAdmin\n.* frozen=/);
      expect((await runCli(extend, cluster)).code).toBe(0);
      expect(commentOf('boris')).toMatch(/expires=2027-03-01 frozen=/);
    },
  );
});

test('a cleanup that cannot get the lock in the end says what it has removed, and what is left', async () => {
  const cluster = await startCluster();
  const one = newClass();
  expect((await runCli(one.deploy, cluster)).code).toBe(0);
  expect(await post(cluster, '/pools', { poolid: 'deploy-stand-lock', comment: 'mine' })).toBe(200);
  const run = await runCli(['cleanup', ...one.files, '--output', 'json'], cluster);
  expect(run.code).toBe(5);
  expect(JSON.parse(run.stdout)).toMatchObject({
    summary: {
      status: 'partial',
      stands: [{ status: 'incomplete', error: { code: 'PLANNING_LOCKED' } }, { status: 'incomplete' }],
    },
  });
  expect(cluster.snapshot().guests.filter(({ vmid }) => vmid >= 10_000)).toEqual([]);
  expect(poolsOf(cluster)).toEqual(['anna', 'boris', 'deploy-stand-lock']);
});

describe('--out', () => {
  test('a plan is on disk before the first step', async () => {
    const seen: boolean[] = [];
    const one = newClass();
    const cluster = await startCluster({
      onMutation: ({ phase, path, method }) => {
        if (phase === 'before' && method === 'POST' && path !== '/pools')
          seen.push(existsSync(one.at('plan.json')));
      },
    });
    expect((await runCli([...one.deploy, '--out', one.at('plan.json')], cluster)).code).toBe(0);
    expect(seen.length).toBeGreaterThan(3);
    expect(seen).not.toContain(false);
  });

  test('on a full disk nothing is changed, the lock is given back, and what was there is there', async () => {
    const cluster = await startCluster();
    const one = newClass();
    const former = '{"version": 2, "command": "deploy"}';
    writeFileSync(one.at('plan.json'), former);
    // There is still room when the run begins, which looks at both files.
    await fillDisk(2);
    const run = await runCli([...one.deploy, '--out', one.at('plan.json')], cluster);
    expect([run.code, run.stderr]).toEqual([3, expect.stringContaining('[PLAN_FILE]')]);
    expect(run.stderr).toContain('its disk is full (ENOSPC); nothing was changed');
    expect(writes(cluster)).toEqual(['POST /pools', expect.stringMatching(/^DELETE \/pools/)]);
    expect(readFileSync(one.at('plan.json'), 'utf8')).toBe(former);
    expect(readdirSync(one.folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('on a disk that is full already nothing is contacted', async () => {
    const cluster = await startCluster();
    const one = newClass();
    await fillDisk();
    const run = await runCli([...one.deploy, '--out', one.at('plan.json')], cluster);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('ENOSPC')]);
    expect([cluster.requests, readdirSync(one.folder).sort()]).toEqual([[], ['lab.yml', 'users.yml']]);
  });

  test.each(['deploy', '--dry-run'])('%s: a symbolic link is not written through', async (word) => {
    const cluster = await startCluster();
    const one = newClass();
    writeFileSync(one.at('other'), 'old');
    symlinkSync(one.at('other'), one.at('plan.json'));
    const dry = word === 'deploy' ? [] : [word];
    const run = await runCli([...one.deploy, ...dry, '--out', one.at('plan.json')], cluster);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('it is a symbolic link')]);
    expect([readFileSync(one.at('other'), 'utf8'), cluster.requests.length]).toEqual(['old', 0]);
  });
});

describe('files that cannot be written in the end', () => {
  test('a log file that cannot grow is told of once, and is no reason to stop', async () => {
    const cluster = await startCluster();
    const one = newClass();
    const { writeFileSync: write } = fs;
    let count = 0;
    vi.spyOn(fs, 'writeFileSync').mockImplementation((file, ...given) => {
      if (typeof file === 'number' && (count += 1) > 3) throw full();
      write(file, ...given);
    });
    syncBuiltinESMExports();
    const run = await runCli(
      [...one.deploy, '--log-level', 'debug', '--log-file', one.at('run.log')],
      cluster,
    );
    expect(count).toBeGreaterThan(10);
    expect([
      run.code,
      run.stderr.split('cannot be written any more: its disk is full (ENOSPC)').length,
    ]).toEqual([0, 2]);
    expectDeployed(cluster);
  });

  test('credentials that cannot say who is gone: the summary is there, and the exit code tells', async () => {
    const cluster = await startCluster();
    const one = newClass();
    expect((await runCli(one.deploy, cluster)).code).toBe(0);
    await fillDisk(1);
    const run = await runCli(['cleanup', ...one.files, '--output', 'json'], cluster);
    expect(run.code).toBe(5);
    expect(JSON.parse(run.stdout)).toMatchObject({ summary: { status: 'done', steps: { failed: 0 } } });
    expect(run.stderr).toContain('c.csv cannot be written: its disk is full (ENOSPC)');
    expect(poolsOf(cluster)).toEqual([]);
  });

  test('a simulated cluster that cannot be kept: one document, and the exit code tells', async () => {
    const one = newClass();
    const argv = [...one.deploy, '--simulate', '--simulate-state', one.at('state.json'), '--output', 'json'];
    expect((await runCli(argv, undefined)).code).toBe(0);
    const kept = readFileSync(one.at('state.json'), 'utf8');
    await fillDisk(2);
    const run = await runCli(argv, undefined);
    expect([run.code, JSON.parse(run.stdout)]).toEqual([
      5,
      { plan: expect.anything(), summary: expect.anything() },
    ]);
    expect(run.stderr).toContain('the simulated cluster was not kept');
    expect(readFileSync(one.at('state.json'), 'utf8')).toBe(kept);
  });
});
