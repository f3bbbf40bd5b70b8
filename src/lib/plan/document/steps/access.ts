/** Steps on rights. Payloads only; "Fail:" says what is left behind, and how it is mended. */

export interface AccessSteps {
  /** Fail: the student cannot reach the finished stand. Run again. */
  'acl.grant': {
    readonly path: string;
    readonly role: string;
    readonly userid: string;
    readonly propagate: boolean;
  };
  /** Fail: the student keeps the right until cleanup is run again. */
  'acl.revoke': { readonly path: string; readonly role: string; readonly userid: string };
}
