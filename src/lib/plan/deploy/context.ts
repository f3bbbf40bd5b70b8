/** What a deploy is planned from, and what all stands of one plan share while it is made. Holds no rule. */
import type { Lab, User } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { Taken, VmidAllocator } from '../cluster/free-vmids.ts';
import type { Pins } from '../cluster/pins.ts';
import type { Profile } from '../cluster/profile.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { BridgeAllocator } from '../network/numbers.ts';
import type { NodeChoice } from '../placement/nodes.ts';
import type { RemovalOptions } from '../stands/removal.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';
import type { FileDigests } from '../document/plan.ts';
import type { Reclone } from './reclone.ts';
import type { ReplicaPlanner } from '../templates/replica-steps.ts';

export interface DeployOptions {
  /** Use pools that exist without our mark. */
  readonly adopt: boolean;
  /** Change running VMs too. */
  readonly updateRunning: boolean;
  /** Give users of ours who are there a new password. */
  readonly resetPasswords?: boolean;
  /** Remove machines of the stands that the lab no longer has. */
  readonly prune?: RemovalOptions;
  /** Machines of which another is made where theirs was taken out of its pool; that one stays. */
  readonly replace?: ReadonlySet<string>;
  /** The command that does, for people; absent: the option alone is named. */
  readonly pruneCommand?: string;
  /** The command that makes machines anew, for people; absent: its options alone are named. */
  readonly recloneCommand?: string;
  /** The users are all whom the files of the class name, and whoever else has a stand of the lab is told of. */
  readonly isWholeClass?: boolean;
  /** Deploy what fits instead of refusing a class that does not. */
  readonly fit?: boolean;
  /** What former rounds of this run found taken. */
  readonly taken?: Taken;
  /** What a saved plan chose. */
  readonly pins?: Pins;
  /** Make these machines anew, and do nothing else. */
  readonly reclone?: Reclone;
}

export interface DeployInput {
  readonly lab: Lab;
  readonly users: readonly User[];
  readonly have: Inventory;
  readonly options: DeployOptions;
  /** Absent: the class does not come from files. */
  readonly files?: FileDigests;
}

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
  /** Give users of ours who are there a new password. */
  readonly resetPasswords: boolean;
  /** Remove machines that the lab no longer has. */
  readonly prune?: RemovalOptions;
  readonly profile: Profile;
  readonly since: string;
  /** Set: nothing is done but this. */
  readonly reclone?: Reclone;
}
