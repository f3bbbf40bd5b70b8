/** Words of `power`: what was asked, and what is planned of one machine. Types only. */
import type { Lab } from '../../config/types.ts';
import type { GuestInfo, Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { PowerAction } from '../document/plan.ts';
import type { StandMachine, StandView } from '../stands/selected.ts';
import type { MachinePower } from '../../pve-values/machine-power.ts';
import type { Deed, IfState } from './power-deeds.ts';

/** A machine that stays under both, on average, is one that nobody uses. */
interface IdleLimits {
  readonly seconds: number;
  /** Fraction of its own CPUs. */
  readonly cpu: number;
  /** Bytes per second. */
  readonly network: number;
}

export interface PowerOptions {
  readonly action: PowerAction;
  readonly timeoutSeconds: number;
  readonly lockWaitSeconds: number;
  readonly force: boolean;
  /** Suspend in memory. */
  readonly pause: boolean;
  /** Where the memory goes; default: as PVE chooses it. */
  readonly storage?: string;
  /** Leave out stands for which there is no room. */
  readonly fit: boolean;
  readonly ifState?: IfState;
  readonly idle?: IdleLimits;
}

/** What a machine used, on average; undefined: there is no telling. */
interface GuestAverage {
  readonly cpu: number;
  readonly network: number;
}

export interface PowerRequest {
  readonly options: PowerOptions;
  /** Empty where the selection names none. */
  readonly labName: string;
  readonly lab?: Lab;
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly stands: readonly StandView[];
  /** By VMID, of those that were asked about. */
  readonly averages?: ReadonlyMap<number, GuestAverage>;
}

/** A machine to which something is done. */
export interface Planned {
  readonly view: StandView;
  readonly one: StandMachine;
  readonly guest: GuestInfo;
  readonly power: MachinePower;
  readonly deed: Deed;
  /** For its memory. */
  readonly storage?: string;
}
