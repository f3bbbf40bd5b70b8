/** Machines that are not what the lab says any more: `deploy --prune` removes, `--replace` makes another. */
import { expect, test } from 'vitest';
import { post, runCli, startCluster, workFolder, writeFiles, writes } from './harness.ts';

const machine = (name: string, bridge: string) =>
  `  - { device_type: linux, name: ${name}, template_vmid: 101, start: true, networks: [{ bridge: ${bridge} }] }\n`;
const lab = (...machines: readonly string[]) => `name: net\nmachines:\n${machines.join('')}`;

/** Enough of them for clones and removals to get in each other's way, if they were let. */
const USERS = Array.from({ length: 8 }, (_, at) => `s${at + 1}@pve`);

test('a machine taken out of the lab goes by the command that is named; never from a saved plan, nor beyond the limit', async () => {
  const folder = workFolder();
  writeFiles(folder, {
    'lab.yml': lab(machine('pc', 'lan'), machine('old', 'lan'), machine('gone', 'lan')),
    'next.yml': lab(machine('pc', 'lan'), machine('new', 'lan')),
    'users.yml': `users: [${USERS.join(', ')}]\n`,
  });
  const cluster = await startCluster();
  const run = (line: string) =>
    runCli(
      line.split(' ').map((word) => word.replace(/^@/, `${folder}/`)),
      cluster,
    );
  const CLASS = '-u @users.yml --credentials @c.csv';
  expect((await run(`deploy -c @lab.yml ${CLASS}`)).code).toBe(0);

  const dry = await run(`deploy -c @next.yml ${CLASS} --dry-run --detailed-exitcode --out=${folder}/p.json`);
  expect(dry.code).toBe(6);
  const commands = [...dry.stdout.matchAll(/`(deploy-stand deploy [^`]*)`/g)].map(([, command]) => command!);
  const named = `deploy-stand deploy -c ${folder}/next.yml -u ${folder}/users.yml --credentials ${folder}/c.csv --prune`;
  expect(commands).toEqual([named, named]);
  expect(dry.stdout).toMatch(/machine "gone" any more, .* in 8 stands .*removes gone with all/);
  expect(dry.stdout).toMatch(/machine "old" any more, .*; new, which the lab has instead/);

  const prune = named.slice('deploy-stand '.length);
  const since = cluster.requests.length;
  expect(await run(`${prune} --max-changes 15`)).toMatchObject({ code: 3 });
  expect(await run(`${prune} --plan @p.json`)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('PLAN_AND_PRUNE') as string,
  });
  expect(await run(`deploy -c @next.yml ${CLASS} --force-protected`)).toMatchObject({ code: 2 });
  const saving = await run(`${prune} --dry-run --out @removals.json`);
  expect([saving.code, saving.stdout]).toEqual([0, expect.stringContaining('VM removals')]);
  expect(saving.stderr).toContain('removals.json is a plan to look at, not to apply with --plan');
  expect(dry.stderr).not.toContain('to look at');
  const applies = 'p.json: the same command with --plan ';
  expect([dry.stdout.includes(applies), saving.stdout.includes('saved in')]).toEqual([true, false]);
  const saved = await run(`deploy -c @next.yml ${CLASS} --plan @removals.json`);
  expect(saved.code).toBe(3);
  expect(saved.stderr).toMatch(
    /vm\.delete:\d+: a deploy takes no step of this kind from a file[^]*use --prune in place of --plan FILE/,
  );
  expect(writes(cluster, since)).toEqual([]);

  const pruned = await run(`${prune} --max-changes 16`);
  expect([pruned.code, pruned.code === 0 ? '' : pruned.stdout]).toEqual([0, '']);
  const done = writes(cluster, since);
  const isRemoval = (write: string): boolean => /^DELETE .*\/qemu\/\d+/.test(write);
  const first = done.findIndex(isRemoval);
  expect(done.filter(isRemoval)).toHaveLength(16);
  expect(done.slice(first).filter((write) => /\/(clone|config)$/.test(write))).toEqual([]);

  expect((await run(`deploy -c @next.yml ${CLASS} --dry-run --detailed-exitcode`)).code).toBe(0);
  expect((await run(`cleanup -c @next.yml ${CLASS}`)).code).toBe(0);
});

test('a machine that an administrator took out of its pool: told; another by the option that is named; never ours again', async () => {
  const folder = workFolder();
  writeFiles(folder, {
    'lab.yml': lab(machine('pc', 'lan'), machine('srv', 'lan')),
    'users.yml': 'users: [anna@pve, boris@pve]\n',
  });
  const cluster = await startCluster();
  const deploy = (...more: readonly string[]) => {
    const files = [
      '-c',
      `${folder}/lab.yml`,
      '-u',
      `${folder}/users.yml`,
      '--credentials',
      `${folder}/c.csv`,
    ];
    return runCli(['deploy', ...files, ...more], cluster);
  };
  expect((await deploy()).code).toBe(0);
  const poolOf = (vmid: number) =>
    cluster.snapshot().pools.find(({ vms }) => vms.includes(vmid))?.poolid ?? 'none';
  const { vmid } = cluster.snapshot().guests.find((one) => poolOf(one.vmid) === 'anna')!;
  const { config } = cluster.snapshot().guests.find((one) => one.vmid === vmid)!;
  const name = config['name']!;
  await post(cluster, '/pools/anna', { vms: String(vmid), delete: '1' }, 'admin', 'PUT');
  const told = await deploy();
  expect([told.code, told.stdout + told.stderr]).toEqual([
    5,
    expect.stringContaining(`deploy --replace ${name} makes another in its place`),
  ]);
  expect(await deploy('--replace', 'ps')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--replace names no machine of the lab: ps[^]*did you mean pc\?/) as string,
  });
  const before = cluster.snapshot().guests.length;
  expect((await deploy('--replace', name)).code).toBe(0);
  const after = cluster.snapshot();
  expect(after.guests).toHaveLength(before + 1);
  expect([after.guests.find((one) => one.vmid === vmid)!.config, poolOf(vmid)]).toEqual([config, 'none']);
  expect((await deploy('--dry-run', '--detailed-exitcode')).code).toBe(0);
  expect((await runCli(['cleanup', '--lab', 'net'], cluster)).code).toBe(0);
  const left = cluster.snapshot().guests.filter((one) => one.vmid >= 10_000);
  expect(left.map((one) => one.vmid)).toEqual([vmid]);
});
