/** How a variable of the VM Balancer's env-file is read. Judges nothing by itself. */

import type { Platform } from '../types.ts';

export const YES = /^(?:true|1|yes|on)$/i;

type Raw = Record<string, unknown>;

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
  fail(name: string, message: string, hint: string): void;
  warn(name: string, message: string): void;
}

export function put(raw: Raw, path: readonly [string, string?], value: unknown): void {
  const [key, below] = path;
  if (below === undefined) raw[key] = value;
  else raw[key] = { ...(raw[key] as Raw | undefined), [below]: value }; // only ever written here
}

export type Read = (reader: Reader, name: string, value: string) => void;
