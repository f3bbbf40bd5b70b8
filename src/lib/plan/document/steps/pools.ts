/** Steps on pools: claims are made and given up here. Payloads only; "Fail:" says what is left behind, and how it is mended. */

export interface PoolSteps {
  /** Fail: no pool. Run again. */
  'pool.create': { readonly pool: string; readonly comment: string };
  /**
   * Claims VMIDs: one PUT with the new comment and the new members. Fail with VMID_TAKEN: somebody has one of the
   * ids; nothing was written and the stand is planned again.
   */
  'pool.update': {
    readonly pool: string;
    readonly comment: string;
    readonly addVmids: readonly number[];
    /** What was there before us and becomes ours, as the planner saw it: with another comment or other members nothing is written. */
    readonly takeOver?: { readonly comment: string; readonly vmids: readonly number[] };
  };
  /** Takes a lab's line out of the pool's comment and its VMIDs out of the pool. Fail: the claim stays. */
  'pool.release': {
    readonly pool: string;
    readonly comment: string;
    readonly removeVmids: readonly number[];
  };
  /** Fail: an empty, marked pool stays. Run cleanup again. */
  'pool.delete': { readonly pool: string; readonly comment: string };
}
