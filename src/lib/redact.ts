/** Masks secrets in log records, parameters and free text. Must not be needed for errors: those never hold one. */

const MASK = '***';

/** Names under which secrets travel: PVE parameters, headers, and the keys of our own files. */
const SECRET_NAMES = [
  'authorization',
  'cipassword',
  'confirmation-password',
  'cookie',
  'csrf',
  'csrfpreventiontoken',
  'otp',
  'password',
  'pveauthcookie',
  'secret',
  'set-cookie',
  'sshkeys',
  'tfa-challenge',
  'ticket',
  'token_secret',
  'token_value',
] as const;

const SPELLINGS = [
  ...SECRET_NAMES,
  'Authorization',
  'Cookie',
  'CSRFPreventionToken',
  'PVEAuthCookie',
  'Set-Cookie',
];

/** Paths for pino's `redact`: each secret name at the top of a record and up to three levels below. */
export const redactPaths: readonly string[] = SPELLINGS.flatMap((name) =>
  ['', '*', '*.*', '*.*.*'].map((prefix) =>
    name.includes('-') ? `${prefix}["${name}"]` : join(prefix, name),
  ),
);

function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}

/** True for a parameter, header or key whose value must not be shown. */
export function isSecretName(name: string): boolean {
  const lower = name.toLowerCase();
  return SECRET_NAMES.some((secret) => secret === lower);
}

/** A copy of the parameters with secret values masked. */
export function redactParams(params: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, isSecretName(name) ? MASK : redactText(value)]),
  );
}

/** Masks these exact values, should a server echo one of them. */
export function redactValues(text: string, secrets: readonly string[]): string {
  // Masking very short values would shred ordinary words.
  return secrets
    .filter((secret) => secret.length >= 4)
    .reduce((masked, secret) => masked.replaceAll(secret, MASK), text);
}

const HEADERS_WITH_RULES: readonly string[] = ['authorization', 'cookie', 'set-cookie', 'pveauthcookie'];
const NAME = SECRET_NAMES.filter((name) => !HEADERS_WITH_RULES.includes(name)).join('|');

const RULES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, MASK],
  [/(PVEAPIToken=[^\s=;,"']+=)[^\s;,"']+/g, `$1${MASK}`],
  [/(PVEAuthCookie=)[^\s;,"']+/g, `$1${MASK}`],
  // A ticket by itself: PVE:user@realm:HEXTIME::signature, also percent-encoded.
  [/\bPVE(?::|%3A)[^\s"'&]*?(?:::|%3A%3A)[A-Za-z0-9+/=%]+/gi, MASK],
  [/\b(authorization["']?\s*[:=]\s*["']?(?:bearer|basic)\s+)[^\s"',;]+/gi, `$1${MASK}`],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:)[^\s/@]+@/gi, `$1${MASK}@`],
  [/(\/bot\d{5,}:)[A-Za-z0-9_-]{20,}/g, `$1${MASK}`],
  // JSON or YAML: "password": "x", password: x
  [
    new RegExp(`((?<![\\w/-])(?:${NAME})["']?\\s*:\\s*)("(?:[^"\\\\]|\\\\.)*"|'[^']*'|[^\\s,}"']+)`, 'gi'),
    `$1${MASK}`,
  ],
  // Query or form: password=x
  [new RegExp(`((?:^|[?&\\s;,])(?:${NAME})=)[^&\\s"']+`, 'gi'), `$1${MASK}`],
];

/** Masks secrets in URLs, headers, forms, JSON and YAML fragments. */
export function redactText(text: string): string {
  return RULES.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), text);
}
