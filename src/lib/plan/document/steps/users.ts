/** Steps on accounts. Payloads only; "Fail:" says what is left behind, and how it is mended. */

/** What a user is made with. */
export interface NewAccount {
  readonly userid: string;
  readonly comment: string;
  readonly groups: readonly string[];
  readonly email?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly expire?: number;
}

export interface KeptAcl {
  readonly path: string;
  readonly role: string;
  readonly propagate: boolean;
  /** On a single machine: the pool that it was in, null for none. By that it is known again under its number. */
  readonly pool?: string | null;
}

/** What is lost with a user, and given back to it. */
export interface KeptAccount extends Omit<NewAccount, 'userid'> {
  readonly enable: boolean;
  readonly acls: readonly KeptAcl[];
}

export interface UserSteps {
  /** Fail: no user. Run again. The password waits in the credentials file as `pending`. */
  'user.create': NewAccount & {
    /** `directory`: the realm keeps passwords itself. */
    readonly password: 'generate' | 'directory';
  };
  /**
   * Changes what is named, on a user with our mark. `expire` is 0 for never, `groups` the complete set. Fail: the user
   * is as before. Run again.
   */
  'user.update': {
    readonly userid: string;
    /** The comment that the planner saw; with another one the user is left alone. */
    readonly comment: string;
    readonly newComment?: string;
    readonly groups?: readonly string[];
    readonly email?: string;
    readonly firstName?: string;
    readonly lastName?: string;
    readonly expire?: number;
    readonly enable?: boolean;
  };
  /**
   * Sets a new password; takes a login by password, PVE lets no token do it. Fail: the file holds both the former and
   * the new password, of which one is valid. Run again: the new one is set.
   */
  'user.password': { readonly userid: string; readonly comment: string };
  /**
   * Removes a user of ours and creates it anew with a new password and the rights it had: one step, so that a stop
   * never comes between. Tokens and second factors of the user are lost, and rights on machines that are gone. Fail: no user, or one without its rights. Run
   * again: password, details and rights wait in the credentials file.
   */
  'user.recreate': KeptAccount & { readonly userid: string };
  /** Only a user with our mark. Fail: the user stays. Run cleanup again. */
  'user.delete': { readonly userid: string; readonly comment: string };
}
