/** Steps on rights. Payloads only; "Fail:" says what is left behind, and how it is mended. */

export interface AccessSteps {
  /**
   * Never changes a role that is there, and no command removes it. Fail: no role, and no student gets one. Run again, or
   * let an administrator make it.
   */
  'role.create': { readonly role: string; readonly privileges: readonly string[] };
  /** Fail: the student cannot reach the finished stand. Run again. Refused where the stand was frozen meanwhile. */
  'acl.grant': {
    readonly path: string;
    readonly role: string;
    readonly userid: string;
    readonly propagate: boolean;
    /** Of a right on a VM: the pool whose claim makes it ours. */
    readonly pool?: string;
    /** By a thaw: the claim says frozen until all of it is given back. */
    readonly thaws?: true;
  };
  /** Fail: the student keeps the right until cleanup is run again. */
  'acl.revoke': {
    readonly path: string;
    readonly role: string;
    readonly userid: string;
    readonly pool?: string;
  };
}
