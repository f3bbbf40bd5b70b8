import fc from 'fast-check';
import { split } from 'shlex';
import { expect, test } from 'vitest';
import { shellCommand, shellWord, wayForAll } from '../src/lib/shell.ts';
import { runs } from './runs.ts';

test.each([
  ['anna@pve', 'deploy-stand users delete --user anna@pve'],
  ["o'neil@pve", `deploy-stand users delete --user 'o'"'"'neil@pve'`],
  ['a$(reboot)@pve', "deploy-stand users delete --user 'a$(reboot)@pve'"],
  ['', "deploy-stand users delete --user ''"],
])('%s on a command line', (userid, line) => {
  expect(shellCommand('deploy-stand', 'users', 'delete', '--user', userid)).toBe(line);
});

test('what is done for the first of many, done for all of them', () => {
  const others = [{ who: "o'neil@pve" }, { who: 'carla@pve' }];
  expect(wayForAll('`deploy-stand power resume --user anna@pve` lets it go on', 'anna@pve', others)).toBe(
    `\`deploy-stand power resume --user anna@pve --user 'o'"'"'neil@pve' --user carla@pve\` lets it go on`,
  );
  const quoted = "deploy-stand power stop --user 'o'\"'\"'neil@pve' --machine pc";
  expect(wayForAll(quoted, "o'neil@pve", [{ who: 'anna@pve' }])).toBe(
    quoted.replace(' --machine', ' --user anna@pve --machine'),
  );
  // Somebody else's, one for all already, and no command at all.
  for (const hint of [
    'x --user anna@pve2',
    'x --user hanna@pve',
    'x --user anna@pve --user carla@pve',
    'ask anna@pve',
  ])
    expect(wayForAll(hint, 'anna@pve', others)).toBe(hint);
});

test('a shell takes each word for what it was', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      expect(split(shellCommand(...words))).toEqual(words);
      expect(words.map(shellWord).join(' ')).toBe(shellCommand(...words));
    }),
    runs(100, 20_000),
  );
});
