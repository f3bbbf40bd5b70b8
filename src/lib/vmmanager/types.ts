/** VMmanager 6 as its client sees it: rows that were read and checked. Types only. */

export interface VmmanagerCluster {
  readonly id: number;
  readonly name: string;
}

/** A host of virtual machines. */
export interface VmmanagerNode {
  readonly id: number;
  readonly name: string;
  readonly cluster: number;
  readonly online: boolean;
  readonly maintenance: boolean;
  /** No new guests. */
  readonly creationBlocked: boolean;
  /** Threads; absent: not told. */
  readonly cpus?: number;
  /** Bytes; absent: not told. */
  readonly memoryTotal?: number;
  /** Bytes that guests are configured with; absent: not told. */
  readonly memoryAllocated?: number;
  /** Most guests; absent: no limit. */
  readonly maxGuests?: number;
  readonly qemuVersion?: string;
  /** Where SSH reaches it; each absent: not told. */
  readonly address?: string;
  readonly sshPort?: number;
  readonly sshUser?: string;
}

/** A virtual machine; VMmanager calls it a host. */
export interface VmmanagerGuest {
  readonly id: number;
  readonly name: string;
  /** Of its node. */
  readonly node: number;
  readonly cluster: number;
  /** `active` runs; absent: not told. */
  readonly state?: string;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly hasIso: boolean;
  readonly snapshots: number;
  /** Absent: this version has no such field. */
  readonly balancer?: 'on' | 'off';
  readonly isDisabled: boolean;
  readonly isRescue: boolean;
  /** Lower case. */
  readonly tags: readonly string[];
}

export type MigrationState = 'running' | 'ok' | 'failed';

/** A row of a guest's history that is about a migration. */
export interface MigrationRow {
  readonly id: number;
  readonly state: MigrationState;
  /** As it is written, in the installation's own time. */
  readonly created: string;
  /** The task that it is. */
  readonly task?: number;
}

/** What VMmanager itself says of a node as a target of one guest. */
export interface TargetWord {
  readonly node: number;
  readonly suitable: boolean;
}

export interface TaskWord {
  readonly state: MigrationState;
  /** Its last words, when it failed. */
  readonly words?: string;
}

/** A row that cannot be read, by what is legible of it. */
export interface UnreadRow {
  readonly id?: number;
  readonly name?: string;
  /** Of a guest: the number of its node. */
  readonly node?: number;
}

/** A list that was read, and those of its rows that could not be. */
export interface Rows<T> {
  readonly rows: readonly T[];
  readonly unread: readonly UnreadRow[];
}

/** All that balance asks of an installation. */
export interface VmmanagerApi {
  clusters(signal?: AbortSignal): Promise<Rows<VmmanagerCluster>>;
  nodes(signal?: AbortSignal): Promise<Rows<VmmanagerNode>>;
  guests(signal?: AbortSignal): Promise<Rows<VmmanagerGuest>>;
  /** Undefined: it is gone. */
  guest(id: number, signal?: AbortSignal): Promise<VmmanagerGuest | undefined>;
  /** The newest first. */
  migrations(guest: number, signal?: AbortSignal): Promise<readonly MigrationRow[]>;
  /** Undefined: this version does not say. */
  targets(guest: number, signal?: AbortSignal): Promise<readonly TargetWord[] | undefined>;
  /** Returns the number of the task, where it is told. `step`: what it is for, for who witnesses writes. */
  migrate(move: MoveOrder, signal?: AbortSignal): Promise<number | undefined>;
  /** Undefined: nobody knows that task. */
  task(number: number, signal?: AbortSignal): Promise<TaskWord | undefined>;
  /** The server's clock as of its last answer, advanced by ours. */
  serverTime(): Date;
  requests(): number;
  /** Takes secrets out of a text. */
  mask(text: string): string;
  close(): void;
}

interface MoveOrder {
  readonly guest: number;
  readonly node: number;
  readonly step: string;
}
