/** What all stands of one plan share while it is made. Holds no rule. */
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { VmidAllocator } from '../cluster/free-vmids.ts';
import type { Pins } from '../cluster/pins.ts';
import type { Profile } from '../cluster/profile.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { BridgeAllocator } from '../network/numbers.ts';
import type { NodeChoice } from '../placement/nodes.ts';
import type { RemovalOptions } from '../stands/removal.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';
import type { Reclone } from './reclone.ts';
import type { ReplicaPlanner } from '../templates/replica-steps.ts';

/** What all stands of one plan share. The allocators change as stands take from them. */
export interface StandContext {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly machines: readonly ResolvedMachine[];
  readonly choice: NodeChoice;
  readonly vmids: VmidAllocator;
  readonly bridges: BridgeAllocator;
  readonly pins: Pins;
  readonly replicas: ReplicaPlanner;
  readonly macs: Set<string>;
  readonly updateRunning: boolean;
  /** Remove machines that the lab no longer has. */
  readonly prune?: RemovalOptions;
  readonly profile: Profile;
  readonly since: string;
  /** Set: nothing is done but this. */
  readonly reclone?: Reclone;
}
