/** `deploy --prune`: a machine is taken out of the lab, or called something else, and the class follows. */
import { expect, test } from 'vitest';
import { runCli, startCluster, workFolder, writeFiles, writes } from './harness.ts';

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
