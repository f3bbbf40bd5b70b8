/** The validated, normalised balance.yml. Plain data; the secrets of the notifications live in `NotifyConfig` only. */
import type { NotifyConfig } from '../notify/types.ts';
import type { Reserve } from '../types.ts';

/** What a node may carry. Fractions, 1 = all of the node. */
export interface NodeLimits {
  /** Of all threads. */
  readonly cpu: number;
  /** Of the memory, by `memoryMeasure`. */
  readonly memory: number;
  /** Load average per thread. */
  readonly loadPerCore: number;
  /** PSI "some" of CPU and memory, share of time. Judged where PVE 9 reports it. */
  readonly pressure: number;
  /** Virtual CPUs of what runs, per thread. */
  readonly vcpusPerCore: number;
  /** Configured memory of what runs; follows from `overcommit`. */
  readonly committed: number;
}

/** `load`: what is measured. `allocation`: virtual CPUs per thread. `overcommit`: configured memory. */
export type BalanceMeasure = 'load' | 'allocation' | 'overcommit';

/** A guest is selected when any of the lists names it. */
export interface GuestSelector {
  /** Lower case. */
  readonly tags: readonly string[];
  readonly pools: readonly string[];
  /** Inclusive. */
  readonly vmids: readonly { readonly first: number; readonly last: number }[];
  /** With `*` and `?`; lower case. */
  readonly names: readonly string[];
}

export interface GuestRule {
  /** For messages; `pin[0]` and the like when the file gives none. */
  readonly name: string;
  readonly guests: GuestSelector;
}

export interface PinRule extends GuestRule {
  readonly nodes: readonly string[];
}

export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

/** A span of time: on some days of the week, or between two dates. */
export type TimeSpan =
  | {
      readonly kind: 'weekly';
      readonly days: readonly Weekday[];
      /** Minutes since midnight; `to` ≤ `from` runs into the next day. */
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly kind: 'dates';
      /** `YYYY-MM-DDTHH:MM` in `timeZone`; `to` is exclusive. */
      readonly from: string;
      readonly to: string;
    };

/** When a lab's stands may move, on top of the general rule. */
export interface LabTimes {
  readonly noMove: boolean;
  readonly windows: readonly TimeSpan[];
  readonly blackout: readonly TimeSpan[];
  /** Its stands are loaded then: they do not move, and room is made before. */
  readonly lessons: readonly TimeSpan[];
  /** Seconds before a lesson in which its load counts already. */
  readonly prepare: number;
  /** Busy share of the virtual CPUs of its machines in a lesson. */
  readonly lessonCpu: number;
}

/** What they differ in: plan/balance/core/modes.ts. */
export type BalanceMode = 'threshold' | 'spread';

export interface BalanceConfig {
  /** Path as the user wrote it; for messages. Empty: all defaults, no file. */
  readonly file: string;
  readonly mode: BalanceMode;
  /** Mode `spread`: coefficient of variation of node load above which it acts. */
  readonly spreadLimit: number;
  /** Overloaded above any of them. */
  readonly overload: NodeLimits;
  /** A target only below all of them; each is below its counterpart in `overload`. */
  readonly target: NodeLimits;
  /** A relieved node goes down to these, so that it is not overloaded again at once; between `target` and `overload`. */
  readonly relieveTo: NodeLimits;
  /** What the limits are held against. */
  readonly measures: readonly BalanceMeasure[];
  readonly memoryMeasure: 'used' | 'committed';
  /** Committed memory a target may have after the move, as a share of its memory. */
  readonly overcommit: number;
  /** Guests that a target may have after the move, stopped ones included; absent: any number. */
  readonly maxGuests?: number;
  /** Stays free on every target. */
  readonly reserve: Reserve;
  /** Seconds over which loads are averaged. */
  readonly window: number;
  /** Least relative improvement worth a move: of a node's excess (threshold), of the variation (spread). */
  readonly minGain: number;
  /** Rounds in a row that must find a reason before one acts; for `--interval`. */
  readonly hold: number;
  /** Seconds for which a guest that moved stays where it is. */
  readonly cooldown: number;
  /** Seconds for which a guest whose last migration failed is left alone. */
  readonly blacklist: number;
  /** Migrations per run; a unit (stand) larger than that moves when it is the first. */
  readonly maxMigrations: number;
  /** Migrations away from one node per run. */
  readonly maxMigrationsPerNode: number;
  /** Migrations onto one node per run, those of others under way included. */
  readonly maxInflowPerNode: number;
  /** Migrations at once. */
  readonly parallel: number;
  /** Seconds for one migration. */
  readonly migrationTimeout: number;
  /** KiB/s; absent: PVE's own limit. */
  readonly bandwidth?: number;
  readonly guests: 'ours' | 'all';
  /** May disks on node-local storage be copied along? */
  readonly localDisks: boolean;
  /** Which storages of a target may take what is on a local one that it does not have. */
  readonly storageMap: {
    /** Local storage → the others in order of preference. */
    readonly written: Readonly<Record<string, readonly string[]>>;
    /** For the rest: the one of that type, where a target has no more than one with room. */
    readonly automatic: boolean;
  };
  /** `restart`: those that run are shut down, moved, and started again. */
  readonly containers: 'skip' | 'restart';
  readonly ha: 'skip' | 'follow';
  /** What ZFS's cache takes of a node's memory, for nodes whose PVE does not tell (before 9). */
  readonly zfsArc: Readonly<Record<string, NonNullable<Reserve['memory']>>>;
  /** Nodes between which guests may move live; empty: by CPU model. */
  readonly cpuGroups: readonly (readonly string[])[];
  readonly excludeSource: readonly string[];
  readonly excludeTarget: readonly string[];
  readonly ignore: readonly GuestRule[];
  readonly pin: readonly PinRule[];
  readonly affinity: readonly GuestRule[];
  readonly antiAffinity: readonly GuestRule[];
  /** IANA name, e.g. `Europe/Moscow`. */
  readonly timeZone: string;
  /** Empty: any time. */
  readonly windows: readonly TimeSpan[];
  readonly blackout: readonly TimeSpan[];
  readonly labs: Readonly<Record<string, LabTimes>>;
  readonly notify: NotifyConfig;
  readonly metricsFile?: string;
  /** Seconds between rounds; absent: one round. */
  readonly interval?: number;
  /** Seconds of random delay at most, before each round. */
  readonly jitter: number;
}
