/** The words of balance: nodes and guests as any platform has them. A platform's own rows fit in as they are. */
import type { BalanceConfig } from '../../../config/balance/types.ts';
import type { BalanceReport } from '../../document/balance-report.ts';

/** What balance.yml says to all platforms. The other keys are for the adapter that knows what they mean. */
export type Policy = Omit<
  BalanceConfig,
  'bandwidth' | 'containers' | 'ha' | 'localDisks' | 'migrationTimeout' | 'parallel' | 'storageMap' | 'zfsArc'
>;

/** A host. `cpu` and `memoryUsed` are averages over the window. */
export interface Node {
  readonly name: string;
  readonly online: boolean;
  readonly maintenance: boolean;
  /** Threads. */
  readonly cpus: number;
  /** Fraction of all threads, 0…1. */
  readonly cpu: number;
  /** Bytes. */
  readonly memoryTotal: number;
  readonly memoryUsed: number;
  /** Load average by threads; absent: not known. */
  readonly loadPerCore?: number;
  /** Share of time in which something waited, 0…1; absent: not known. */
  readonly pressure?: { readonly cpu: number; readonly memory: number };
  /** The numbers above are not what it carries: it is neither relieved nor a target. */
  readonly loadUnknown?: true;
  /** The platform's own limit of guests on it; absent: none. */
  readonly maxGuests?: number;
}

/** A virtual machine or container. */
export interface Guest {
  /** Its number on the platform. */
  readonly vmid: number;
  readonly node: string;
  readonly name?: string;
  /** Only `running` ones carry load. */
  readonly status: string;
  /** Fraction of its own `cpus`, averaged; 0 when stopped. */
  readonly cpu: number;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  /** Bytes of the host, averaged; 0 when stopped. */
  readonly memoryUsed: number;
  /** Lower case. */
  readonly tags: readonly string[];
  /** It cannot move while it runs: it is shut down for it, and started again. */
  readonly restarts?: true;
  /** What it takes is not known. */
  readonly loadUnknown?: true;
  /** Busy share of its `cpus` in a lesson that is on or near; of its memory it takes all then. */
  readonly lessonCpu?: number;
  /** The group in which the platform keeps it. */
  readonly pool?: string;
}

/** A volume that is on its guest's node only: whoever moves the guest copies it. */
export interface LocalVolume {
  readonly storage: string;
  readonly bytes: number;
  /** The guest's data. What is made anew over there needs the room, too, but does not cross the network. */
  readonly isDisk: boolean;
}

/** Machines that belong together: one user's copy of one lab. */
export interface Stand {
  readonly lab: string;
  readonly user: string;
}

/** `lab user`. */
export function standKey({ lab, user }: Stand): string {
  return `${lab} ${user}`;
}

/** A migration, finished or under way, whoever started it. */
export type Migration = BalanceReport['inFlight'][number];

/** A move that the platform refused when it was asked, or that may not be tried in this run. */
export interface Veto {
  readonly vmid: number;
  /** Absent: nowhere. */
  readonly target?: string;
  readonly reason: string;
}
