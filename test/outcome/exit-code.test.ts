/** The exit codes of commands without a run of steps, of services, of several clusters. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  exitCodeAfterTrouble,
  exitCodeOfFindings,
  stopOfService,
  worstExitCode,
} from '../../src/lib/outcome/exit-code.ts';

test.each([
  [{}, 0],
  [{ isPending: true }, 6],
  [{ isPending: true, isUntouched: true }, 4],
  [{ isPending: true, isUntouched: true, isPartial: true }, 5],
  [{ isPending: true, isPartial: true, stoppedBy: 'SIGINT' as const }, 130],
  [{ stoppedBy: 'SIGTERM' as const }, 143],
])('%j: %i', (findings, code) => {
  expect(exitCodeOfFindings(findings)).toBe(code);
});

test.each([
  [[0, 4, 3], 4],
  [[4, 5, 0], 5],
  [[5, 1], 1],
  [[0, 6], 6],
  [[0, 143], 143],
  [[], 0],
] as const)('of several clusters %j: %i', (codes, worst) => {
  expect(worstExitCode(codes)).toBe(worst);
});

test('a service is ended by SIGTERM, and broken off by a second one', () => {
  expect(stopOfService('SIGTERM', false)).toBeUndefined();
  expect(stopOfService('SIGTERM', true)).toBe('SIGTERM');
  expect(stopOfService('SIGINT', false)).toBe('SIGINT');
});

test('trouble beside the work shows where nothing worse does', () => {
  expect([exitCodeAfterTrouble(0), exitCodeAfterTrouble(6), exitCodeAfterTrouble(4)]).toEqual([5, 6, 4]);
});

test('no command has a number of its own', () => {
  const commands = new URL('../../src/commands/', import.meta.url);
  const numbers = readdirSync(commands, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) =>
      /lib\/exit\.ts|setExitCode\(\s*(?!\s|exitCode|worstExitCode|codeOf)/.test(
        readFileSync(new URL(name, commands), 'utf8').replaceAll(/import type .*\n/g, ''),
      ),
    );
  expect(numbers).toEqual([]);
});
