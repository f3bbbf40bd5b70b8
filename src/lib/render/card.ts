/** What a student is handed: login, password, machines. Plain data for the renderers; the only one with a password. */

export interface CardMachine {
  readonly lab: string;
  readonly name: string;
  readonly vmid: number;
  readonly node: string;
  /** Address of its console; works once logged in. */
  readonly console: string;
}

export interface Card {
  readonly userid: string;
  /** What goes into the field "User name". */
  readonly login: string;
  readonly realm: string;
  /** As the login page calls the realm. */
  readonly realmLabel: string;
  /** First and last name; may be empty. */
  readonly name: string;
  /** Undefined: the directory keeps it, and the student has it already. */
  readonly password: string | undefined;
  /** Last day of the account (`2027-01-31`), or moment of its end; absent: none. */
  readonly expires?: string;
  readonly email?: string;
  /** Where to log in. */
  readonly url: string;
  readonly pool: string;
  /** Snapshot to which the student may go back alone. */
  readonly wayBack?: string;
  readonly machines: readonly CardMachine[];
}
