/** The daemons' worker processes: three per node and daemon, each doing one synchronous call at a time. */

const workersPerDaemon = 3;

/** Which worker does the call: what it has read once, it keeps for itself. */
interface Worker {
  readonly worker: number;
  readonly free: () => void;
}

interface Pool {
  next: number;
  readonly busy: Set<number>;
  readonly waiting: ((worker: number) => void)[];
}

export class WorkerPools {
  readonly #pools = new Map<string, Pool>();

  /** Waits for a free worker of the daemon on that node: the next in turn that has nothing to do. */
  async take(node: string, daemon: 'pveproxy' | 'pvedaemon'): Promise<Worker> {
    const key = `${node}/${daemon}`;
    const pool: Pool = this.#pools.get(key) ?? { next: 0, busy: new Set(), waiting: [] };
    this.#pools.set(key, pool);
    const worker = idleWorker(pool) ?? (await new Promise<number>((resolve) => pool.waiting.push(resolve)));
    pool.busy.add(worker);
    return {
      worker,
      free: () => {
        const next = pool.waiting.shift();
        if (next) next(worker);
        else pool.busy.delete(worker);
      },
    };
  }
}

function idleWorker(pool: Pool): number | undefined {
  for (let i = 0; i < workersPerDaemon; i += 1) {
    const worker = (pool.next + i) % workersPerDaemon;
    if (pool.busy.has(worker)) continue;
    pool.next = worker + 1;
    return worker;
  }
  return undefined;
}
