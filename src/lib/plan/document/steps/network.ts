/** Steps on the bridges of nodes. Payloads only; "Fail:" says what is left behind, and how it is mended. */

export interface NetworkSteps {
  /** Staged only; `network.reload` puts it into force. Fail with BRIDGE_TAKEN: planned again under another number. */
  'bridge.create': {
    readonly node: string;
    readonly bridge: string;
    readonly vlanAware: boolean;
    readonly comment: string;
    /** VMIDs of the stand. Named by any other guest of the node, the number is taken. Absent: whoever names it. */
    readonly own?: readonly number[];
  };
  /**
   * Makes a bridge VLAN-aware, or ours by writing our mark into an empty comment, or both. Staged only. Fail: unchanged.
   * Run again.
   */
  'bridge.update': {
    readonly node: string;
    readonly bridge: string;
    /** Absent: stays as it is. */
    readonly vlanAware?: true;
    /** The comment that the planner saw; with another one the bridge is left alone. */
    readonly comment: string;
    /** Absent: the comment stays. */
    readonly newComment?: string;
  };
  /** Fail: staged bridges are not up; the next run notices (`active` missing) and applies again. */
  'network.reload': {
    readonly node: string;
    /** Must be up afterwards. */
    readonly bridges: readonly string[];
    /** Must be gone afterwards; absent: none. */
    readonly gone?: readonly string[];
  };
  /** Staged only. Fail: the bridge stays, marked; the next cleanup removes it. */
  'bridge.delete': { readonly node: string; readonly bridge: string; readonly comment: string };
}
