/** Writes what status sees in Prometheus' text format, for node-exporter's textfile collector. Judges nothing. */
import { beginsLike } from '../files/open.ts';
import { replaceFile } from '../files/replace.ts';
import type { StandStatus, StatusReport } from '../plan/views/status-types.ts';
import { endOfDay } from '../pve-values/expire.ts';

const READABLE = 0o644;

function stateOf({ machines, running }: StandStatus): 'running' | 'partly' | 'stopped' | 'incomplete' {
  const isWhole = machines.every(({ verdict }) => verdict === 'ours');
  if (!isWhole || machines.length === 0) return 'incomplete';
  if (running === machines.length) return 'running';
  return running === 0 ? 'stopped' : 'partly';
}

const STATES = ['running', 'partly', 'stopped', 'incomplete'] as const;

/** prom-client is loaded here alone: who writes no metrics need not wait for it. */
export async function formatStatusMetrics(
  { labs, problems, nodes, now }: StatusReport,
  connection: string,
): Promise<string> {
  const { Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  // The collector reads the files of several clusters as one.
  registry.setDefaultLabels({ connection });
  const gauge = (name: string, help: string, ...labelNames: string[]) =>
    new Gauge({ name: `deploy_stand_status_${name}`, help, labelNames, registers: [registry] });
  gauge('timestamp_seconds', 'When the cluster was looked at.').set(Date.parse(now) / 1000);
  const stands = gauge('stands', 'Stands by state.', 'lab', 'state');
  const frozen = gauge('stands_frozen', 'Stands of which the access is frozen.', 'lab');
  const machines = gauge('machines', 'Machines claimed.', 'lab');
  const running = gauge('machines_running', 'Machines that run.', 'lab');
  const expiry = gauge('expiry_timestamp_seconds', 'When the first stand of the lab expires.', 'lab');
  for (const { lab, stands: list } of labs) {
    for (const state of STATES)
      stands.set({ lab, state }, list.filter((stand) => stateOf(stand) === state).length);
    frozen.set({ lab }, list.filter(({ access }) => access === 'frozen').length);
    machines.set(
      { lab },
      list.reduce((sum, stand) => sum + stand.machines.length, 0),
    );
    running.set(
      { lab },
      list.reduce((sum, stand) => sum + stand.running, 0),
    );
    const ends = list.flatMap(({ expires }) => (expires === null ? [] : [endOfDay(expires)]));
    if (ends.length > 0) expiry.set({ lab }, Math.min(...ends));
  }
  const kinds = gauge('problems', 'Problems by kind.', 'kind');
  for (const { kind } of problems) kinds.inc({ kind });
  gauge('problems_total', 'Problems of all kinds.').set(problems.length);
  const memory = gauge('node_memory_free_bytes', 'Memory that a node has left.', 'node');
  const cpu = gauge('node_cpu_free_cores', 'Threads that a node has left.', 'node');
  for (const { node, online, cpus, cpu: load, memoryTotal, memoryUsed } of nodes) {
    memory.set({ node }, online ? memoryTotal - memoryUsed : 0);
    cpu.set({ node }, online ? cpus * (1 - load) : 0);
  }
  return registry.metrics();
}

/** Figures of ours, and of nobody else: the collector takes other programs' from other files. */
export const isStatusMetrics = beginsLike('# HELP deploy_stand_status_');

/** Whoever reads the file meanwhile sees the old figures or the new ones, never half of them. Throws FileProblem. */
export async function writeStatusMetrics(
  file: string,
  report: StatusReport,
  connection: string,
): Promise<void> {
  const text = await formatStatusMetrics(report, connection);
  await replaceFile(file, text, { mode: READABLE, isOurs: isStatusMetrics });
}
