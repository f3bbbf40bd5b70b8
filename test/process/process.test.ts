/** What only a process can prove: how it dies, what it does on signals, with closed streams and on a terminal. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SimulatorOptions } from '../../src/lib/simulator/simulator.ts';
import { comparable } from '../e2e/cluster-view.ts';
import { canLogin, runCli, startCluster, workFolder, writeFiles } from '../e2e/harness.ts';
import { BIN, NODE } from './bin.ts';
import { runServed, spawnServed, startServed, type Served } from '../e2e/served.ts';

const LAB = `name: net
machines:
  - { device_type: ecorouter, name: eco, template_vmid: 100, networks: [{ bridge: vmbr0 }, { bridge: lan }] }
  - { device_type: linux, name: host, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
`;

interface Class {
  readonly folder: string;
  readonly credentials: string;
  readonly argv: readonly string[];
}

function newClass(): Class {
  const folder = workFolder();
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve, boris@pve]\n' });
  const [lab = '', users = '', credentials = ''] = ['lab.yml', 'users.yml', 'c.csv'].map((name) =>
    join(folder, name),
  );
  return { folder, credentials, argv: ['deploy', '-c', lab, '-u', users, '--credentials', credentials] };
}

/** All that it has said; resolves the promises of those who wait for a text. */
function listen(child: ChildProcess): { text: () => string; said: (words: string) => Promise<void> } {
  let text = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      for (const look of waiting) look();
    });
  const said = (words: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!text.includes(words)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { text: () => text, said };
}

async function ended(child: ChildProcess): Promise<[number | null, string | null]> {
  if (child.exitCode !== null || child.signalCode !== null) return [child.exitCode, child.signalCode];
  return (await once(child, 'exit')) as [number | null, string | null];
}

/** A cluster that calls back once, when the first write whose path matches has been carried out. */
function servedUntil(path: RegExp, act: () => void | Promise<void>): Promise<Served> {
  let isOver = false;
  const onMutation: SimulatorOptions['onMutation'] = async (event) => {
    if (isOver || event.phase !== 'after' || !path.test(event.path)) return;
    isOver = true;
    await act();
  };
  return startServed({ onMutation });
}

async function deployUndisturbed(): Promise<unknown> {
  const cluster = await startCluster();
  expect((await runCli(newClass().argv, cluster)).code).toBe(0);
  return comparable(cluster.snapshot());
}

let undisturbed: Promise<unknown> | undefined;

/** What the dead left behind is for a process that can tell them from the living. */
async function runAgain(one: Class, served: Served): Promise<void> {
  const again = spawnServed(one.argv, served);
  const { text } = listen(again);
  const end = await ended(again);
  expect([end, end[0] === 0 ? '' : text()]).toEqual([[0, null], '']);
  await expectWhole(one, served);
}

async function runAgainHere(one: Class, served: Served): Promise<void> {
  const again = await runServed(one.argv, served);
  expect([again.code, again.code === 0 ? '' : again.stdout + again.stderr]).toEqual([0, '']);
  await expectWhole(one, served);
}

async function expectWhole(one: Class, served: Served): Promise<void> {
  await served.idle();
  expect(comparable(served.snapshot())).toEqual(await (undisturbed ??= deployUndisturbed()));
  const rows = readFileSync(one.credentials, 'utf8').trim().split('\n').slice(1);
  expect(rows).toHaveLength(2);
  for (const row of rows) {
    const [userid = '', password = '', state] = row.split(',');
    expect([userid, state, await canLogin(served, userid, password)]).toEqual([userid, 'set', true]);
  }
}

describe('SIGKILL, then the same command again', () => {
  test('inside the write of the credentials: the old file is whole, what is beside it is private', async () => {
    const served = await startServed();
    const one = newClass();
    const child = spawnServed(one.argv, served, { TEST_HOLD: 'c.csv' });
    await listen(child).said('HELD');
    child.kill('SIGKILL');
    expect(await ended(child)).toEqual([null, 'SIGKILL']);
    const beside = readdirSync(one.folder).filter((name) => name.startsWith('c.csv'));
    expect(beside).toHaveLength(1);
    expect(beside.map((name) => statSync(join(one.folder, name)).mode & 0o777)).toEqual([0o600]);
    await runAgain(one, served);
  });

  test.each([
    ['inside a clone', /\/clone$/],
    ['while the lock is held', /^\/pools$/],
  ])('%s', async (_, path) => {
    const victim: { child?: ChildProcess } = {};
    const served = await servedUntil(path, async () => {
      victim.child?.kill('SIGKILL');
      if (victim.child) await ended(victim.child);
    });
    const one = newClass();
    const child = (victim.child = spawnServed(one.argv, served));
    expect(await ended(child)).toEqual([null, 'SIGKILL']);
    await runAgain(one, served);
  });
});

describe('signals', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: what runs is finished, the summary tells how to go on', async (signal, code) => {
    const victim: { child?: ChildProcess } = {};
    const served = await servedUntil(/\/clone$/, () => void victim.child?.kill(signal));
    const one = newClass();
    const child = (victim.child = spawnServed(one.argv, served));
    const { text } = listen(child);
    expect(await ended(child)).toEqual([code, null]);
    expect(text()).toContain('stopping: waiting for what runs already');
    expect(text()).toContain(`deploy-stand deploy -c ${join(one.folder, 'lab.yml')}`);
    expect(served.snapshot().pools.map(({ poolid }) => poolid)).not.toContain('deploy-stand-lock');
    await runAgainHere(one, served);
  });

  test('SIGHUP is no end: the class is made', async () => {
    const victim: { child?: ChildProcess } = {};
    const served = await servedUntil(/\/clone$/, () => void victim.child?.kill('SIGHUP'));
    const one = newClass();
    const child = (victim.child = spawnServed(one.argv, served));
    const { text } = listen(child);
    expect(await ended(child)).toEqual([0, null]);
    expect(text()).toContain('the terminal is gone');
    await runAgainHere(one, served);
  });

  test('the second one ends it at once', async () => {
    const victim: { child?: ChildProcess } = {};
    const served = await servedUntil(/\/clone$/, async () => {
      const { child } = victim;
      if (!child) return;
      const { said } = listen(child);
      child.kill('SIGTERM');
      await said('stopping');
      child.kill('SIGTERM');
      await ended(child);
    });
    const one = newClass();
    const child = (victim.child = spawnServed(one.argv, served));
    expect(await ended(child)).toEqual([143, null]);
    await runAgain(one, served);
  });
});

describe('streams', () => {
  const [node, ...flags] = NODE;
  const list = [
    ...flags,
    BIN,
    'templates',
    'list',
    '--simulate',
    'examples/clusters/unequal.yml',
    '--output',
    'json',
  ];

  test('a reader that goes away early is no error', async () => {
    const child = spawn(node, list, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const { text } = listen(child);
    expect([await ended(child), text()]).toEqual([[0, null], '']);
  });

  test('a disk that is full for the result is told, and no crash', () => {
    const full = openSync('/dev/full', 'w');
    const run = spawnSync(node, list, { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
    closeSync(full);
    expect([run.status, run.stderr]).toEqual([
      5,
      expect.stringMatching(/cannot be written to stdout: ENOSPC.*\[OUTPUT\]\n$/),
    ]);
  });

  const simulated = (folder: string): string[] => {
    const text = readFileSync('examples/clusters/three-nodes.yml', 'utf8');
    writeFiles(folder, { 'fast.yml': text.replace(/speed: \d+/, 'speed: 100000') });
    return ['--simulate', join(folder, 'fast.yml')];
  };

  test.each(['closed', 'full'])('stderr that is %s does not end a run', async (how) => {
    const { argv, folder } = newClass();
    const full = openSync('/dev/full', 'w');
    const child = spawn(node, [...flags, BIN, ...argv, ...simulated(folder), '--log-level', 'debug'], {
      stdio: ['ignore', 'pipe', how === 'full' ? full : 'pipe'],
    });
    closeSync(full);
    child.stderr?.destroy();
    const { text } = listen(child);
    expect([await ended(child), text()]).toEqual([[0, null], expect.stringContaining('2 stands')]);
  });

  test('balance --interval ends with its reader', async () => {
    const { folder } = newClass();
    writeFiles(folder, { 'balance.yml': 'guests: all\n' });
    const child = spawn(
      node,
      [...flags, BIN, 'balance', '-c', join(folder, 'balance.yml'), '--interval', '10', ...simulated(folder)],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    child.stdout.once('data', () => child.stdout.destroy());
    child.stderr.resume();
    expect(await ended(child)).toEqual([0, null]);
  });

  const hasLimits = spawnSync('prlimit', ['--version']).status === 0;
  test.skipIf(!hasLimits)('a log file that cannot grow does not end a run, and is told of once', () => {
    const { argv, folder } = newClass();
    const log = join(folder, 'run.log');
    // No file of this process may be larger than this one is already.
    writeFiles(folder, { 'run.log': '{"level":20}'.padEnd(1_000_000) });
    const words = [...NODE, BIN, ...argv, ...simulated(folder), '--log-level', 'debug'];
    const run = spawnSync('prlimit', ['--fsize=1000000', ...words, '--log-file', log], { encoding: 'utf8' });
    expect([run.status, run.stdout, run.stderr.split('cannot be written any more: EFBIG').length]).toEqual([
      0,
      expect.stringContaining('2 stands'),
      2,
    ]);
  });

  const hasScript = spawnSync('script', ['--version']).status === 0;
  test.skipIf(!hasScript)('a terminal gets colours and a display that moves; a pipe gets neither', () => {
    const { argv, folder } = newClass();
    const words = [...NODE, BIN, ...argv, ...simulated(folder)];
    const tty = spawnSync('script', ['-qec', `stty cols 100; ${words.join(' ')}`, '/dev/null'], {
      encoding: 'utf8',
      env: { ...process.env, TERM: 'xterm', CI: '', NO_COLOR: undefined },
    });
    expect([tty.status, tty.stdout]).toEqual([0, expect.stringContaining('\u001B[')]);
    const pipe = spawnSync(node, words.slice(1), { encoding: 'utf8' });
    expect([pipe.status, pipe.stdout + pipe.stderr]).toEqual([0, expect.not.stringContaining('\u001B[')]);
  });
});
