/** A connection in the making: what was written, where complaints go, and its secret where it is kept. Fetches nothing. */
import type { Written } from '../input/written.ts';
import { parseSecret } from './secret-source.ts';
import type { SecretKey, SecretSource, StoredConnection } from './types.ts';

export interface Draft {
  /** Not validated yet. */
  readonly raw: Written;
  /** Where relative paths of this key start. */
  readonly folderOf: (key: string) => string;
  /** Is the secret of this key meant as it stands, whatever it looks like? */
  readonly isLiteral: (key: string) => boolean;
  /** `ssh.user`: a key below another. */
  readonly fail: (
    key: string,
    message: string,
    details?: { readonly value?: unknown; readonly hint?: string | undefined },
  ) => void;
}

export type Account = Pick<StoredConnection, 'login' | 'secret' | 'secretKey'>;

export function secretOf(
  { raw, folderOf, isLiteral, fail }: Draft,
  key: SecretKey,
): SecretSource | undefined {
  const written = raw[key];
  if (written === undefined) return undefined;
  if (isLiteral(key) && typeof written === 'string') return { kind: 'plain', text: written };
  const parsed = parseSecret(written, folderOf(key));
  if ('value' in parsed) return parsed.value;
  fail(key, parsed.problem, { hint: parsed.hint });
  return undefined;
}
