/** How a variable of the VM Balancer's env-file is read. Judges nothing by itself. */

import type { Platform } from '../types.ts';

export const YES = /^(?:true|1|yes|on)$/i;

type Raw = Record<string, unknown>;

export interface Put {
  readonly name: string;
  readonly path: readonly [string, string?];
  readonly hint: string;
}

export interface Reader {
  readonly raw: Raw;
  readonly platform: Platform;
  /** Does the file itself say where to log in? */
  readonly isLogin: boolean;
  /** Is the load average of nodes known, over SSH? */
  readonly isMeasured: boolean;
  readonly connections: string[];
  readonly clusters: string[];
  readonly values: Readonly<Record<string, string>>;
  /** Notes for a key of balance.yml which variable it came from. */
  note(key: string, name: string, hint: string): void;
  fail(name: string, message: string, hint: string): void;
  warn(name: string, message: string): void;
}

/** What its variable says, in the words of balance.yml. */
export function put(reader: Reader, { name, path, hint }: Put, value: unknown): void {
  const { raw } = reader;
  const [key, below] = path;
  reader.note(below === undefined ? key : `${key}.${below}`, name, hint);
  if (below === undefined) raw[key] = value;
  else raw[key] = { ...(raw[key] as Raw | undefined), [below]: value }; // only ever written here
}

export type Read = (reader: Reader, name: string, value: string) => void;
