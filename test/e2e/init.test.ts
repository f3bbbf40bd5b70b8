/** The labs that come with the package: each is made, validated, deployed and removed on the simulator. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadChecks } from '../../src/lib/config/load.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { STARTERS } from '../../src/lib/starters/catalogue.ts';
import { runCli, scenario, startCluster, workFolder, writeFiles, type Cluster } from './harness.ts';

const there = (name: string) => readFileSync(name, 'utf8');

test('init and init --list name every lab of the package, and every folder of it', async () => {
  const { code, stdout } = await runCli(['init'], undefined);
  expect(code).toBe(0);
  expect((await runCli(['init', '--list'], undefined)).stdout).toBe(stdout);
  for (const name of STARTERS) expect(stdout).toMatch(new RegExp(`^${name} +\\S`, 'm'));
  const folders = readdirSync('starters', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toEqual([...STARTERS].sort());
});

test('a rehearsal names no cluster as the own one', async () => {
  const { stdout } = await runCli(
    ['init', 'dmz', '--simulate', '--out', join(workFolder(), 'lab')],
    undefined,
  );
  const commands = stdout.split('\n').filter((line) => line.includes('deploy-stand deploy'));
  expect([commands.length, stdout.match(/^.*:$/gm)]).toEqual([1, ['rehearse it without a cluster:']]);
});

test('the package ships them', () => {
  const { files } = JSON.parse(there('package.json')) as { files: string[] };
  expect(files).toContain('starters');
});

/** Templates with an agent; in machines made of them every command ends so. */
function answering(): Scenario {
  const templates = (scenario().templates ?? []).map((one) => ({
    ...one,
    agent: { commands: [{ exitcode: 0 }] },
    config: { ...one.config, agent: '1' },
  }));
  return scenario({ templates });
}

interface Checked {
  readonly checks: readonly { readonly name: string }[];
  readonly totals: { readonly passed: number; readonly failed: number; readonly notRun: number };
}

describe.each(STARTERS)('%s', (name) => {
  test('is valid without a warning, is deployed, checked, and goes without a trace', async () => {
    const cluster = await startCluster({ scenario: answering() });
    const before = cluster.snapshot();
    const out = join(workFolder(), 'lab');
    const made = await runCli(['init', name, '--out', out, '--students', '2', '--prefix', 'kim'], undefined);
    expect([made.code, made.stderr]).toEqual([0, '']);
    expect(readdirSync(out).sort()).toEqual(['README.md', 'checks.yml', 'lab.yml', 'users.yml']);
    // Comments that teach: the first says what it is, and there are more.
    expect(there(join(out, 'lab.yml')).match(/#/g)?.length).toBeGreaterThan(3);
    expect(there(join(out, 'README.md'))).toContain(`deploy-stand init ${name} --from-cluster`);

    const files = ['-c', join(out, 'lab.yml'), '-u', join(out, 'users.yml')];
    const run = (...argv: string[]) => runCli([...argv, ...files], cluster);
    const valid = await run('validate', '--output', 'json');
    expect(JSON.parse(valid.stdout)).toMatchObject({ valid: true, lab: name, users: 2, warnings: [] });
    const credentials = ['--credentials', join(out, 'c.csv')];
    const deployed = await run('deploy', '--output', 'json', ...credentials);
    expect([deployed.code, JSON.parse(deployed.stdout)]).toMatchObject([
      0,
      { plan: { warnings: [] }, summary: { status: 'done', stands: [{ user: 'kim1@pve' }, {}] } },
    ]);
    expect((await run('deploy', ...credentials)).stdout).toContain('nothing to do');
    await cluster.time.sleep(120_000);
    const list = join(out, 'checks.yml');
    const check = await run('check', '--checks', list, '--output', 'json');
    expect([check.code, check.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    const { checks, totals } = JSON.parse(check.stdout) as Checked;
    expect(totals).toEqual({ passed: 2 * checks.length, failed: 0, notRun: 0 });
    for (const one of loadChecks(list, undefined)) {
      if (one.kind !== 'command' || one.argv[0] !== '/bin/sh') continue;
      // Not run here; that a shell can read it can be seen here.
      expect([one.name, spawnSync('/bin/sh', ['-n', ...one.argv.slice(1)]).status]).toEqual([one.name, 0]);
    }
    expect((await run('cleanup', ...credentials)).code).toBe(0);
    const names = ({ guests, pools, users }: ReturnType<Cluster['snapshot']>) => [
      guests.map(({ vmid }) => vmid),
      pools.map(({ poolid }) => poolid),
      users.map(({ userid }) => userid),
    ];
    expect(names(cluster.snapshot())).toEqual(names(before));
  });
});

describe('--from-cluster', () => {
  const template = (vmid: number, name: string) => ({
    ...{ vmid, name, node: 'pve1', storage: 'ceph', disks_gib: [4], cores: 1, memory_mib: 512 },
  });

  test('names what is there, keeps the comments, and what is made of it can be deployed', async () => {
    const base = scenario();
    const cluster = await startCluster({
      scenario: scenario({
        templates: [
          { ...template(400, 'debian-13'), pool: 'aaa' },
          template(500, 'ubuntu-24'),
          template(501, 'vyos'),
          template(502, 'twice'),
          template(503, 'twice'),
        ],
        nodes: base.nodes,
        // A tenant's own machine, named so that it is taken for what a school makes labs of.
        pools: [{ pool: 'aaa' }],
        users: [{ userid: 'tenant@pve' }],
        acl: [{ path: '/pool/aaa', role: 'PVEVMAdmin', user: 'tenant@pve' }],
      }),
    });
    const out = join(workFolder(), 'lab');
    const made = await runCli(['init', 'dmz', '--out', out, '--from-cluster', '--lab-name', 'nets'], cluster);
    expect(made.code).toBe(0);
    const lab = there(join(out, 'lab.yml'));
    expect(lab).toMatch(/^name: nets$/m);
    expect(lab).toContain('template: vyos');
    expect(lab).toContain('template: ubuntu-24');
    expect(lab).not.toContain('-tpl');
    // What is no ecorouter has the cards of a common machine.
    expect(lab).not.toContain('device_type: ecorouter');
    expect(lab).toContain('# net1: the internet');
    expect(made.stderr).toContain('no template here looks like "web": ubuntu-24 (500) stands for it');
    const files = ['-c', join(out, 'lab.yml'), '-u', join(out, 'users.yml')];
    const run = await runCli(['deploy', ...files, '--credentials', join(out, 'c.csv')], cluster);
    expect(run.code).toBe(0);
  });

  test('a cluster without a template that can be seen is told', async () => {
    const cluster = await startCluster({ scenario: scenario({ templates: [] }) });
    const out = join(workFolder(), 'lab');
    const { code, stderr } = await runCli(['init', 'dmz', '--out', out, '--from-cluster'], cluster);
    expect([code, stderr]).toEqual([3, expect.stringContaining('NO_TEMPLATES')]);
  });
});

describe('what is refused', () => {
  test('a file that is there, before any is written', async () => {
    const out = workFolder();
    writeFiles(out, { 'users.yml': 'users: [mine@pve]\n' });
    const { code, stderr } = await runCli(['init', 'dmz', '--out', out], undefined);
    expect([code, stderr]).toEqual([2, expect.stringContaining('users.yml cannot be written')]);
    expect(readdirSync(out)).toEqual(['users.yml']);
  });

  test('a folder whose place a file has', async () => {
    const folder = workFolder();
    writeFiles(folder, { lab: 'a file' });
    const { code, stderr } = await runCli(['init', 'dmz', '--out', join(folder, 'lab')], undefined);
    expect([code, stderr]).toEqual([2, expect.stringContaining('a file stands where a folder is to be')]);
  });

  test.each([
    [['rooter-and-hosts'], 'did you mean router-and-hosts'],
    [['dmz', '--prefix', 'a b'], '--prefix "a b" cannot begin the name of a user'],
    [['dmz', '--realm', 'x y'], '--realm "x y" cannot be a realm'],
    [['dmz', '--lab-name', 'A'], '--lab-name "A" cannot be the name of a lab'],
    [['dmz', '--students', '20000'], 'at most 10000 users'],
  ])('%j', async (argv, text) => {
    const { code, stderr } = await runCli(['init', ...argv], undefined);
    expect([code, stderr]).toEqual([2, expect.stringContaining(text)]);
  });
});
