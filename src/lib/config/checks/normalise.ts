/** Checks that passed schema and rules, in the form that the rest of the program uses. Judges nothing. */
import { InternalError } from '../../errors.ts';
import { compact } from '../../compact.ts';
import { shellArgv } from './shell-script.ts';
import type { Check, CheckBase } from './types.ts';

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

type Kind = Check['kind'];

/** By which keys a check says what it checks: one of all of these. A further kind does not compile until it is here. */
export const KIND_KEYS: Readonly<Record<Kind, readonly (keyof WrittenCheck)[]>> = {
  command: ['run', 'script'],
  power: ['power'],
  nic: ['nic'],
  snapshot: ['snapshot'],
};

type Of<K extends Kind> = Omit<Extract<Check, { readonly kind: K }>, keyof CheckBase>;

/** What each kind makes of its own keys; undefined: the check is of another kind. */
const NORMALISED: { readonly [K in Kind]: (written: WrittenCheck) => Of<K> | undefined } = {
  command: ({ run, script, expect, timeout }) => {
    if (run === undefined && script === undefined) return undefined;
    const { exit = 0, stdout, stderr } = expect ?? {};
    return {
      kind: 'command',
      argv: run ?? shellArgv(script ?? ''),
      timeoutSeconds: timeout === undefined ? DEFAULT_SECONDS : timeoutSeconds(timeout),
      expect: compact({ exit, stdout, stderr }),
    };
  },
  power: ({ power }) => (power === undefined ? undefined : { kind: 'power', power }),
  nic: ({ nic }) => nic && { kind: 'nic', network: nic.network, connected: nic.connected ?? true },
  snapshot: ({ snapshot }) => (snapshot === undefined ? undefined : { kind: 'snapshot', snapshot }),
};

export function normaliseCheck(written: WrittenCheck): Check {
  const { name, machine, points = 1, hint } = written;
  const base = { name: name.trim(), machine, points, ...(hint === undefined ? {} : { hint }) };
  for (const normalised of Object.values(NORMALISED)) {
    const own = normalised(written);
    if (own) return { ...base, ...own };
  }
  throw new InternalError('CHECK_KIND', `check ${base.name} passed the rules without a kind`);
}
