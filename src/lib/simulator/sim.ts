/** The parts of a running simulation that endpoint handlers work with. Must not know HTTP. */
import type { Contract } from './contract/parse-tables.ts';
import type { Latency } from './time/latency.ts';
import type { Locks, Release } from './tasks/locks.ts';
import type { Params } from './contract/params.ts';
import type { Rights } from './access/permissions.ts';
import { PveError, die, errorText } from './pve-error.ts';
import type { SimClock } from './time/sim-clock.ts';
import type { AgentState } from './state.ts';
import type { JobArgs, TaskManager } from './tasks/tasks.ts';
import type { VersionFacts } from './version.ts';
import type { World } from './world.ts';

export interface Sim {
  readonly world: World;
  readonly clock: SimClock;
  readonly locks: Locks;
  readonly tasks: TaskManager;
  readonly rights: Rights;
  readonly facts: VersionFacts;
  readonly contract: Contract;
  readonly latency: Latency;
  /** VMID → what the scenario says of this guest's agent. */
  readonly agents: ReadonlyMap<number, AgentState>;
}

/** One request on its way through a handler. */
export interface Call {
  readonly sim: Sim;
  /** `user@realm` or `user@realm!token`. */
  readonly user: string;
  /** The node that executes the call. */
  readonly node: string;
  /** Which of its daemon's workers does: 0, 1 or 2. */
  readonly worker: number;
  readonly params: Params;
  /** Further top-level members of the answer, such as `changes` and `total`. */
  readonly attributes: Record<string, unknown>;
  /** Starts a worker task owned by the caller on the executing node. */
  startTask(type: string, id: string, kind: string, args: JobArgs): string;
}

export type Handler = (call: Call) => unknown;
export type Handlers = Readonly<Record<string, Handler>>;

/** AccessControl.pm lock_user_config: everything inside turns into a plain 500 with the prefix. */
export async function lockUserConfig<T>(sim: Sim, prefix: string, work: () => T): Promise<T> {
  try {
    const release = await sim.locks.cfs('file-user_cfg');
    try {
      await sim.clock.sleep(sim.latency.user_cfg_write_ms);
      const result = work();
      sim.world.rewriteUserids();
      sim.world.userConfigChanged();
      return result;
    } finally {
      release();
    }
  } catch (error) {
    throw new PveError(500, `${prefix}: ${errorText(error)}`);
  }
}

/** Cluster.pm check_cfs_quorum: what some calls ask before they do anything. */
export function needQuorum(sim: Sim): void {
  if (!sim.world.quorate) die('cluster not ready - no quorum?');
}

/** Writing a guest's configuration; without quorum its file cannot even be opened. */
export function needWritable(sim: Sim, node: string, vmid: number): void {
  if (sim.world.quorate) return;
  const file = `/etc/pve/nodes/${node}/qemu-server/${vmid}.conf.tmp.${sim.world.nextPid}`;
  die(`unable to open file '${file}' - Permission denied`);
}

/** Storage.pm cluster_lock_storage: one lock for shared storages, one per node for the others; 10 s to get it. */
export function lockStorage(sim: Sim, node: string, storage: string): Promise<Release> {
  if (sim.world.storages.get(storage)?.shared === true) return sim.locks.cfs(`storage-${storage}`);
  return sim.locks.flock(node, `/var/lock/pve-manager/pve-storage-${storage}`, 'exclusive', 10_000);
}

/** AbstractConfig.pm lock_config_mode. */
export function lockGuest(
  sim: Sim,
  node: string,
  vmid: number,
  mode: 'shared' | 'exclusive',
  timeoutMs: number,
): Promise<Release> {
  return sim.locks.flock(node, `/var/lock/qemu-server/lock-${vmid}.conf`, mode, timeoutMs);
}

export async function withLock<T>(acquire: Promise<Release>, work: () => Promise<T>): Promise<T> {
  const release = await acquire;
  try {
    return await work();
  } finally {
    release();
  }
}
