/** `report` and the page of a plan, through the whole command line on the simulator. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { GuestState } from '../../src/lib/simulator/state.ts';
import { runCli, startCluster, workFolder, writeFiles, writes } from './harness.ts';
import { admin } from './people.ts';

const LAB = `name: net
expires: 2027-03-01
placement: { strategy: specific, node: pve1 }
machines:
  - { name: srv, template_vmid: 101, start: true, memory: 4096, networks: [{ bridge: vmbr0 }, { bridge: lan }] }
  - { name: pc, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
`;

test('a class from plan to report: a page before, a page after, lists, and nothing is written to the cluster', async () => {
  const folder = workFolder();
  const path = (name: string) => join(folder, name);
  const text = (name: string) => readFileSync(path(name), 'utf8');
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve, boris@pve]\n' });
  const files = ['-c', path('lab.yml'), '-u', path('users.yml')];
  const cluster = await startCluster();
  const run = (...argv: string[]) => runCli([...argv, '--progress', 'none'], cluster);
  const out = (name: string) => ['--out', path(name)];

  const needsDry = await run('deploy', ...files, ...out('plan.html'));
  expect([needsDry.code, needsDry.stderr]).toEqual([2, expect.stringContaining('PLAN_PAGE')]);
  const planned = await run('deploy', ...files, '--dry-run', ...out('plan.html'));
  expect([planned.code, planned.stderr]).toEqual([0, '']);
  expect(planned.stdout).toContain('Plan: deploy lab net');
  const plan = text('plan.html');
  expect(plan).toContain('<b class="">2</b><span>new stands</span>');
  // Two times 4 GiB of the lab and 2 GiB of the template.
  const [, before, after] = /(\d+) → (\d+) of 128 GiB/.exec(plan) ?? [];
  expect(Number(after) - Number(before)).toBe(12);
  expect(plan).toContain('2 stands, 4 new machines with 8 CPUs on 32 threads');
  expect(plan).toMatch(/<td data-label="What"><span class="good">new<\/span>/);
  expect(writes(cluster)).toEqual([]);

  expect((await run('deploy', ...files, '--credentials', path('c.csv'))).code).toBe(0);
  await cluster.time.sleep(120_000);
  const since = cluster.requests.length;
  const whole = await run('report', ...files, ...out('class.html'), '--snapshots', '--ips');
  expect([whole.code, whole.stderr]).toEqual([0, '']);
  expect(whole.stdout).toBe(`${path('class.html')}: 2 stands, 4 of 4 machines running, 0 problems\n`);
  const page = text('class.html');
  for (const words of ['<h1>Lab net</h1>', '4 / 4', '2027-03-01', 'class="topology"', 'anna@pve'])
    expect(page).toContain(words);
  expect(writes(cluster, since)).toEqual([]);

  // What the class was made from: as it is now, until somebody changes it.
  const made = async () => {
    await run('report', ...files, ...out('made.json'));
    const { templates } = JSON.parse(text('made.json')) as { templates: unknown };
    return templates;
  };
  const [srv, pc] = [10_000, 10_001];
  const of101 = { name: expect.any(String) as unknown, machines: ['srv', 'pc'] };
  expect(await made()).toEqual([expect.objectContaining({ ...of101, current: 4, outdated: [], untold: [] })]);
  const description = 'Debian 12.8\nby hand';
  await admin(cluster).ok('PUT', '/nodes/pve1/qemu/101/config', { description });
  const vm = await admin(cluster).ok('GET', `/nodes/pve1/qemu/${srv}/config`);
  const { description: notes } = vm as { readonly description: string };
  await admin(cluster).ok('PUT', `/nodes/pve1/qemu/${srv}/config`, {
    description: notes.replace(/ (from|spec)=\S+/g, ''),
  });
  const [row] = (await made()) as { readonly outdated: readonly unknown[] }[];
  expect(row).toMatchObject({
    ...{ originals: [{ vmid: 101, node: 'pve1', notes: 'Debian 12.8' }], current: 0 },
    untold: [{ user: 'anna@pve', machine: 'srv', vmid: srv }],
  });
  expect([row?.outdated.length, row?.outdated[0]]).toEqual([
    3,
    { user: 'anna@pve', machine: 'pc', vmid: pc },
  ]);
  await run('report', ...files, ...out('made.csv'));
  expect(text('made.csv').match(/,(current|outdated|unknown)(?=\r?\n)/g)).toEqual([
    ',unknown',
    ',outdated',
    ',outdated',
    ',outdated',
  ]);
  for (const name of ['made.html', 'made.md']) {
    await run('report', ...files, ...out(name), '--language', 'ru');
    const read = text(name).replace(/<[^>]+>/g, '');
    expect(read).toMatch(/Шаблоны[^]*101 на pve1, Debian 12.8[^]*устарело: 3[^]*reset -c /);
  }

  // All labs, without a file: no picture, for nothing says how it is wired.
  expect((await run('report', ...out('class.html'))).code).toBe(0);
  expect(text('class.html')).not.toContain('class="topology"');
  await run('report', '--lab', 'net', ...out('class.csv'));
  expect(text('class.csv').split('\n')).toHaveLength(1 + 4 + 1);
  await run('report', '--lab', 'net', ...out('class.md'));
  expect(text('class.md')).toContain('| anna@pve | pve1 | 2 running |');
  const json = await run('report', '--lab', 'net', ...out('class.json'), '--output', 'json');
  const { file, format, ...document } = JSON.parse(json.stdout) as Record<string, unknown>;
  expect([file, format]).toEqual([path('class.json'), 'json']);
  expect(JSON.parse(text('class.json'))).toEqual({ kind: 'deploy-stand report', ...document });

  for (const [name, code] of [
    ['lab.yml', 'REPORT_FORMAT'],
    ['class.pdf', 'REPORT_FORMAT'],
  ] as const) {
    const refused = await run('report', ...out(name));
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(code)]);
  }
  const over = await run('report', '--format', 'html', ...out('lab.yml'));
  expect([over.code, over.stderr]).toEqual([2, expect.stringContaining('OUT_FILE')]);
});

test('what a student calls a machine is shown, and nothing more', async () => {
  const folder = workFolder();
  const path = (name: string) => join(folder, name);
  writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve]\n' });
  const first = await startCluster();
  const files = ['-c', path('lab.yml'), '-u', path('users.yml'), '--credentials', path('c.csv')];
  expect((await runCli(['deploy', ...files, '--progress', 'none'], first)).code).toBe(0);
  const state = structuredClone(first.snapshot());
  const mark = '<script>window.hacked=1</script>\u202E';
  for (const guest of state.guests as GuestState[])
    if (guest.vmid >= 10_000) Object.assign(guest.config, { name: mark, description: mark, tags: mark });
  const cluster = await startCluster({ state });
  const run = await runCli(['report', '--out', path('class.html'), '--snapshots'], cluster);
  expect(run.code).toBe(0);
  const page = readFileSync(path('class.html'), 'utf8');
  expect(page).not.toContain('<script>window');
  expect(page).not.toContain('\u202E');
});
