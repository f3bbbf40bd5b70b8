// What the simulator's locks and latencies allow at best: no run can be faster than each lock alone, nor than the chain of
// one stand. Nothing here knows how we schedule.
import { defaultLatency } from '../dist/lib/simulator/time/latency.js';
import { bestSeconds } from './polled-locks.mjs';

const MS = 1000;
/** A removal holds the storage's lock for this long per disk (simulator, `freeDisks`); the bench's machines have one. */
const FREE_DISK_S = 0.3;

/** Clones at once: with more, the lock is free for shorter, but more of them give up and are done again. */
const CLONES_AT_ONCE = [4, 5, 6, 7];
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
 * waited for anything else: what the widths allow that keep disks from being left behind. Neither counts that who waits for
 * one of PVE's cluster locks sleeps while it is free: who comes at the right moment does not, so a bound cannot.
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

/** pvedaemon's workers on a node, each with one call at a time. */
const API_WORKERS = 3;
/** Of each machine its configuration, its snapshots, what is in the one, and its state; then the call itself. */
const CALLS_OF_ROLLBACK = 5;
/** What is in the snapshot is read once more before the call: its student may have taken another one under that name since. */
const SAFE_CALLS_OF_ROLLBACK = CALLS_OF_ROLLBACK + 1;

/**
 * A rollback waits for no lock but its machine's own: all of a class could run at once. What is left is the time of one, and
 * that of the calls of the fullest node. `safe`: with the one that nobody who is careful leaves out.
 */
export function rollbackBound({ steps }) {
  const call = busiest(steps, 'vm.rollback', defaultLatency.request_ms / MS / API_WORKERS, false);
  const { rollback_s } = defaultLatency;
  return { bound: CALLS_OF_ROLLBACK * call + rollback_s, safe: SAFE_CALLS_OF_ROLLBACK * call + rollback_s };
}

/**
 * `bound`: the shared storage's lock is held for each removed disk and, for longer, for each clone, user.cfg's for each removal
 * and each other write; no machine is faster than its own chain. `apart`: with the removals between the claims and the clones,
 * and `ceiling`: with no more than three of them at once, both for the reasons of `cleanupBound`. `polled`: the same with the
 * locks as PVE has them, which nobody is told of when they become free (polled-locks.mjs).
 */
export async function recloneBound({ steps }) {
  const removals = countOf(steps, 'vm.delete');
  const clones = countOf(steps, 'vm.clone') * defaultLatency.storage_lock_s;
  const before = countOf(steps, 'pool.update') * write;
  const after = countOf(steps, 'pool.join', 'acl.grant') * write;
  const freed = removals * FREE_DISK_S;
  const config = defaultLatency.config_write_ms / MS;
  const first = countOf(steps, 'vm.stop') > 0 ? defaultLatency.stop_s : 0;
  const removal = defaultLatency.destroy_s + FREE_DISK_S + write;
  const last =
    defaultLatency.linked_clone_s -
    defaultLatency.storage_lock_s +
    config +
    (countOf(steps, 'vm.snapshot') > 0 ? defaultLatency.snapshot_s : 0) +
    write +
    (countOf(steps, 'vm.start') > 0 ? defaultLatency.start_s : 0);
  const lane = before + removals * write + after;
  const ofOne = first + write + removal + defaultLatency.storage_lock_s + last;
  const bound = Math.max(ofOne, Math.max(lane, freed + clones) + last);
  const making = Math.max(clones, after) + last;
  const apart = first + before + Math.max(removals * write, freed, removal) + making;
  const inThrees = first + before + Math.max((removals * removal) / WIDTH_SHARED, removal) + making;
  const ceiling = Math.max(bound, apart, inThrees);
  const removing = await bestSeconds(
    removals,
    [WIDTH_SHARED],
    [
      { seconds: defaultLatency.destroy_s },
      { seconds: FREE_DISK_S, lock: 'storage' },
      { seconds: write, lock: 'user.cfg' },
    ],
  );
  const cloning = await bestSeconds(countOf(steps, 'vm.clone'), CLONES_AT_ONCE, [
    { seconds: defaultLatency.storage_lock_s, lock: 'storage' },
    { seconds: defaultLatency.linked_clone_s - defaultLatency.storage_lock_s },
  ]);
  const afterClone = last - (defaultLatency.linked_clone_s - defaultLatency.storage_lock_s);
  const polled = first + before + removing + cloning + afterClone;
  return { bound, apart: Math.max(bound, apart), ceiling, polled: Math.max(ceiling, polled) };
}
