/** An installation of VMmanager 6 as `balance` observes it: plain data, a snapshot per round. */
import type { VmmanagerCluster, VmmanagerGuest, VmmanagerNode } from '../vmmanager/types.ts';
import type { MigrationRecord, Veto } from './balance-types.ts';

/** `name`: with its number where another node is called so, too. */
export interface SeenNode extends VmmanagerNode {
  /** Of the last minute; absent: not known. */
  readonly loadAverage?: number;
  /** Guests of it cannot be read, and nobody knows what they take. */
  readonly hasUnread?: true;
}

export type SeenGuest = VmmanagerGuest;

export interface VmmanagerInventory {
  /** Server's own time, ISO 8601 UTC. */
  readonly now: string;
  readonly clusters: readonly VmmanagerCluster[];
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
