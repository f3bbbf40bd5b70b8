/** Connections as data, their secrets still where they are kept. Must hold no secret that was fetched from there. */
import type { Connection, SshSettings } from '../types.ts';

/** Where a secret is kept, as it is written. */
export type SecretSource =
  | { readonly kind: 'plain'; readonly text: string }
  | { readonly kind: 'env'; readonly variable: string }
  | { readonly kind: 'file'; readonly file: string; readonly written: string }
  | { readonly kind: 'command'; readonly argv: readonly string[]; readonly folder: string }
  | { readonly kind: 'age'; readonly armor: string }
  /** Ciphertext of the older Python tool: nobody can read it. */
  | { readonly kind: 'fernet' };

export type SecretKey = 'password' | 'token_value';

/** Its secrets are still where they are kept. */
export interface StoredSsh extends Omit<SshSettings, 'password' | 'passphrase'> {
  readonly password?: SecretSource;
  readonly passphrase?: SecretSource;
}

/** A connection whose secret is still where it is kept. */
export interface StoredConnection extends Omit<Connection, 'auth' | 'ssh'> {
  /** `id`: user, or whole id of the token. */
  readonly login: { readonly kind: 'token' | 'password'; readonly id: string };
  readonly secret: SecretSource;
  readonly secretKey: SecretKey;
  readonly ssh?: StoredSsh;
}
