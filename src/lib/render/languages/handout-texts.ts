/** What students are told, once per language. A language is one file that has all of these; the compiler finds what is missing. */

export interface HandoutTexts {
  /** Title of a page of cards for no lab in particular. */
  readonly accounts: string;
  readonly user: string;
  readonly name: string;
  readonly address: string;
  readonly realm: string;
  readonly userName: string;
  readonly password: string;
  /** In place of a password that a directory keeps. */
  readonly schoolLogin: string;
  readonly pool: string;
  readonly until: string;
  /** `2027-01-31`: all of that day. */
  readonly lastDay: (day: string) => string;
  readonly machine: string;
  readonly machines: string;
  readonly vmid: string;
  readonly node: string;
  readonly lab: string;
  readonly console: string;
  readonly consoles: string;
  readonly openConsole: string;
  /** What to do first, in one paragraph. */
  readonly first: string;
  /** How to go back alone to the state in which the machines were handed out. */
  readonly wayBack: (snapshot: string) => string;
  /** Of a mail; empty: no lab in particular. */
  readonly subject: (lab: string) => string;
  /** Empty: the name is not known. */
  readonly greeting: (name: string) => string;
  readonly intro: (lab: string) => string;
}
