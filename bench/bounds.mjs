// What the simulator's locks and latencies allow at best: no run can be faster than each lock alone, nor than the chain of
// one stand. Nothing here knows how we schedule.
import { defaultLatency } from '../dist/lib/simulator/time/latency.js';

const MS = 1000;
/** A removal holds the storage's lock for this long per disk (simulator, `freeDisks`); the bench's machines have one. */
const FREE_DISK_S = 0.3;

const WIDTH = 6;
const WIDTH_SHARED = 3;

const countOf = (steps, ...kinds) => steps.filter(({ kind }) => kinds.includes(kind)).length;

/** Seconds on the busiest node; on a shared storage all are on one. */
function busiest(steps, kind, seconds, isShared) {
  const perLock = new Map();
  for (const step of steps.filter((one) => one.kind === kind)) {
    const lock = isShared ? '' : (step.target ?? step.node);
    perLock.set(lock, (perLock.get(lock) ?? 0) + seconds);
  }
  return Math.max(0, ...perLock.values());
}

function network(steps, kind) {
  return busiest(steps, kind, defaultLatency.network_write_ms / MS, false) + defaultLatency.network_reload_s;
}

const write = defaultLatency.user_cfg_write_ms / MS;

export function deployBound({ steps }, isShared) {
  const lane =
    write *
    countOf(steps, 'user.create', 'pool.create', 'pool.update', 'pool.join', 'acl.grant', 'template.join');
  const storage = busiest(steps, 'vm.clone', defaultLatency.storage_lock_s, isShared);
  const net = network(steps, 'bridge.create');
  const chain = 3 * write + defaultLatency.config_write_ms / MS + defaultLatency.linked_clone_s;
  return { lane, storage, network: net, bound: Math.max(lane, storage, net) + chain };
}

/**
 * `apart`: the same with the writes of user.cfg that are ours before and after the removals, as they are done: a removal
 * that does not get that lock within 10 s leaves a rest that only root can remove, so nothing of ours competes with it.
 * `ceiling`: with no more than three removals at once under the lock of one shared storage, or six in all, if nothing ever
 * waited for anything else: what the widths allow that keep disks from being left behind.
 */
export function cleanupBound({ steps }, isShared) {
  const removals = countOf(steps, 'vm.delete');
  const others = countOf(steps, 'acl.revoke', 'pool.delete', 'pool.release', 'user.delete');
  const lane = write * (removals + others);
  const storage = busiest(steps, 'vm.delete', FREE_DISK_S, isShared);
  const net = network(steps, 'bridge.delete');
  const chain = 3 * write + defaultLatency.destroy_s + FREE_DISK_S + defaultLatency.network_reload_s;
  const bound = Math.max(lane, storage, net) + chain;
  const parts =
    write * others +
    Math.max(write * removals, storage) +
    defaultLatency.destroy_s +
    defaultLatency.network_reload_s;
  const width = isShared ? WIDTH_SHARED : WIDTH;
  const one = defaultLatency.destroy_s + FREE_DISK_S + write;
  const ceiling = write * others + (removals * one) / width + defaultLatency.network_reload_s;
  return {
    lane,
    storage,
    network: net,
    bound,
    apart: Math.max(bound, parts),
    ceiling: Math.max(bound, ceiling),
  };
}
