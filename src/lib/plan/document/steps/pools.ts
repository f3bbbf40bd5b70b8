/** Steps on pools: claims are made and given up here. Payloads only; "Fail:" says what is left behind, and how it is mended. */

export interface PoolSteps {
  /** With the claim, whose seals are drawn while it is written. Fail: no pool. Run again. */
  'pool.create': { readonly pool: string; readonly comment: string };
  /** Writes a claim, whose seals are drawn while it is written. Fail: nothing was written. Run again. */
  'pool.update': {
    readonly pool: string;
    readonly comment: string;
    /** VMs that leave the pool in the same write, since they are made anew; from then on they are known by their seals. */
    readonly leave?: readonly number[];
    /** What was there before us and becomes ours, as the planner saw it: with another comment or other members nothing is written. */
    readonly takeOver?: { readonly comment: string; readonly vmids: readonly number[] };
  };
  /**
   * The machines that were made become members, and the claim says so: one PUT for the whole stand. `madeBy`: the step
   * after which a machine is ready; without it, or where that step failed, it stays reserved. Fail: run again.
   */
  'pool.join': {
    readonly pool: string;
    readonly lab: string;
    readonly machines: readonly {
      readonly machine: string;
      readonly vmid: number;
      readonly madeBy?: string;
    }[];
  };
  /** Takes a lab's line out of the pool's comment and its VMIDs out of the pool. Fail: the claim stays. */
  'pool.release': {
    readonly pool: string;
    readonly comment: string;
    readonly removeVmids: readonly number[];
  };
  /** Machines that are gone are no part of the stand any more: out of the claim, which keeps its others. Fail: they stay claimed. Run again. */
  'pool.leave': {
    readonly pool: string;
    readonly lab: string;
    readonly machines: readonly { readonly machine: string; readonly vmid: number }[];
  };
  /** Fail: an empty, marked pool stays. Run cleanup again. */
  'pool.delete': { readonly pool: string; readonly comment: string };
}
