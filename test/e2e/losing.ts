/** Which writes of a run get lost together, so that as few runs as possible lose each of them. */
import type { FaultTiming } from '../../src/lib/simulator/faults.ts';

type Lost = 'drop-before' | 'drop-after';
type Loss = FaultTiming & { readonly action: Lost };

/** So many writes lie between two that a run loses in the same way: each is retried and looked up for itself. */
const APART = 4;

/**
 * `writes`: of an undisturbed run, in order, as `POST /pools`. Each is lost in each of these ways, in one of the runs
 * each; no run loses two that are alike. Those that are lost in another way lie in between.
 */
export function dealOut(writes: readonly string[], ways: readonly Lost[]): Loss[][] {
  const runs: { readonly fault: Loss; readonly write: string }[][] = [];
  ways.forEach((action, way) => {
    const seen = new Map<string, number>();
    writes.forEach((write, at) => {
      const nth = (seen.get(write) ?? 0) + 1;
      seen.set(write, nth);
      let run = (at + Math.floor((way * APART) / ways.length)) % APART;
      while (runs[run]?.some((other) => other.write === write)) run += APART;
      while (runs.length <= run) runs.push([]);
      const [method = '', path = ''] = write.split(' ');
      runs[run]!.push({ write, fault: { match: { method, path }, nth, action } });
    });
  });
  return runs.filter((run) => run.length > 0).map((run) => run.map(({ fault }) => fault));
}
