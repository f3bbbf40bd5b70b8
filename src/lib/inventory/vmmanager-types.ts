/** An installation of VMmanager 6 as `balance` observes it: plain data, a snapshot per round. */
import type { MigrationRecord, Veto } from './balance-types.ts';

interface SeenCluster {
  readonly id: number;
  readonly name: string;
}

export interface SeenNode {
  readonly id: number;
  /** Its name; with its number where another node is called so, too. */
  readonly name: string;
  readonly cluster: number;
  readonly online: boolean;
  readonly maintenance: boolean;
  readonly creationBlocked: boolean;
  readonly cpus?: number;
  /** Bytes. */
  readonly memoryTotal?: number;
  readonly memoryAllocated?: number;
  readonly maxGuests?: number;
  readonly qemuVersion?: string;
  /** Load average by threads, read over SSH. */
  readonly loadPerCore?: number;
}

export interface SeenGuest {
  readonly id: number;
  readonly name: string;
  readonly node: number;
  readonly cluster: number;
  /** `active` runs. */
  readonly state: string;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly hasIso: boolean;
  readonly snapshots: number;
  /** Absent: the version has no such field. */
  readonly balancer?: 'on' | 'off';
  readonly isDisabled: boolean;
  readonly isRescue: boolean;
  readonly tags: readonly string[];
}

export interface VmmanagerInventory {
  /** Server's own time, ISO 8601 UTC. */
  readonly now: string;
  readonly clusters: readonly SeenCluster[];
  readonly nodes: readonly SeenNode[];
  readonly guests: readonly SeenGuest[];
  readonly migrations: readonly MigrationRecord[];
  /** Guests of which `migrations` holds all that is to be known. */
  readonly historyOf: readonly number[];
  /** Guests of which VMmanager was asked which nodes are targets. */
  readonly targetsOf: readonly number[];
  /** What VMmanager's word, or a history that cannot be read, forbids. */
  readonly vetoes: readonly Veto[];
  /** What could not be read, in words. */
  readonly gaps: readonly string[];
}

/** What has to be read before the plan may be applied; all empty: it may. */
export interface VmmanagerNeeds {
  readonly histories: readonly number[];
  readonly targets: readonly number[];
}
