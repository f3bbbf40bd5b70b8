/** The plan: a JSON document (no functions, Dates, Maps or class instances). Decides nothing. */
import type { Strategy } from '../../config/types.ts';
import type { GuestAt } from '../../pve-values/guest-kinds.ts';
import type { BalanceReport } from './balance-report.ts';
import type { Step } from './step.ts';

/** SHA-256 of what the input files say; passwords, comments and layout aside. */
export interface FileDigests {
  readonly lab: string;
  readonly users: string;
}

/** One field of a finished VM that is not as the lab says. */
export interface Drift {
  /** `foreign-bridge`: a card on a bridge of another stand; `card`: elsewhere, added or gone; `resource`: the rest. */
  readonly kind: 'foreign-bridge' | 'card' | 'resource';
  /** As PVE names it: `net0`, `memory`, `scsi1`, `boot`. */
  readonly field: string;
  /** Null: it is not there. */
  readonly is: string | null;
  /** Null: it was not to be there. */
  readonly ought: string | null;
  readonly text: string;
}

/** `type`: of a machine; what stays and is none lacks it, whatever it is. */
export interface PlannedVm extends GuestAt {
  readonly name: string;
  /** What is known before the run. */
  readonly state: 'new' | 'unfinished' | 'complete' | 'pending-change' | 'going' | 'staying';
  /** Observed power state; of one that is made anew, that of the former; `stopped` for new ones. */
  readonly power: string;
  /** What a student changed; it stays so. Absent: nothing. */
  readonly drift?: readonly Drift[];
}

export interface PlannedBridge {
  readonly node: string;
  readonly iface: string;
  readonly alias: string;
}

/** One user's stand in the plan; also when nothing is to be done for it. */
export interface PlannedStand {
  readonly user: string;
  readonly pool: string;
  /** Absent when the stand was refused before it had one. */
  readonly node?: string;
  /** Why this node. */
  readonly placement?: string;
  readonly vms: readonly PlannedVm[];
  readonly bridges: readonly PlannedBridge[];
  /** Since when the student's access is taken away; ISO 8601 UTC. */
  readonly frozen?: string;
  /** Set: nothing is done for this stand, and the run ends "partial". */
  readonly refused?: Refusal;
  /** Set: something of the stand is left alone while the rest is done, and the run ends "partial". */
  readonly left?: Refusal;
  /** Differences that deploy reports and leaves alone. */
  readonly notes: readonly string[];
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** One node in a plan that is about nodes instead of stands. */
export interface PlannedNode {
  readonly node: string;
  /** Set: nothing is done on this node, and the run ends "partial". */
  readonly refused?: Refusal;
  /** What stays as it is, and why. */
  readonly notes: readonly string[];
}

/** What every plan says. */
export interface AnyPlan {
  readonly version: 2;
  /** Empty when several labs are concerned. */
  readonly lab: string;
  /** By which rights of the caller VMs are made and claimed; absent where it was not asked. */
  readonly profile?: 'full' | 'confined';
  /** Topological: a step stands behind all it depends on. */
  readonly steps: readonly Step[];
  /** Empty in a plan that is about nodes or guests instead. */
  readonly stands: readonly PlannedStand[];
  readonly warnings: readonly string[];
}

export interface DeployPlan extends AnyPlan {
  readonly command: 'deploy';
  readonly strategy: Strategy;
  /** When it was planned, as marks write it. */
  readonly since?: string;
  /** The files that it was planned from; absent where the class does not come from files. */
  readonly files?: FileDigests;
}

export interface StandsPlan extends AnyPlan {
  readonly command: 'cleanup' | 'users' | 'extend' | 'reset';
}

export interface SnapshotPlan extends AnyPlan {
  readonly command: 'snapshot';
  readonly action: 'create' | 'delete' | 'rollback';
}

export interface AccessPlan extends AnyPlan {
  readonly command: 'access';
  readonly action: 'freeze' | 'thaw';
}

export type PowerAction = 'start' | 'shutdown' | 'stop' | 'reboot' | 'suspend' | 'resume';

export interface PowerPlan extends AnyPlan {
  readonly command: 'power';
  readonly action: PowerAction;
}

export interface NodesPlan extends AnyPlan {
  readonly command: 'bridges' | 'templates';
  /** The nodes with something to do or to say, in natural order. */
  readonly nodes: readonly PlannedNode[];
}

export interface BalancePlan extends AnyPlan {
  readonly command: 'balance';
  /** Loads, and why each guest moves or stays. */
  readonly balance: BalanceReport;
}

export type Plan = DeployPlan | StandsPlan | SnapshotPlan | AccessPlan | PowerPlan | NodesPlan | BalancePlan;
