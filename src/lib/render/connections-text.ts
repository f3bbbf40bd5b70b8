/** Connections as a table and as a document: how each secret is kept, and never the secret. */
import { namedPlatform, PLATFORMS } from '../config/connections/platform.ts';
import type { SecretSource } from '../config/connections/types.ts';
import type { Platform } from '../config/types.ts';
import { paragraph, renderColumns, type Cell, type RenderOptions } from './layout.ts';
import { dayOf } from './moment.ts';
import type { JsonObject } from './ordered-json.ts';
import { createPaint, type Paint } from './paint.ts';
import { shellCommand } from '../shell.ts';

/** Where a secret is kept. */
interface Keeping {
  readonly kind: SecretSource['kind'];
  readonly variable?: string;
  readonly written?: string;
  readonly argv?: readonly string[];
}

interface Login {
  readonly kind: 'token' | 'password';
  readonly id: string;
}

interface Listed {
  readonly name: string;
  readonly platform: Platform;
  readonly hosts: readonly string[];
  readonly login: Login;
  readonly secret: Keeping;
  /** How the nodes of a VMmanager are reached. */
  readonly ssh?: { readonly passphrase?: Keeping; readonly password?: Keeping };
  readonly tls: { readonly verify: boolean; readonly ca?: string; readonly fingerprint?: string };
}

interface Listing {
  readonly file: string;
  readonly connections: readonly Listed[];
  readonly default?: string;
}

/** Arguments of a command may be secrets in the wrong place: only the program is named. */
function keepingWords({ kind, variable = '', written = '', argv = [] }: Keeping): string {
  switch (kind) {
    case 'plain':
      return 'plain text';
    case 'env':
      return `variable ${variable}`;
    case 'file':
      return `file ${written}`;
    case 'command':
      return `command ${argv[0] ?? ''}`;
    case 'age':
      return 'encrypted (age)';
    case 'fernet':
      return 'unreadable (older Python tool)';
  }
}

function trustWords({ verify, ca, fingerprint }: Listed['tls']): string {
  if (fingerprint !== undefined) {
    const count = fingerprint.split(',').length;
    return count === 1 ? 'fingerprint' : `${count} fingerprints`;
  }
  if (!verify) return 'not verified';
  return ca === undefined ? 'authorities of the system' : 'authority of ca_file';
}

function trustName({ verify, ca, fingerprint }: Listed['tls']): string {
  if (fingerprint !== undefined) return 'fingerprint';
  if (!verify) return 'none';
  return ca === undefined ? 'system' : 'ca-file';
}

function keepingDocument({ kind, variable, written, argv }: Keeping): JsonObject {
  return {
    kept: kind,
    ...(variable === undefined ? {} : { variable }),
    ...(written === undefined ? {} : { file: written }),
    ...(argv === undefined ? {} : { program: argv[0] ?? '' }),
  };
}

/** Of `ssh:`, by their keys. */
function sshSecrets({ ssh = {} }: Pick<Listed, 'ssh'>): (readonly ['passphrase' | 'password', Keeping])[] {
  return (['passphrase', 'password'] as const).flatMap((key) => {
    const secret = ssh[key];
    return secret === undefined ? [] : [[key, secret] as const];
  });
}

export function toConnectionsDocument(list: Listing): JsonObject {
  return {
    file: list.file,
    default: list.default ?? null,
    connections: list.connections.map(({ name, platform, hosts, login, secret, tls, ...more }) => ({
      name,
      ...namedPlatform(platform),
      default: name === list.default,
      hosts: [...hosts],
      login: { kind: login.kind, id: login.id },
      secret: keepingDocument(secret),
      ...(more.ssh === undefined
        ? {}
        : { ssh: Object.fromEntries(sshSecrets(more).map(([key, one]) => [key, keepingDocument(one)])) }),
      tls: { trust: trustName(tls), fingerprints: tls.fingerprint?.split(',') ?? [] },
    })),
  };
}

function secretCell(one: Listed, paint: Paint): Cell {
  const below = sshSecrets(one);
  const text = [
    keepingWords(one.secret),
    ...below.map(([key, secret]) => `ssh.${key}: ${keepingWords(secret)}`),
  ].join(', ');
  const kinds = [one.secret, ...below.map(([, secret]) => secret)].map(({ kind }) => kind);
  if (kinds.includes('fernet')) return { text, paint: paint.red };
  return kinds.includes('plain') ? { text, paint: paint.yellow } : { text };
}

const HEAD = ['CONNECTION', 'HOST', 'LOGIN', 'SECRET', 'TLS TRUST', 'DEFAULT'];

/** Ends without a line break. */
export function renderConnections(list: Listing, { width, color }: RenderOptions): string {
  const paint = createPaint(color);
  if (list.connections.length === 0) return `${list.file} holds no connection`;
  const rows = list.connections.map((one): Cell[] => {
    const { name, platform, hosts, login, tls } = one;
    return [
      { text: name, paint: paint.bold },
      { text: `${hosts.join(', ')}${platform === 'pve' ? '' : ` (${PLATFORMS[platform].name})`}` },
      { text: login.kind === 'token' ? `token ${login.id}` : login.id },
      secretCell(one, paint),
      tls.verify || tls.fingerprint !== undefined
        ? { text: trustWords(tls) }
        : { text: trustWords(tls), paint: paint.red },
      { text: name === list.default ? 'yes' : '' },
    ];
  });
  const head = HEAD.map((text): Cell => ({ text, paint: paint.bold }));
  return renderColumns([head, ...rows], { width }).join('\n');
}

interface Added {
  readonly file: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly change: 'added' | 'replaced' | 'trusted';
  readonly login: Login;
  readonly secret: Keeping;
  /** Undefined: certificates are verified. */
  readonly trust: 'fingerprint' | 'none' | undefined;
  readonly certificates: readonly {
    readonly host: string;
    readonly fingerprint: string;
    readonly subject: string;
    readonly issuer: string;
    readonly validTo: number;
    readonly isTrusted: boolean;
  }[];
}

export function toAddedDocument(added: Added): JsonObject {
  const { file, name, isDefault, change, login, secret, trust, certificates } = added;
  return {
    file,
    name,
    default: isDefault,
    replaced: change === 'replaced',
    login: { kind: login.kind, id: login.id },
    secret: { kept: secret.kind },
    fingerprintStored: trust === 'fingerprint',
    hosts: certificates.map((certificate) => ({
      host: certificate.host,
      fingerprint: certificate.fingerprint,
      subject: certificate.subject,
      issuer: certificate.issuer,
      validUntil: dayOf(certificate.validTo / 1000),
      trusted: trust === 'fingerprint' || certificate.isTrusted,
    })),
  };
}

function untrusted({ trust, certificates }: Added): readonly string[] {
  if (trust !== undefined) return [];
  return certificates.flatMap(({ isTrusted, fingerprint }) => (isTrusted ? [] : [fingerprint]));
}

function trustLines(added: Added): string[] {
  if (added.trust === 'fingerprint') return ['this certificate and no other (fingerprint stored)'];
  if (added.trust === 'none') return ['nothing is verified (verify_ssl: false)'];
  if (untrusted(added).length === 0) return ['verified by an authority'];
  return [
    'NOT TRUSTED YET: no known authority signed it, so this connection will refuse it.',
    'Compare the fingerprint with what the node shows: System > Certificates, or `pvenode cert info`.',
  ];
}

/** What is left to do: the command that trusts what has been compared, or the test. */
function nextLines(added: Added, width: number): string[] {
  const fingerprints = untrusted(added);
  if (fingerprints.length === 0)
    return paragraph(`next: ${shellCommand('deploy-stand', 'connections', 'test', added.name)}`, { width });
  const all = [...new Set(fingerprints)].join(',');
  return [
    'next, if it is the same:',
    ...paragraph(shellCommand('deploy-stand', 'connections', 'trust', added.name, all), { width, indent: 2 }),
  ];
}

/** Ends without a line break. */
export function renderAdded(added: Added, { width, color }: RenderOptions): string {
  const paint = createPaint(color);
  const { file, name, isDefault, change, login, secret, certificates } = added;
  const verb = { added: 'added to', replaced: 'replaced in', trusted: 'trusted in' }[change];
  const rows: (readonly [string, string])[] = [
    ['login', login.kind === 'token' ? `token ${login.id}` : login.id],
    ['secret', keepingWords(secret)],
    ...certificates.flatMap(({ host, fingerprint, subject, issuer, validTo }): [string, string][] => [
      ['host', host],
      ['', `certificate of ${subject}, issued by ${issuer}, valid until ${dayOf(validTo / 1000)}`],
      ['', `SHA-256 ${fingerprint}`],
    ]),
    ...trustLines(added).map((line, index): [string, string] => [index === 0 ? 'trust' : '', line]),
  ];
  return [
    ...paragraph(
      `connection ${name} ${verb} ${file}, readable by you alone${isDefault ? '; it is the default' : ''}`,
      { width },
    ),
    ...renderColumns(
      rows.map(([label, text]) => [{ text: label, paint: paint.dim }, { text }]),
      { width: Infinity, indent: 2 },
    ),
    ...nextLines(added, width),
  ].join('\n');
}

interface SecretsChange {
  readonly file: string;
  readonly isChanged: boolean;
  readonly secrets: readonly {
    readonly connection: string;
    readonly key: string;
    readonly outcome: string;
  }[];
}

/** Ends without a line break. */
export function renderSecrets({ file, isChanged, secrets }: SecretsChange, { width }: RenderOptions): string {
  const rows = secrets.map(({ connection, key, outcome }) => [
    { text: connection },
    { text: key },
    { text: outcome },
  ]);
  const closing = isChanged
    ? `${file} is written, readable by you alone`
    : `nothing to do: ${file} is as it was`;
  return [...renderColumns(rows, { width }), ...paragraph(closing, { width })].join('\n');
}
