/** The daemons' worker processes: three per node and daemon, each doing one synchronous call at a time. */

const workersPerDaemon = 3;

interface Pool {
  busy: number;
  readonly waiting: (() => void)[];
}

export class WorkerPools {
  readonly #pools = new Map<string, Pool>();

  /** Waits for a free worker of the daemon on that node; the result frees it. */
  async take(node: string, daemon: 'pveproxy' | 'pvedaemon'): Promise<() => void> {
    const key = `${node}/${daemon}`;
    const pool: Pool = this.#pools.get(key) ?? { busy: 0, waiting: [] };
    this.#pools.set(key, pool);
    if (pool.busy < workersPerDaemon) pool.busy += 1;
    else await new Promise<void>((resolve) => pool.waiting.push(resolve));
    return () => {
      const next = pool.waiting.shift();
      if (next) next();
      else pool.busy -= 1;
    };
  }
}
