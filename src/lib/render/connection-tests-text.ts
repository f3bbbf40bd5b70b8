/** What the hosts of connections answered, as text and as a document. Holds no secret. */
import { namedPlatform, PLATFORMS } from '../config/connections/platform.ts';
import type { ConnectionReport, HostReport, Problem } from '../connections-edit/types.ts';
import type { CommandRights, RightsOverview } from '../privileges/overview.ts';
import { labelled, paragraph, renderColumns, type Cell, type RenderOptions } from './layout.ts';
import { dayOf } from './moment.ts';
import type { JsonObject } from './ordered-json.ts';
import { createPaint, type Paint } from './paint.ts';

const until = (validTo: number): string => dayOf(validTo / 1000);

function rightsDocument(rights: RightsOverview | undefined): JsonObject {
  if (rights === undefined) return {};
  const { profile, commands } = rights;
  return {
    privileges: {
      profile,
      commands: commands.map(({ command, lacking }) => ({
        command,
        lacking: lacking.map(({ path, privileges }) => ({ path, privileges: [...privileges] })),
      })),
    },
  };
}

function errorDocument(error: Problem | undefined): JsonObject {
  if (error === undefined) return {};
  const { code, message, hint } = error;
  return { error: { code, message, ...(hint === undefined ? {} : { hint }) } };
}

function hostDocument({ certificate, nodes, error, ...report }: HostReport): JsonObject {
  const { host, ok, platform = 'pve', version, cluster, quorum, latencyMs, clockSkewSeconds } = report;
  return {
    host,
    ok,
    ...namedPlatform(platform),
    ...(version === undefined ? {} : { version }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(nodes === undefined ? {} : { nodes: nodes.map(({ name, online }) => ({ name, online })) }),
    ...(quorum === undefined ? {} : { quorum }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(clockSkewSeconds === undefined ? {} : { clockSkewSeconds }),
    ...(certificate === undefined
      ? {}
      : { certificate: { fingerprint: certificate.fingerprint, validUntil: until(certificate.validTo) } }),
    ...errorDocument(error),
  };
}

export function toTestsDocument(reports: readonly ConnectionReport[]): JsonObject {
  return {
    ok: reports.every(({ ok }) => ok),
    connections: reports.map(({ name, ok, login, trust, hosts, rights, ssh, error }) => ({
      name,
      ok,
      ...(login === undefined ? {} : { login: { kind: login.kind, id: login.id } }),
      ...(trust === undefined ? {} : { trust }),
      hosts: hosts.map(hostDocument),
      ...(ssh === undefined ? {} : { ssh: { nodes: ssh.nodes } }),
      ...rightsDocument(rights),
      ...errorDocument(error),
    })),
  };
}

const TRUST = {
  fingerprint: 'certificate pinned by its fingerprint',
  'ca-file': 'certificate verified by ca_file',
  system: 'certificate verified by the authorities of the system',
  none: 'certificate NOT verified',
} as const;

const DISTRUST = {
  ...TRUST,
  fingerprint: 'certificate is NOT the pinned one',
  'ca-file': 'certificate NOT accepted by ca_file',
  system: 'certificate NOT accepted by the authorities of the system',
} as const;

const QUORUM = {
  yes: 'quorum',
  no: 'NO QUORUM',
  single: 'single node',
  unknown: 'quorum not shown (takes Sys.Audit on /)',
} as const;

function nodesText({ nodes = [], quorum = 'unknown', platform = 'pve' }: HostReport): string {
  const offline = nodes.filter(({ online }) => !online).map(({ name }) => name);
  const count = `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`;
  const away = offline.length === 0 ? '' : `, offline: ${offline.join(', ')}`;
  return PLATFORMS[platform].hasQuorum ? `${count}${away}; ${QUORUM[quorum]}` : `${count}${away}`;
}

const UNITS = [
  [86_400, 'days'],
  [3600, 'h'],
  [60, 'min'],
] as const;

function skewText(seconds: number): string {
  // The header tells whole seconds.
  if (Math.abs(seconds) <= 1) return 'clock as here';
  const size = Math.abs(seconds);
  const [unit, word] = UNITS.find(([least]) => size >= 2 * least) ?? [1, 's'];
  return `clock ${Math.round(size / unit)} ${word} ${seconds > 0 ? 'ahead' : 'behind'}`;
}

function hostCells(report: HostReport, paint: Paint): Cell[] {
  const { host, ok, platform = 'pve', version = '', cluster = '', latencyMs, clockSkewSeconds } = report;
  const state: Cell = ok ? { text: 'ok', paint: paint.green } : { text: 'FAILED', paint: paint.red };
  const product = platform === 'pve' ? `PVE ${version}` : PLATFORMS[platform].name;
  if (version === '' && latencyMs === undefined) return [{ text: host }, state];
  return [
    { text: host },
    state,
    { text: `${product}${cluster === '' ? '' : `, cluster ${cluster}`}` },
    { text: nodesText(report) },
    { text: latencyMs === undefined ? '' : `${latencyMs} ms` },
    { text: clockSkewSeconds === undefined ? '' : skewText(clockSkewSeconds) },
  ];
}

function problemLines(
  host: string,
  { code, message, hint }: Problem,
  { width, color }: RenderOptions,
): string[] {
  const paint = createPaint(color);
  const where = host === '' || message.includes(host) ? '' : `${host}: `;
  return [
    ...paragraph(`${where}${message}  [${code}]`, { width, indent: 2, hang: 2, paint: paint.red }),
    ...(hint === undefined ? [] : labelled('hint', hint, { width, indent: 4 })),
  ];
}

const FEW = 3;

function lackingText({ lacking }: CommandRights): string {
  const count = lacking.reduce((sum, { privileges }) => sum + privileges.length, 0);
  if (count === 0) return 'all there';
  const where = lacking.map(({ path, privileges }) =>
    count > FEW ? path : `${privileges.join(', ')} on ${path}`,
  );
  return count > FEW ? `${count} missing on ${where.join(', ')}` : `missing: ${where.join('; ')}`;
}

function rightsLines({ profile, commands }: RightsOverview, options: RenderOptions): string[] {
  const { width } = options;
  const paint = createPaint(options.color);
  const short = commands.filter(({ lacking }) => lacking.length > 0);
  if (short.length === 0)
    return paragraph(`privileges: all that the commands take for any class; profile ${profile}`, {
      width,
      indent: 2,
      hang: 2,
    });
  const rows = commands.map((one): Cell[] => [
    { text: one.command },
    { text: lackingText(one), paint: one.lacking.length === 0 ? paint.green : paint.yellow },
  ]);
  return [
    ...paragraph(`privileges that the commands take for any class; profile ${profile}:`, {
      width,
      indent: 2,
    }),
    ...renderColumns(rows, { width, indent: 4 }),
    ...labelled('hint', 'one class may take less: `deploy-stand doctor -c lab.yml -u users.yml` names them', {
      width,
      indent: 4,
    }),
  ];
}

function renderReport(report: ConnectionReport, options: RenderOptions): string[] {
  const paint = createPaint(options.color);
  const { name, login, trust, hosts, rights, ssh, error } = report;
  const who = login === undefined ? '' : `  ${login.kind === 'token' ? 'token' : 'user'} ${login.id}`;
  const isRefused = hosts.some((host) => host.error?.code.startsWith('TLS_') === true);
  const how = trust === undefined ? '' : `  ${(isRefused ? DISTRUST : TRUST)[trust]}`;
  const validTo = hosts.map(({ certificate }) => certificate?.validTo ?? Infinity);
  const first = Math.min(...validTo);
  const date = Number.isFinite(first) ? `, valid until ${until(first)}` : '';
  return [
    ...paragraph(`${name}${who}${how}${how === '' || isRefused ? '' : date}`, {
      width: options.width,
      paint: paint.bold,
    }),
    ...renderColumns(
      hosts.map((host) => hostCells(host, paint)),
      { width: options.width, indent: 2 },
    ),
    ...hosts.flatMap((host) =>
      host.error === undefined ? [] : problemLines(host.host, host.error, options),
    ),
    ...(rights ? rightsLines(rights, options) : []),
    ...(ssh === undefined || ssh.nodes === 0
      ? []
      : paragraph(`load averages over SSH: of ${ssh.nodes} ${ssh.nodes === 1 ? 'node' : 'nodes'}`, {
          width: options.width,
          indent: 2,
        })),
    ...(error === undefined ? [] : problemLines('', error, options)),
  ];
}

/** Ends without a line break. */
export function renderTests(reports: readonly ConnectionReport[], options: RenderOptions): string {
  const failed = reports.filter(({ ok }) => !ok).length;
  const count = `${reports.length} ${reports.length === 1 ? 'connection' : 'connections'}`;
  const closing = failed === 0 ? `${count}: ok` : `${count}: ${failed} failed`;
  return [...reports.flatMap((report) => [...renderReport(report, options), '']), closing].join('\n');
}
