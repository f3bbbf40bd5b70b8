import fc from 'fast-check';
import { split } from 'shlex';
import { expect, test } from 'vitest';
import { shellCommand, shellWord } from '../src/lib/shell.ts';
import { runs } from './runs.ts';

test.each([
  ['anna@pve', 'deploy-stand users delete --user anna@pve'],
  ["o'neil@pve", `deploy-stand users delete --user 'o'"'"'neil@pve'`],
  ['a$(reboot)@pve', "deploy-stand users delete --user 'a$(reboot)@pve'"],
  ['', "deploy-stand users delete --user ''"],
])('%s on a command line', (userid, line) => {
  expect(shellCommand('deploy-stand', 'users', 'delete', '--user', userid)).toBe(line);
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
