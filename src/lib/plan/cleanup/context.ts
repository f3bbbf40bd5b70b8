/** What a cleanup is asked for and what its parts share. Types only. */
import type { Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { RemovalOptions } from '../stands/removal.ts';
import type { StandSelection } from '../stands/selection.ts';

/** Stands go as a whole: of a selection of them, machines and nodes are not asked. */
export type CleanupSelection =
  | ({ readonly by: 'stands' } & Omit<StandSelection, 'machines' | 'nodes'>)
  | { readonly by: 'expired' }
  | { readonly by: 'orphans' };

export interface CleanupOptions extends RemovalOptions {
  /** Leave user, pool and password for the next lab. */
  readonly keepUsers: boolean;
  /** Also remove what carries no mark but is a stand of the older Python tool. */
  readonly adopt: boolean;
  /** Also remove VMs that the class made itself in the pools of stands that go. */
  readonly includeMembers: boolean;
  /** Nothing younger is an orphan. */
  readonly minAgeSeconds: number;
}

/** What all stands of one plan share. */
export interface CleanupContext {
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly selection: CleanupSelection;
  readonly options: CleanupOptions;
}
