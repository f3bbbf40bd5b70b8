/** What checks found in the students' machines. Types only. */
import type { Unrun } from '../../agent/types.ts';

/** Why a check could not be run; its result says nothing of the student's work. */
export type WhyNotRun =
  | Unrun
  | 'no-stand'
  | 'lab-over'
  | 'account-over'
  | 'missing'
  | 'not-ours'
  | 'node-offline'
  | 'off'
  | 'unreadable';

export type WhyFailed =
  | 'exit'
  | 'killed'
  | 'stdout'
  | 'stderr'
  | 'timeout'
  | 'flood'
  | 'not-started'
  | 'power'
  | 'nic'
  | 'snapshot';

/** What was seen; texts are cut. */
export interface Seen {
  readonly exit?: number;
  readonly signal?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  /** There was more. */
  readonly isCut?: true;
  /** In words: of an agent, of PVE, or of the configuration. */
  readonly text?: string;
}

export type Finding =
  | { readonly verdict: 'passed'; readonly seen?: Seen }
  | { readonly verdict: 'failed'; readonly why: WhyFailed; readonly seen?: Seen }
  | { readonly verdict: 'not-run'; readonly why: WhyNotRun; readonly seen?: Seen };

export type CheckResult = Finding & {
  readonly check: string;
  readonly machine: string;
  readonly vmid: number | null;
  /** That it earned. */
  readonly points: number;
};

/** One student in one lab. */
export interface StudentChecks {
  readonly user: string;
  /** Null: there is no stand. */
  readonly lab: string | null;
  /** In the order of the checks. */
  readonly results: readonly CheckResult[];
  readonly points: number;
  readonly passed: number;
  readonly failed: number;
  readonly notRun: number;
}

export interface AskedCheck {
  readonly name: string;
  readonly machine: string;
  readonly points: number;
  /** What was expected, in words. */
  readonly expected: string;
  readonly hint: string | null;
}

export interface ChecksReport {
  readonly now: string;
  readonly lab: string | null;
  readonly checks: readonly AskedCheck[];
  readonly maxPoints: number;
  /** By user, then lab. */
  readonly students: readonly StudentChecks[];
  readonly totals: { readonly passed: number; readonly failed: number; readonly notRun: number };
  readonly notes: readonly string[];
}
