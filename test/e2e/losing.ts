/** Which writes of a run get lost together, so that as few runs as possible lose each of them. */
import type { FaultTiming } from '../../src/lib/simulator/faults.ts';

/** So many writes lie between two that a run loses: each is retried and looked up for itself. */
const APART = 4;

/** `writes`: of an undisturbed run, in order, as `POST /pools`. Each is in one of the runs; no run loses two that are alike. */
export function dealOut(writes: readonly string[]): FaultTiming[][] {
  const runs: { readonly fault: FaultTiming; readonly write: string }[][] = [];
  const seen = new Map<string, number>();
  writes.forEach((write, at) => {
    const nth = (seen.get(write) ?? 0) + 1;
    seen.set(write, nth);
    let run = at % APART;
    while (runs[run]?.some((other) => other.write === write)) run += APART;
    while (runs.length <= run) runs.push([]);
    const [method = '', path = ''] = write.split(' ');
    runs[run]!.push({ write, fault: { match: { method, path }, nth } });
  });
  return runs.filter((run) => run.length > 0).map((run) => run.map(({ fault }) => fault));
}
