/** Resets that do not get everything done: what is told, and that the named way on leaves alone whoever is finished. */
import { expect, test } from 'vitest';
import { runCli, startCluster, workFolder, writeFiles } from './harness.ts';
import { admin, person, room } from './people.ts';

const machine = (name: string) =>
  `  - { device_type: linux, name: ${name}, template_vmid: 101, start: true, baseline_snapshot: true, networks: [{ bridge: hq }] }\n`;
const FILES = {
  'lab.yml': `name: net\naccess: { role: student }\nmachines:\n${machine('pc')}${machine('srv')}`,
  'users.yml': 'users: [anna@pve, boris@pve, carla@pve]\n',
};
const CLASS = '-c @lab.yml -u @users.yml';

test('the command that finishes a reset names only who is left; frozen and suspended machines are told as such', async () => {
  const cluster = await startCluster();
  const { run } = room(FILES);
  await run(cluster, `deploy ${CLASS} --node pve1 --strategy specific`);
  const anna = await person(cluster, 'anna@pve');
  const at = '/nodes/pve1/qemu/10000';
  expect(await anna.task('POST', `${at}/snapshot`, { snapname: 'mine' })).toBe('OK');

  const some = await run(cluster, `reset --reclone ${CLASS} --only anna@pve,boris@pve`);
  expect([some.code, some.stdout]).toEqual([
    5,
    expect.stringMatching(
      /^2 stands: not everything could be reset$[^]*`deploy-stand reset --reclone --discard-snapshots -c \S+ --user anna@pve --machine pc`/m,
    ),
  ]);
  // The same command would be refused again: the hint has the one that is not.
  expect(some.stdout).not.toContain('To finish');

  await admin(cluster).task('POST', `${at}/status/stop`, {});
  await admin(cluster).task('DELETE', at, {});
  const back = await run(cluster, 'reset --lab net');
  // What is gone no reset makes: the way on is one that does, and nothing that was reset is reset again.
  expect(back.stdout.match(/^To finish: .*$/gm)).toEqual([
    'To finish: run deploy again with the files of lab net and --only anna@pve',
  ]);
  const named = await run(cluster, `--quiet reset ${CLASS} --only anna,carla`);
  const [way = '', ...more] = named.stdout.match(/(?<=^To finish: deploy-stand ).*$/gm) ?? [];
  expect([named.code, more, way]).toEqual([
    5,
    [],
    expect.stringMatching(/^deploy --quiet -c \S+lab.yml -u \S+users.yml --only anna@pve$/),
  ]);
  expect(await run(cluster, `${way} --node pve1 --strategy specific`)).toMatchObject({ code: 0 });
  expect(await run(cluster, 'reset --user anna@pve')).toMatchObject({ code: 0 });

  expect((await run(cluster, 'access freeze --lab net --suspend')).code).toBe(0);
  const again = await run(cluster, 'access freeze --lab net --suspend');
  expect(again.stdout).toMatch(/boris@pve .* suspended .*unchanged, frozen\n.*srv +suspended\n/);
  const refused = await run(cluster, 'reset --lab net --user boris@pve --user carla@pve');
  expect([refused.code, refused.stderr.match(/`[^`]*`/g)]).toEqual([
    3,
    [
      '`deploy-stand power resume --lab net --user boris@pve`',
      '`deploy-stand power resume --lab net --user carla@pve`',
    ],
  ]);
  expect(refused.stderr).toContain('boris@pve: each of VM 10002 (pc), VM 10003 (srv) is hibernated');
  expect((await run(cluster, 'power resume --lab net')).code).toBe(0);
  const frozen = await run(cluster, 'reset --user boris@pve');
  expect([frozen.code, frozen.stdout]).toEqual([0, expect.stringContaining('complete, frozen')]);
  expect((await run(cluster, 'access thaw --lab net')).code).toBe(0);
  expect((await run(cluster, 'power suspend --user carla@pve')).code).toBe(0);
  const woken = await run(cluster, `deploy ${CLASS} --only carla --dry-run`);
  expect(woken.stdout).toMatch(/VM 10004 pc: start/);
});

test('a machine that an interrupted reset has not removed yet is told as it is', async () => {
  let cut: (() => void) | undefined;
  const cluster = await startCluster({
    onAnswer: ({ target }) => {
      if (!target.endsWith('/status/stop')) return;
      cut?.();
      cut = undefined; // a second one would leave at once
    },
  });
  const folder = workFolder();
  writeFiles(folder, FILES);
  const words = (line: string) => line.split(' ').map((word) => word.replace(/^@/, `${folder}/`));
  await runCli(words(`deploy ${CLASS} --credentials @c.csv`), cluster);
  const ended = await runCli(words(`reset --reclone ${CLASS}`), cluster, {
    onSignaller: (send) => {
      cut = () => send('SIGINT');
    },
  });
  expect([ended.code, ended.stdout]).toEqual([130, expect.stringMatching(/carla@pve .* (stopped|running) /)]);
  expect(ended.stdout).not.toContain('missing');
});
