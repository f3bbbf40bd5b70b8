/** What a lab says about checking the students' machines. Plain data. */

export interface CheckBase {
  readonly name: string;
  /** Of the lab. */
  readonly machine: string;
  readonly points: number;
  /** For somebody who did not pass. */
  readonly hint?: string;
}

/** How a command has to end. The texts are regular expressions. */
export interface Expected {
  readonly exit: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

export interface CommandCheck extends CheckBase {
  readonly kind: 'command';
  /** Program and arguments, as the guest gets them. */
  readonly argv: readonly string[];
  readonly timeoutSeconds: number;
  readonly expect: Expected;
}

export interface PowerCheck extends CheckBase {
  readonly kind: 'power';
  readonly power: 'running' | 'stopped';
}

export interface NicCheck extends CheckBase {
  readonly kind: 'nic';
  /** As the lab writes it. */
  readonly network: string;
  readonly connected: boolean;
}

export interface SnapshotCheck extends CheckBase {
  readonly kind: 'snapshot';
  readonly snapshot: string;
}

export type Check = CommandCheck | PowerCheck | NicCheck | SnapshotCheck;
