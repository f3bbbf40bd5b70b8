/** The audit file through the command line: nothing is written without a record, and names from a server stay text. */
import { open } from 'node:fs/promises';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { recordsOf } from '../audit/audit-schema.ts';
import { runCli, startCluster, workFolder, writeFiles, writes } from './harness.ts';

const LAB =
  'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, networks: [{ bridge: lan }] }]\n';

function newClass(users = 'users: [anna@pve, boris@pve]\n') {
  const folder = workFolder();
  const at = (name: string) => join(folder, name);
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': users });
  const files = ['-c', at('lab.yml'), '-u', at('users.yml'), '--credentials', at('c.csv')];
  return { at, files, audited: ['deploy', ...files, '--audit-file', at('audit.jsonl')] };
}

afterEach(() => vi.restoreAllMocks());

/** From the n-th line on, the audit file's disk is full. */
async function fillDiskAfter(n: number): Promise<void> {
  const handle = await open('package.json');
  const prototype = Object.getPrototypeOf(handle) as { write: (...given: unknown[]) => Promise<unknown> };
  const write = prototype.write;
  await handle.close();
  let count = 0;
  vi.spyOn(prototype, 'write').mockImplementation(async function (this: unknown, ...given) {
    if ((count += 1) > n)
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall: 'write' });
    return write.apply(this, given);
  });
}

test('a full disk in the middle: no write without a record, exit 5, and the next run finishes', async () => {
  const simulator = await startCluster();
  const { at, audited } = newClass();
  await fillDiskAfter(12);
  const run = await runCli(audited, simulator);
  vi.restoreAllMocks();
  expect([run.code, run.stderr]).toEqual([5, expect.stringContaining('starting nothing new')]);
  expect(run.stderr).toContain('the audit file cannot be written any more: its disk is full (ENOSPC)');
  const started = recordsOf(readFileSync(at('audit.jsonl'), 'utf8')).filter(
    ({ type }) => type === 'write.start',
  );
  expect(writes(simulator)).toHaveLength(started.length);
  expect(started.length).toBeGreaterThan(3);
  expect((await runCli(audited, simulator)).code).toBe(0);
  const records = recordsOf(readFileSync(at('audit.jsonl'), 'utf8'));
  expect(records.at(-1)).toMatchObject({ type: 'run.end', status: 'done', exitCode: 0 });
  expect(statSync(at('audit.jsonl')).mode & 0o777).toBe(0o600);
});

test('a full disk once all has begun: the work is done, its end is not recorded, exit 5', async () => {
  const simulator = await startCluster();
  const { at, audited } = newClass();
  expect((await runCli(audited, simulator)).code).toBe(0);
  const lines = recordsOf(readFileSync(at('audit.jsonl'), 'utf8')).length;
  // The same work again, on a new cluster, into the same file: its last line finds no room.
  await fillDiskAfter(lines - 1);
  const run = await runCli(audited, await startCluster());
  expect([run.code, run.stdout]).toEqual([5, expect.stringContaining('complete')]);
  expect(run.stderr.match(/cannot be written any more/g)).toHaveLength(1);
});

test('a full disk, or a file that cannot be used, before the first write: nothing is contacted or changed', async () => {
  const simulator = await startCluster();
  const { at, files, audited } = newClass();
  const bad = await runCli(['deploy', ...files, '--audit-file', '/dev/full'], simulator);
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('[AUDIT_FILE]')]);
  await fillDiskAfter(0);
  const full = await runCli(audited, simulator);
  vi.restoreAllMocks();
  expect([full.code, full.stderr]).toEqual([2, expect.stringMatching(/ENOSPC.*\[AUDIT_FILE\]/)]);
  expect(simulator.requests).toEqual([]);
  await fillDiskAfter(1);
  expect((await runCli(audited, simulator)).code).toBe(4);
  vi.restoreAllMocks();
  expect(writes(simulator)).toEqual([]);
  expect(recordsOf(readFileSync(at('audit.jsonl'), 'utf8'))).toHaveLength(1);
});

test('each write of a step names the step, also of those that run at once; the planning lock is of none', async () => {
  const simulator = await startCluster();
  const { at, audited } = newClass();
  expect((await runCli(audited, simulator)).code).toBe(0);
  const records = recordsOf(readFileSync(at('audit.jsonl'), 'utf8'));
  const stepOf = (found: string): unknown[] =>
    records
      .filter(({ type, ...what }) => type === 'write.start' && JSON.stringify(what).includes(found))
      .map(({ step }) => step);
  for (const name of ['anna', 'boris'])
    expect(stepOf(`"userid":"${name}@pve"`)).toEqual([`user.create:${name}@pve`]);
  const ofLock = stepOf('"poolid":"deploy-stand-lock"');
  expect(ofLock.length).toBeGreaterThan(1);
  expect(new Set(ofLock)).toEqual(new Set([undefined]));
  const stepless = records.filter(({ type, step }) => type === 'write.start' && step === undefined);
  expect(stepless).toHaveLength(ofLock.length);
});

test('two runs share one file; the environment names it; a saved plan is known by its hash', async () => {
  const simulator = await startCluster();
  const one = newClass('users: [anna@pve]\n');
  const two = newClass('users: [boris@pve]\n');
  const env = { DEPLOY_STAND_AUDIT_FILE: one.at('audit.jsonl') };
  const runs = await Promise.all([
    runCli(['deploy', ...one.files, '--out', one.at('plan.json')], simulator, { env }),
    runCli(['deploy', ...two.files], simulator, { env }),
  ]);
  expect(runs.map(({ code }) => code)).toEqual([0, 0]);
  const records = recordsOf(readFileSync(one.at('audit.jsonl'), 'utf8'));
  expect(new Set(records.map(({ run }) => run)).size).toBe(2);
  const { createHash } = await import('node:crypto');
  const sha256 = createHash('sha256')
    .update(readFileSync(one.at('plan.json')))
    .digest('hex');
  expect(records.filter(({ type }) => type === 'plan').map((record) => record['sha256'])).toContain(sha256);
});

test('a plan file that was edited to reach a foreign VM is refused; nothing is changed', async () => {
  const simulator = await startCluster();
  const { at, files } = newClass();
  await runCli(['deploy', ...files, '--dry-run', '--out', at('plan.json')], simulator);
  const plan = readFileSync(at('plan.json'), 'utf8');
  writeFiles(at('.'), { 'plan.json': plan.replace('"role": "PVEVMAdmin"', '"role": "Administrator"') });
  const run = await runCli(['deploy', ...files, '--plan', at('plan.json')], simulator);
  expect([run.code, run.stderr]).toEqual([3, expect.stringContaining('[PLAN_STALE]')]);
  expect(run.stderr).toContain('role is "Administrator" in the plan and "PVEVMAdmin" now');
  expect(writes(simulator)).toEqual([]);
});

const EVIL = '\u001b[2J\u001b]0;owned\u0007\u009b31m\u202eevil\u2028\r\n';

/** The same cluster after somebody has put terminal codes into every text that PVE lets one write. */
function poisoned(state: ClusterState): ClusterState {
  return {
    ...state,
    guests: state.guests.map((guest) => {
      const copy = structuredClone(guest) as unknown as { config?: Record<string, string> };
      if (copy.config) {
        copy.config['name'] = `vm${EVIL}`;
        copy.config['description'] = `${copy.config['description'] ?? ''}\n${EVIL}`;
      }
      return copy as unknown as typeof guest;
    }),
    users: state.users.map((user) => ({ ...user, firstname: EVIL, lastname: EVIL, email: EVIL })),
    pools: state.pools.map((pool) => ({
      ...pool,
      comment: `${EVIL}${pool.comment}\nlab=${EVIL} vmids=1 since=x`,
    })),
    nodes: state.nodes.map((node) => ({
      ...node,
      interfaces: node.interfaces.map((row) => ({
        ...row,
        options: { ...row.options, comments: `${row.options['comments'] ?? ''} ${EVIL}` },
      })),
    })),
  };
}

test('terminal codes in names, comments and refusals reach no terminal, in no format', async () => {
  const first = await startCluster();
  const { at, files } = newClass();
  expect((await runCli(['deploy', ...files], first)).code).toBe(0);
  const simulator = await startCluster({ state: poisoned(first.snapshot()) });
  simulator.addFault({
    match: { method: 'WRITE', path: /\/(acl|pools|network)/ },
    every: 4,
    action: 'fail',
    status: 500,
    text: `no ${EVIL}`,
  });
  simulator.addFault({
    match: { path: /qemu\/\d+$/, method: 'DELETE' },
    nth: 1,
    action: 'task-fail',
    exitstatus: `bad ${EVIL}`,
  });
  const said: Record<string, string> = {};
  const reads = [
    ['bridges', 'list'],
    ['users', 'list', ...files],
    ['deploy', ...files, '--dry-run'],
  ];
  const changes = [
    ['cleanup', ...files, '--dry-run'],
    ['bridges', 'create', 'vmbr700'],
    ['cleanup', '--lab', '../../etc'],
    ['users', 'export', ...files, '--format', 'html', '--out', at('cards.html')],
    ['cleanup', ...files, '--progress', 'json', '--audit-file', at('audit.jsonl')],
  ];
  for (const [output, commands] of [
    ['yaml', reads],
    ['json', reads],
    ['text', [...reads, ...changes]],
  ] as const) {
    for (const argv of commands) {
      const { stdout, stderr } = await runCli([...argv, '--output', output], simulator);
      said[`${argv.slice(0, 2).join(' ')} ${output}`] = `${stdout}${stderr}`;
    }
  }
  said['audit'] = readFileSync(at('audit.jsonl'), 'utf8');
  said['cards'] = readFileSync(at('cards.html'), 'utf8');
  expect(Object.values(said).join('')).toContain('evil');
  const bad = Object.entries(said).flatMap(([place, text]) => {
    const found = /.{0,30}[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028].{0,10}/u.exec(text);
    return found ? [`${place}: ${JSON.stringify(found[0])}`] : [];
  });
  expect(bad).toEqual([]);
});
