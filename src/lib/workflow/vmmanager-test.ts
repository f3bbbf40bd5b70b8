/** The story of `connections test` on VMmanager 6: logs in, and looks at clusters and nodes. Changes nothing. */
import type { Connection } from '../config/types.ts';
import type { ConnectionReport, HostReport } from '../connections-edit/types.ts';
import { readCertificate } from '../proxmox/certificate.ts';
import type { WriteWitness } from '../proxmox/types.ts';
import { readInstallation } from '../inventory/vmmanager-read.ts';
import { createVmmanagerClient } from '../vmmanager/client.ts';
import type { VmmanagerApi } from '../vmmanager/types.ts';
import { connectionProblem, trustOf, type TestTools } from './connection-report.ts';
import { withLoads } from './node-monitor.ts';

async function ask(
  vmmanager: VmmanagerApi,
  { clock, hard }: TestTools,
): Promise<Omit<HostReport, 'host' | 'certificate'>> {
  // The first request pays for handshake and login.
  const { rows: clusters } = await vmmanager.clusters(hard);
  const asked = clock.now();
  const { rows: nodes } = await vmmanager.nodes(hard);
  const latencyMs = Math.round(clock.now() - asked);
  const clockSkewSeconds = Math.round((vmmanager.serverTime().getTime() - clock.wallTime()) / 1000);
  return {
    ok: true,
    platform: 'vmmanager6',
    latencyMs,
    clockSkewSeconds,
    nodes: nodes.map(({ name, online }) => ({ name, online })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    cluster: clusters.map(({ name }) => name).join(', '),
  };
}

async function testHost(
  connection: Connection,
  witness: WriteWitness | undefined,
  tools: TestTools,
): Promise<HostReport> {
  const host = connection.hosts[0] ?? '';
  const { clock, onRequest } = tools;
  const vmmanager = createVmmanagerClient({ connection, clock, witness, onRequest, connect: tools.connect });
  let certificate: HostReport['certificate'];
  try {
    if (!tools.connect) {
      const { fingerprint, validTo } = await readCertificate(host, connection.tls.ca);
      certificate = { fingerprint, validTo };
    }
    return { host, ...(certificate ? { certificate } : {}), ...(await ask(vmmanager, tools)) };
  } catch (error) {
    tools.hard.throwIfAborted();
    return { host, ok: false, error: connectionProblem(error), ...(certificate ? { certificate } : {}) };
  } finally {
    vmmanager.close();
  }
}

/** As each round of `balance` asks its nodes, which goes on without an answer: here it is what was asked for. */
async function overSsh(
  connection: Connection,
  witness: WriteWitness | undefined,
  tools: TestTools,
): Promise<Pick<ConnectionReport, 'ssh' | 'error'>> {
  const { clock, hard, env = {}, onRequest, connect } = tools;
  if (!connection.ssh) return {};
  const vmmanager = createVmmanagerClient({ connection, clock, witness, onRequest, connect });
  try {
    const seen = await readInstallation(vmmanager, hard);
    const clusters = new Set(seen.nodes.map(({ cluster }) => cluster));
    const monitor = { settings: connection.ssh, env };
    const { nodes, gaps } = await withLoads(seen, clusters, { monitor, clock, signal: hard });
    const missing = gaps.slice(seen.gaps.length);
    const told = nodes.filter(({ loadAverage }) => loadAverage !== undefined).length;
    return {
      ssh: { nodes: told },
      ...(missing.length === 0
        ? {}
        : { error: { code: 'SSH_FAILED', message: `SSH does not work: ${missing.join('; ')}` } }),
    };
  } catch (error) {
    hard.throwIfAborted();
    return { error: connectionProblem(error) };
  } finally {
    vmmanager.close();
  }
}

export async function testVmmanager(
  connection: Connection,
  witness: WriteWitness | undefined,
  tools: TestTools,
): Promise<ConnectionReport> {
  const { name, auth, tls } = connection;
  const host = await testHost(connection, witness, tools);
  const ssh = host.ok ? await overSsh(connection, witness, tools) : {};
  return {
    ...{ name, ok: host.ok && ssh.error === undefined, hosts: [host], trust: trustOf(tls) },
    login: { kind: 'password', id: auth.kind === 'password' ? auth.user : '' },
    ...ssh,
  };
}
