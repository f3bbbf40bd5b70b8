/** Reads `PVE_*` variables as if they were keys of a connections file. Never shows their values. */
import type { ConfigIssue } from '../../errors.ts';
import type { Written } from '../input/written.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** Key of a connection → variable. */
export const CONNECTION_VARIABLES: Readonly<Record<string, string>> = {
  host: 'PVE_HOST',
  token_name: 'PVE_TOKEN_ID',
  token_value: 'PVE_TOKEN_SECRET',
  user: 'PVE_USER',
  password: 'PVE_PASSWORD',
  fingerprint: 'PVE_FINGERPRINT',
  ca_file: 'PVE_CA_FILE',
  verify_ssl: 'PVE_VERIFY_SSL',
};

const TRUST_KEYS = ['host', 'fingerprint', 'ca_file', 'verify_ssl'] as const;

const ACCOUNT_KEYS = ['user', 'use_token', 'password', 'token_name', 'token_value'] as const;

export interface Overlay {
  readonly raw: Written;
  /** Keys that come from here, or must not come from the file beside what does. */
  readonly replaces: ReadonlySet<string>;
  /** A host and an account: no file is needed. */
  readonly isComplete: boolean;
  readonly problems: readonly ConfigIssue[];
}

function readBoolean(text: string): boolean | undefined {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  return /^(0|false|no|off)$/i.test(text) ? false : undefined;
}

/** Half an account from here and half from the file would log in as nobody. */
function replacedKeys(raw: Written): Set<string> {
  const hasAccount = raw['token_name'] !== undefined || raw['user'] !== undefined;
  return new Set([...Object.keys(raw), ...(hasAccount ? ACCOUNT_KEYS : [])]);
}

export function overlayOf(env: Env): Overlay {
  const raw: Record<string, unknown> = {};
  const problems: ConfigIssue[] = [];
  const add = (path: string, message: string, hint: string): void => {
    problems.push({ file: 'environment', path, message, hint });
  };
  for (const [key, variable] of Object.entries(CONNECTION_VARIABLES)) {
    const value = env[variable]?.trim();
    if (value !== undefined && value !== '') raw[key] = value;
  }
  if (typeof raw['verify_ssl'] === 'string') {
    const verify = readBoolean(raw['verify_ssl']);
    if (verify === undefined) add('PVE_VERIFY_SSL', 'is neither true nor false', 'set it to 1 or 0');
    raw['verify_ssl'] = verify;
  }
  const tokenId = raw['token_name'];
  if (typeof tokenId === 'string' && tokenId.includes('=')) {
    add('PVE_TOKEN_ID', 'holds the secret too', 'put what follows the "=" into PVE_TOKEN_SECRET');
  }
  if (tokenId !== undefined || raw['token_value'] !== undefined) raw['use_token'] = true;
  else if (raw['user'] !== undefined || raw['password'] !== undefined) raw['use_token'] = false;
  const hasAccount = tokenId !== undefined || raw['user'] !== undefined;
  return { raw, replaces: replacedKeys(raw), isComplete: raw['host'] !== undefined && hasAccount, problems };
}

/** Who is there, and whether to believe it: with one of these from here, what a file is told of it has no effect. */
export function decidesTrust({ raw }: Overlay): boolean {
  return TRUST_KEYS.some((key) => raw[key] !== undefined);
}
