/** How a round of balance asks VMmanager's nodes over SSH: the login is read for it, and the gap is told where there is none. */
import type { Clock } from '../clock.ts';
import type { SshSettings } from '../config/types.ts';
import { readLoads } from '../inventory/vmmanager-loads.ts';
import type { VmmanagerInventory } from '../inventory/vmmanager-types.ts';

export interface NodeMonitor {
  readonly settings: SshSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const INSTEAD = 'nodes are judged by configured memory and virtual CPUs';

/** Trouble of any kind is a gap, never the end of the round. */
export async function withLoads(
  have: VmmanagerInventory,
  clusters: ReadonlySet<number>,
  {
    monitor,
    clock,
    signal,
  }: { readonly monitor: NodeMonitor | undefined; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<VmmanagerInventory> {
  const without = (why: string): VmmanagerInventory => ({
    ...have,
    gaps: [...have.gaps, `load averages are not read${why}: ${INSTEAD}`],
  });
  if (!monitor) return without('');
  // Only who asks for it pays for loading it.
  const [{ readLogin }, { runOverSsh }] = await Promise.all([
    import('../ssh/login.ts'),
    import('../ssh/run-command.ts'),
  ]);
  const { user, timeout: seconds, hosts, ...source } = monitor.settings;
  const read = readLogin({ ...source, env: monitor.env });
  if ('problem' in read) return without(` over SSH (${read.problem})`);
  const { login, knownHosts, knownHostsFile } = read;
  return readLoads(have, clusters, {
    ...{ hosts, knownHostsFile },
    ...(user === undefined ? {} : { user }),
    ask: (at, command) => runOverSsh(at, command, { login, knownHosts, clock, seconds, signal }),
  });
}
