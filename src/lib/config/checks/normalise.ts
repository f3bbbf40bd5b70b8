/** Checks that passed schema and rules, in the form that the rest of the program uses. Judges nothing. */
import { compact } from '../input/written.ts';
import { shellArgv } from './shell-script.ts';
import type { Check } from './types.ts';

/** What the schema lets through. */
export interface WrittenCheck {
  name: string;
  machine: string;
  run?: string[];
  script?: string;
  expect?: { exit?: number; stdout?: string; stderr?: string };
  timeout?: string | number;
  power?: 'running' | 'stopped';
  nic?: { network: string; connected?: boolean };
  snapshot?: string;
  points?: number;
  hint?: string;
}

const DEFAULT_SECONDS = 10;

/** `10s`, `2m`, or seconds. */
export function timeoutSeconds(written: string | number): number {
  const [, count, unit] = /^(\d{1,3})([sm])?$/.exec(String(written)) ?? [];
  return Number(count) * (unit === 'm' ? 60 : 1);
}

export function normaliseCheck(written: WrittenCheck): Check {
  const { name, machine, points = 1, hint, run, script, power, nic, snapshot } = written;
  const base = { name: name.trim(), machine, points, ...(hint === undefined ? {} : { hint }) };
  if (power !== undefined) return { ...base, kind: 'power', power };
  if (nic) return { ...base, kind: 'nic', network: nic.network, connected: nic.connected ?? true };
  if (snapshot !== undefined) return { ...base, kind: 'snapshot', snapshot };
  const { exit = 0, stdout, stderr } = written.expect ?? {};
  return {
    ...base,
    kind: 'command',
    argv: run ?? shellArgv(script ?? ''),
    timeoutSeconds: written.timeout === undefined ? DEFAULT_SECONDS : timeoutSeconds(written.timeout),
    expect: compact({ exit, stdout, stderr }),
  };
}
