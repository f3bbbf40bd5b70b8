/** Checks of a lab: what is refused, with its place, and what a script becomes. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shellArgv } from '../../src/lib/config/checks/shell-script.ts';
import { parseLab } from '../../src/lib/config/load.ts';
import { ConfigError } from '../../src/lib/errors.ts';
import { isFound } from '../../src/lib/pattern.ts';
import { anyCharacter } from '../any-character.ts';
import { runs } from '../runs.ts';

const MACHINES =
  'machines:\n  - { name: srv, template: t, networks: [{ bridge: lan }, { bridge: vmbr0 }] }\nchecks:\n';

function problems(check: string): string[] {
  try {
    parseLab(
      `${MACHINES}  - { name: a, machine: srv, power: running }\n  - { name: b, machine: srv, ${check} }\n`,
      'lab.yml',
    );
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ line, path, message }) => `${line} ${path}: ${message}`);
  }
}

test.each([
  ['run: [curl, -m, 5]', []],
  ['nic: { network: vmbr0 }', []],
  ['run: [a], name: a', [/^/]],
  ['power: on', [/checks\[1\].power: is not one of running, stopped/]],
  ['points: 2', [/checks\[1\]: the check does not say what is checked/]],
  ['run: [a], script: b', [/checks\[1\].script: run and script are both given/]],
  ['snapshot: x, timeout: 5s', [/checks\[1\].timeout: timeout goes with run or script only/]],
  ['run: [a], timeout: 11m', [/checks\[1\].timeout: must be from 1s to 10m/]],
  ['run: [a], expect: { stdout: "(" }', [/expect.stdout: is no regular expression/]],
  ['run: [a], expect: { stdout: "(?=x)" }', [/expect.stdout: is no regular expression/]],
  ['run: [echo, привет]', [/run\[1\]: Proxmox VE passes only ASCII/]],
  ['run: [test, ""]', [/run\[1\]: Proxmox VE 7 loses an empty argument/]],
  ['nic: { network: dmz }', [/nic.network: no card of this machine is in such a network/]],
])('%s', (check, expected) => {
  const found = problems(check);
  expect(found).toHaveLength(expected.length);
  for (const [at, pattern] of expected.entries()) expect(found[at]).toMatch(pattern);
  for (const line of found) expect(line).toMatch(/^5 /);
});

test('names are unique, machines are of the lab', () => {
  const lab = `${MACHINES}  - { name: a, machine: srv, power: running }\n  - { name: a, machine: svr, power: running }\n`;
  expect(() => parseLab(lab, 'lab.yml')).toThrow('2 problems');
});

test('a script in any language arrives as it is', () => {
  const plain = 'echo "$HOME"; exit 3';
  expect(shellArgv(plain)).toEqual(['/bin/sh', '-c', plain]);
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter, maxLength: 40 }), (text) => {
      // NUL and CR are nobody's text; a quoted heredoc gives back all else.
      fc.pre(!/[\0\r\ud800-\udfff]/.test(text) && !text.includes('END\u00e9'));
      const [program = '', ...args] = shellArgv(`cat <<'ENDé'\n${text}\nENDé\n`);
      expect(args.join('')).toMatch(/^[\t\n\r -~]*$/);
      expect(execFileSync(program, args, { encoding: 'utf8' })).toBe(`${text}\n`);
    }),
    runs(15, 1000),
  );
});

test('expressions take no time that grows faster than the text', () => {
  // One that goes back and tries again would be at it for longer than a test may take.
  expect(isFound('^(a+)+$', `${'a'.repeat(60_000)}b`)).toBe(false);
  expect(isFound('^active$', 'x\nactive\n')).toBe(true);
});

test('a check is the same in a lab and in a file of checks', () => {
  const read = (name: string) =>
    (
      JSON.parse(readFileSync(new URL(`../../schemas/${name}.schema.json`, import.meta.url), 'utf8')) as {
        definitions: { check: object };
      }
    ).definitions.check;
  expect(read('checks')).toEqual(read('lab'));
});
