/**
 * How many steps may run at once, by the PVE locks they take. Knows sizes and counts; must not know the graph.
 * One key per lock: a step takes one place under each of its keys.
 */
import type { BusyLock } from '../proxmox/words.ts';
import type { Step } from '../plan/document/step.ts';
import { limitsOf } from '../plan/document/step-traits.ts';

interface Size {
  readonly start: number;
  readonly max: number;
  /** A step that takes this long tells that no more fit in. */
  readonly fullAfterMs?: number;
}

/**
 * A clone that takes this long has waited for its storage's lock nearly as long as PVE lets it: with one more beside it some
 * would be in vain, and be made again.
 */
const NEARLY_IN_VAIN_MS = 8000;

/**
 * `sync`: pvedaemon has three workers per node and handles a config PUT inside one of them.
 * `task`: PVE does not cap workers; this is what a busy host starts at once without starving its guests.
 * `snapshot`: taking one, and going back to one, waits for no lock but the machine's own, for a second or two; the guests that
 * boot after it would all do so within seconds in a narrower gate, too.
 * `storage`: whoever wants the lock gives up after 10 s, and a linked clone holds it for 1–2 s per disk. Four in
 * flight keep it busy without anyone waiting 10 s; a storage that holds it for half a second bears up to 16, found out by
 * how long clones take and, where that comes too late, by one that was in vain.
 * `destroy`: a removal takes user.cfg's lock inside its task, when the disks are gone already; if it does not get it
 * within 10 s, a rest stays that only root can remove. So this one must never find out its width by failing. The lock has no
 * queue: whoever wants it sleeps and looks again (pve-cluster Cluster.pm, `$cfs_lock`: each second, since 9.1.0 the oftener
 * the less of its 10 s is left), and it is held for about 0.15 s of the 1.3–3 s that a removal takes. The planner keeps all
 * other writes of user.cfg out of this time, and removal-pace.ts begins none while one is held up. `destroy-on`: those that
 * free disks of one shared storage, whose lock is had in the same way and held for longer; six at once left disks behind on
 * PVE 8. Nor is wider quicker, as those who sleep leave the lock free (60 × 5 on rbd, seconds with 3, 4, 6, 8 at once on 9.2:
 * 245, 271, 243, 271; with 2, 3, 4 on 8.4: 336, 249, 301). Eight on local disks take a tenth less time than six where a write
 * of user.cfg takes 0.15 s, and none less where it takes 0.45 s or more, as then that lock is never free. With 0.6 s (60 × 5 on
 * three nodes) eight left rests behind on 8.4, and waited for up to 9.3 of the 10 s on 9.2; six left none. For the same reason
 * rights go before all removals (100 × 5 on local disks): beside them, one after another, they left a rest on 8.4 with a write
 * of 0.15 s; one each 1.5 s gained 7 of 286 s, and left a rest with 0.45 s.
 * `copy`: whole disks are read, written or sent; three streams fill a disk or a link, more only take longer each.
 * `pool-clone`: a clone with `pool` takes the same lock at its very end, when its disks are there already; if it does
 * not get it within 10 s, all of the clone is taken back. So few at a time, and fewer still once one was taken back.
 * `migrate`: each fills a network link; how many at once is the caller's choice (`migrations`). `migrate-from` and
 * `migrate-to`: PVE itself moves one guest of a node at a time when it empties a node, and starting two on a target at
 * once is what a busy host bears.
 * `boot`: a guest that boots keeps its node's threads busy for a minute, and its task ends after seconds: so this width is
 * not found out by success but by how busy the node is, see `observe`. Begun with an eighth of its threads. PVE tells how busy
 * every 10 s, which is about as long as a boot takes: what was begun before a look shows after it. With 63 guests of two CPUs,
 * 12 s of boot each, on 64 threads: 29 s with a peak of 138 % of the threads; begun with a twelfth 20 s, but 156 %; widened in
 * proportion 31 s and 109 %; without a second narrowing in a row 27 s on 64, but longer on 32 threads. None is nearer to 18 s
 * and gentler.
 * `shutdown`: for each a worker of PVE waits for its guest and does nothing else; guests that ignore it must not hold up
 * the others.
 */
const SIZES: Readonly<Record<string, Size>> = {
  'user.cfg': { start: 1, max: 1 },
  network: { start: 1, max: 1 },
  sync: { start: 3, max: 3 },
  task: { start: 8, max: 16 },
  shutdown: { start: 16, max: 32 },
  snapshot: { start: 32, max: 32 },
  destroy: { start: 6, max: 6 },
  'destroy-on': { start: 3, max: 3 },
  'pool-clone': { start: 4, max: 4 },
  ha: { start: 1, max: 1 },
  migrate: { start: 1, max: 1 },
  'migrate-from': { start: 2, max: 2 },
  'migrate-to': { start: 2, max: 2 },
  storage: { start: 4, max: 16, fullAfterMs: NEARLY_IN_VAIN_MS },
  copy: { start: 3, max: 4 },
};

const OVERALL = 'overall';
/** Successes at full width after which a width that once timed out is tried again. */
const FORGIVE_AFTER = 64;

/** Share of a node's threads; from here on machines that start slow down those that run. */
const BUSY = 0.8;
const FEWEST_BOOTS = 2;

interface Gauge {
  /** By how its steps end. */
  readonly adapts: boolean;
  readonly max: number;
  readonly fullAfterMs: number;
  size: number;
  used: number;
  /** Highest width not known to time out. */
  ceiling: number;
  streak: number;
  /** Counts the halvings: several timeouts of one burst are one reason to halve. */
  epoch: number;
  /** Nobody enters before; milliseconds. Absent: time keeps nobody out, or it was told that it does not any more. */
  opensAt?: number;
}

function createGauge({ start, max, fullAfterMs = Infinity }: Size, adapts: boolean): Gauge {
  return { adapts, max, fullAfterMs, size: start, used: 0, ceiling: max, streak: 0, epoch: 0 };
}

const nodeOf = (key: string): string | undefined => (key.startsWith('boot:') ? key.slice(5) : undefined);

/** Threads of a node that nobody may see count as few. */
function bootSize(cpus = 0): Size {
  const max = Math.min(16, Math.max(FEWEST_BOOTS, Math.floor(cpus / 2)));
  return { start: Math.min(max, Math.max(FEWEST_BOOTS, Math.floor(cpus / 8))), max };
}

function grow(gauge: Gauge): void {
  gauge.streak += 1;
  if (gauge.size < gauge.ceiling) {
    if (gauge.streak < gauge.size) return;
    gauge.size += 1;
  } else {
    if (gauge.ceiling === gauge.max || gauge.streak < FORGIVE_AFTER) return;
    gauge.ceiling += 1;
  }
  gauge.streak = 0;
}

function shrink(gauge: Gauge): void {
  gauge.ceiling = Math.max(1, gauge.size - 1);
  gauge.size = Math.max(1, Math.floor(gauge.size / 2));
  gauge.streak = 0;
  gauge.epoch += 1;
}

/** The keys behind a lock: those of a storage, user.cfg's among removals and clones into pools, else the node's. */
function blamed(keys: readonly string[], busy: BusyLock): readonly string[] {
  const named = keys.filter((key) =>
    busy.of === 'user.cfg'
      ? key === 'destroy' || key === 'pool-clone'
      : busy.of === 'storage' && key.endsWith(`:${busy.storage}`),
  );
  return named.length > 0 ? named : keys.filter((key) => key.startsWith('task:'));
}

/** The places one running step takes. */
export interface Slot {
  /** PVE could not get a lock in time for this step. */
  timedOut(busy: BusyLock): void;
  /** `tookMs`: since it was entered. */
  leave(succeeded: boolean, tookMs?: number): void;
}

export interface Limits {
  keysOf(step: Step): readonly string[];
  hasRoom(keys: readonly string[]): boolean;
  /** Takes a place under every key; ask `hasRoom` before. */
  enter(keys: readonly string[]): Slot;
  /** Nodes on which as many machines start as may. */
  crowded(): readonly string[];
  /** Answers the keys under which there is room now. */
  observe(load: NodeLoad): readonly string[];
  /** When the first place opens that only time keeps closed, or has opened since `opened`; undefined: there is none. */
  nextOpening(): number | undefined;
  /** The keys that time has opened; each is answered once, however late one asks. */
  opened(): readonly string[];
}

/** How busy a node is. */
export interface NodeLoad {
  readonly node: string;
  /** Fraction of its threads. */
  readonly cpu: number;
  readonly cpus: number;
}

export interface LimitOptions {
  readonly concurrency?: number | undefined;
  readonly migrations?: number | undefined;
  readonly nodes?: readonly { readonly name: string; readonly cpus: number }[] | undefined;
  /** Between two starts on a node. */
  readonly stagger?: { readonly ms: number; readonly now: () => number } | undefined;
}

/** Additive increase while all goes well and quickly, halving when PVE says "got timeout", never under one. */
export function createLimits(options: LimitOptions = {}): Limits {
  const { concurrency, migrations, nodes = [], stagger } = options;
  const cpus = new Map(nodes.map((node) => [node.name, node.cpus]));
  const chosen: Readonly<Record<string, number | undefined>> = {
    [OVERALL]: concurrency,
    migrate: migrations,
  };
  const gauges = new Map<string, Gauge>();
  const gaugeOf = (key: string): Gauge => {
    const known = gauges.get(key);
    if (known) return known;
    const own = chosen[key];
    const node = nodeOf(key);
    const usual = node === undefined ? SIZES[key.split(':', 1)[0] ?? ''] : bootSize(cpus.get(node));
    const size = (own === undefined ? usual : { start: own, max: own }) ?? { start: 1, max: 1 };
    const gauge = createGauge(size, size.max > 1 && node === undefined);
    gauges.set(key, gauge);
    return gauge;
  };
  const hasPlace = ({ used, size, opensAt }: Gauge): boolean =>
    used < size && (!stagger || opensAt === undefined || opensAt <= stagger.now());
  return {
    keysOf: (step) => (concurrency === undefined ? limitsOf(step) : [OVERALL, ...limitsOf(step)]),
    hasRoom: (keys) => keys.every((key) => hasPlace(gaugeOf(key))),
    crowded: () => [...gauges].flatMap(([key, { used, size }]) => (used >= size ? (nodeOf(key) ?? []) : [])),
    observe: ({ node, cpu, cpus }) => {
      const key = `boot:${node}`;
      const gauge = gauges.get(key);
      if (!gauge) return [];
      const before = gauge.size;
      gauge.size =
        cpu < BUSY ? Math.min(bootSize(cpus).max, before * 2) : Math.max(1, Math.floor(before / 2));
      return gauge.size > before ? [key] : [];
    },
    nextOpening: () => {
      const times = [...gauges.values()].flatMap(({ opensAt }) => opensAt ?? []);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    opened: () => {
      const now = stagger?.now() ?? 0;
      const due = [...gauges].filter(([, { opensAt }]) => opensAt !== undefined && opensAt <= now);
      for (const [, gauge] of due) delete gauge.opensAt;
      return due.map(([key]) => key);
    },
    enter: (keys) => {
      const held = keys.map((key) => {
        const gauge = gaugeOf(key);
        gauge.used += 1;
        if (stagger && nodeOf(key) !== undefined) gauge.opensAt = stagger.now() + stagger.ms;
        return { key, gauge, epoch: gauge.epoch };
      });
      return {
        timedOut: (busy) => {
          const guilty = blamed(keys, busy);
          for (const place of held) {
            if (!place.gauge.adapts || !guilty.includes(place.key)) continue;
            // A place taken before the last halving only repeats what that halving has answered.
            if (place.epoch === place.gauge.epoch) shrink(place.gauge);
            place.epoch = place.gauge.epoch;
          }
        },
        leave: (succeeded, tookMs = 0) => {
          for (const { gauge } of held) {
            const isFull = tookMs >= gauge.fullAfterMs;
            if (succeeded && !isFull && gauge.adapts && gauge.used >= gauge.size) grow(gauge);
            gauge.used -= 1;
          }
        },
      };
    },
  };
}
