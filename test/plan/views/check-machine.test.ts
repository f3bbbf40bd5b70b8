/** Checks that a machine's own state answers. */
import { expect, test } from 'vitest';
import { judgeConfiguration } from '../../../src/lib/plan/views/check-machine.ts';
import { guest } from '../builders.ts';

test.each([
  ['running', { status: 'running' }, 'running', 'passed'],
  // Its memory is being written.
  ['running', { status: 'running', monitor: 'paused', lock: 'suspending' }, 'running', 'passed'],
  ['running', { status: 'running', monitor: 'paused' }, 'paused', 'failed'],
  ['stopped', { status: 'running', monitor: 'paused' }, 'paused', 'failed'],
  ['stopped', { status: 'stopped', lock: 'suspended' }, 'stopped', 'passed'],
  ['running', { status: 'stopped' }, 'stopped', 'failed'],
] as const)('power: %s, of %o: %s, %s', (power, more, text, verdict) => {
  const request = { machine: { vmid: 100, guest: guest(100, more) } };
  const found = judgeConfiguration({ kind: 'power', power } as never, request as never);
  expect(found).toMatchObject({ verdict, seen: { text } });
});
