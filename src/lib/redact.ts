/** Masks secrets in records, parameters, command lines and free text: the one place that knows what a secret is. */

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
  'x-xsrf-token',
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
export function redactParams(
  params: Readonly<Record<string, string | readonly string[]>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      isSecretName(name) ? MASK : redactText([value].flat().join(' ')),
    ]),
  );
}

/** Masking very short values would shred ordinary words. */
const SHORTEST = 4;

/** What every Base64 text around these bytes contains, wherever in it they begin. */
function base64Cores(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((shift) => {
    // Characters that share bits with what stands before or behind are left out.
    const whole = Math.floor((bytes.length - ((3 - shift) % 3)) / 3) * 3;
    const core = bytes.subarray((3 - shift) % 3, ((3 - shift) % 3) + whole);
    return core.length < SHORTEST ? [] : [core.toString('base64'), core.toString('base64url')];
  });
}

/** How a secret looks in a URL, a form, JSON and Base64. */
function formsOf(value: string): string[] {
  const percent = encodeURIComponent(Buffer.from(value).toString());
  const form = new URLSearchParams({ a: value }).toString().slice(2);
  const json = JSON.stringify(value).slice(1, -1);
  return [value, percent, percent.toLowerCase(), form, json, ...base64Cores(value)];
}

/** Knows secrets by value, and masks them in whatever form a server sends them back. */
export class SecretMask {
  readonly #values = new Set<string>();
  #forms: string[] = [];
  #isSorted = true;

  add(value: string): void {
    if (value.length < SHORTEST || this.#values.has(value)) return;
    this.#values.add(value);
    this.#forms.push(...new Set(formsOf(value)));
    this.#isSorted = false;
  }

  /** Masks the known values, and what looks like a secret by its name. */
  mask(text: string): string {
    // Longest first: a short form inside a long one would leave the rest of it readable.
    if (!this.#isSorted) this.#forms.sort((a, b) => b.length - a.length);
    this.#isSorted = true;
    return redactText(this.#forms.reduce((rest, form) => rest.replaceAll(form, MASK), text));
  }
}

const SECRET_OPTION = /^--(?:[a-z-]+-)?(?:password|passphrase|secret|token|token-value|ticket)$/;

/** A command line as it may be kept: values of options that are named like secrets are masked. */
export function redactArgv(argv: readonly string[]): string[] {
  return argv.map((word, at) => {
    const [name = '', ...value] = word.split('=');
    if (value.length > 0 && SECRET_OPTION.test(name)) return `${name}=${MASK}`;
    const isValue = !word.startsWith('-') && SECRET_OPTION.test(argv[at - 1] ?? '');
    return isValue ? MASK : redactText(word);
  });
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

/** What every rule above has in what it matches: nearly all texts are names and numbers without any of it. */
const MAY_MATCH = /[:=]|%3a|-----BEGIN /i;

/** Masks secrets in URLs, headers, forms, JSON and YAML fragments. */
export function redactText(text: string): string {
  if (!MAY_MATCH.test(text)) return text;
  return RULES.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), text);
}
