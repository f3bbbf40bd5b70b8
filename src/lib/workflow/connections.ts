/** The story of `connections test` on Proxmox VE: asks every host of a connection who it is. Changes nothing. */
import type { Connection } from '../config/types.ts';
import type { ConnectionReport, HostReport, Problem } from '../connections-edit/types.ts';
import { ConnectionError } from '../errors.ts';
import { sortedUnique } from '../order.ts';
import { shellCommand } from '../shell.ts';
import { unlessForbidden } from '../inventory/forbidden.ts';
import { readCertificate } from '../proxmox/certificate.ts';
import { createPveClient, type PveClient } from '../proxmox/client.ts';
import { connectionProblem, trustOf, type TestTools } from './connection-report.ts';
import { testVmmanager } from './vmmanager-test.ts';
import { AuthError } from '../proxmox/errors.ts';
import { rightsOverview, type RightsOverview } from '../privileges/overview.ts';
import type { ClusterStatus, WriteWitness } from '../proxmox/types.ts';

/** What is to be tested, and who takes down the logins. */
export interface Loaded {
  readonly connection: Connection;
  readonly witness?: WriteWitness;
}

/** PVE's role for the students, unless a lab names another. */
const ROLE = 'PVEVMAdmin';

/** Without Sys.Audit on / nobody is told of the quorum; the nodes are told to everybody. */
async function statusOf(
  pve: PveClient,
  hard: AbortSignal,
): Promise<ClusterStatus & { readonly isHidden?: true }> {
  try {
    return await pve.clusterStatus(hard);
  } catch (error) {
    if (!(error instanceof AuthError) || error.status !== 403) throw error;
    const rows = await pve.resources(hard);
    const nodes = rows.flatMap(({ type, node, status }) =>
      type === 'node' && node !== undefined ? [{ name: node, online: status === 'online' }] : [],
    );
    return { nodes, isHidden: true };
  }
}

async function ask(
  pve: PveClient,
  { clock, hard }: TestTools,
): Promise<Omit<HostReport, 'host' | 'certificate'>> {
  // The first request pays for handshake and login.
  const { version } = await pve.version(hard);
  const asked = clock.now();
  await pve.version(hard);
  const answered = clock.now();
  const clockSkewSeconds = Math.round((pve.serverTime().getTime() - clock.wallTime()) / 1000);
  const { cluster, nodes, isHidden } = await statusOf(pve, hard);
  const quorum = isHidden ? 'unknown' : cluster === undefined ? 'single' : cluster.quorate ? 'yes' : 'no';
  return {
    ok: quorum !== 'no',
    platform: 'pve',
    version,
    latencyMs: Math.round(answered - asked),
    clockSkewSeconds,
    nodes: [...nodes].sort((a, b) => (a.name < b.name ? -1 : 1)),
    quorum,
    ...(cluster === undefined ? {} : { cluster: cluster.name }),
    ...(quorum === 'no'
      ? {
          error: {
            code: 'NO_QUORUM',
            message: 'the cluster has no quorum: PVE refuses every change',
            hint: 'see to the nodes that are offline',
          },
        }
      : {}),
  };
}

function clientFor(
  { connection, witness }: Loaded,
  host: string,
  { clock, onRequest }: TestTools,
): PveClient {
  return createPveClient({
    connection: { ...connection, hosts: [host] },
    clock,
    witness,
    ...(onRequest === undefined ? {} : { onRequest }),
  });
}

async function testHost(loaded: Loaded, host: string, tools: TestTools): Promise<HostReport> {
  const pve = clientFor(loaded, host, tools);
  let certificate: HostReport['certificate'];
  try {
    const { fingerprint, validTo } = await readCertificate(host, loaded.connection.tls.ca);
    certificate = { fingerprint, validTo };
    return { host, certificate, ...(await ask(pve, tools)) };
  } catch (error) {
    tools.hard.throwIfAborted();
    return { host, ok: false, error: connectionProblem(error), ...(certificate ? { certificate } : {}) };
  } finally {
    pve.close();
  }
}

/** The same on all hosts of a cluster, so one of them is asked. */
async function rightsOn(loaded: Loaded, { host }: HostReport, tools: TestTools): Promise<RightsOverview> {
  const pve = clientFor(loaded, host, tools);
  try {
    const [{ release }, rights, roles] = await Promise.all([
      pve.version(tools.hard),
      pve.permissions(tools.hard),
      unlessForbidden(pve.roles(tools.hard), [], () => undefined),
    ]);
    const role = roles.find((one) => one.role === ROLE)?.privileges ?? [];
    return rightsOverview({ rights, version: release, role });
  } finally {
    pve.close();
  }
}

/** Hosts that name different clusters are no connection: the second would be changed in place of the first. */
function mixedClusters(hosts: readonly HostReport[]): Problem | undefined {
  const seen = hosts.flatMap(({ host, cluster, nodes }) =>
    nodes === undefined ? [] : [{ host, cluster: cluster ?? nodes.map(({ name }) => name).join('+') }],
  );
  const [first] = seen;
  const other = seen.find(({ cluster }) => cluster !== first?.cluster);
  if (!first || !other) return undefined;
  return {
    code: 'MIXED_CLUSTERS',
    message: `${first.host} belongs to cluster ${first.cluster}, ${other.host} to ${other.cluster}`,
    hint: 'make two connections of it',
  };
}

/** `load` may throw what is wrong with the configuration of this connection. */
export async function testConnection(
  name: string,
  load: () => Promise<Loaded>,
  tools: TestTools,
): Promise<ConnectionReport> {
  let loaded: Loaded;
  try {
    loaded = await load();
  } catch (error) {
    return { name, ok: false, hosts: [], error: connectionProblem(error) };
  }
  const { connection } = loaded;
  switch (connection.platform) {
    case 'pve':
      return testPve(loaded, tools);
    case 'vmmanager6':
      return testVmmanager(loaded.connection, loaded.witness, tools);
  }
}

async function testPve(loaded: Loaded, tools: TestTools): Promise<ConnectionReport> {
  const { connection } = loaded;
  const hosts = await Promise.all(connection.hosts.map((host) => testHost(loaded, host, tools)));
  let error = mixedClusters(hosts);
  let rights: RightsOverview | undefined;
  const reached = hosts.find(({ ok }) => ok);
  try {
    if (reached) rights = await rightsOn(loaded, reached, tools);
  } catch (thrown) {
    tools.hard.throwIfAborted();
    error ??= connectionProblem(thrown);
  }
  const { auth, tls } = connection;
  return {
    name: connection.name,
    ok: error === undefined && hosts.every(({ ok }) => ok),
    login: { kind: auth.kind, id: auth.kind === 'token' ? auth.tokenId : auth.user },
    trust: trustOf(tls),
    hosts,
    ...(rights ? { rights } : {}),
    ...(error === undefined ? {} : { error }),
  };
}

/** What `readCertificate` says of each host, in their order; throws when one cannot be reached. */
export async function readCertificates(hosts: readonly string[], ca?: string) {
  return Promise.all(hosts.map((host) => readCertificate(host, ca)));
}

/**
 * Throws when a host shows another certificate than one of those that were compared, or known before. `name`: how the
 * connection is called that all of them can be stored in.
 */
export function assertSeen(
  certificates: readonly { readonly host: string; readonly fingerprint: string }[],
  wanted: readonly string[],
  { known = [], name }: { readonly known?: readonly string[]; readonly name?: string } = {},
): void {
  const isFirst = ({ fingerprint }: { readonly fingerprint: string }): boolean =>
    wanted.includes(fingerprint);
  const isSome = certificates.some(isFirst);
  const other = certificates.find((one) => !isFirst(one) && !(isSome && known.includes(one.fingerprint)));
  if (!other) return;
  const all = sortedUnique(certificates.map(({ fingerprint }) => fingerprint)).join(',');
  const way =
    isSome && name !== undefined
      ? `each node has one of its own. If this one is the same, too: ${shellCommand('deploy-stand', 'connections', 'trust', name, all)}`
      : 'compare with System > Certificates of the node';
  throw new ConnectionError(
    'TLS_FINGERPRINT',
    `the certificate of ${other.host} has SHA-256 fingerprint ${other.fingerprint}, expected ${wanted.join(' or ')}`,
    { hint: `nothing was sent and nothing was stored; ${way}` },
  );
}
