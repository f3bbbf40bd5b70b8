/** What a run ends in: the words of the summary that people and scripts read. Types only. */
import type { RunResult } from '../execute/types.ts';
import type { Plan, Refusal } from '../plan/document/plan.ts';

/** One round of a run: a plan and its results. A later round re-plans stands of an earlier one. */
export interface Round {
  readonly plan: Plan;
  readonly result: RunResult;
}

export type SummaryStatus =
  'done' | 'partial' | 'failed' | 'interrupted' | 'refused' | 'dry-run' | 'nothing-to-do';

export interface StandSummary {
  readonly user: string;
  readonly pool: string;
  readonly node: string | null;
  readonly status:
    'complete' | 'removed' | 'incomplete' | 'refused' | 'planned' | 'unchanged' | 'pending-change';
  readonly vms: readonly {
    readonly vmid: number;
    readonly name: string;
    readonly node: string;
    readonly status: string;
  }[];
  readonly bridges: readonly { readonly node: string; readonly iface: string; readonly alias: string }[];
  readonly notes: readonly string[];
  /** Since when the student's access is taken away: deploy gives none. */
  readonly frozen?: string;
  readonly error?: Refusal;
}

/** A copy of a template that was worked on. */
export interface ReplicaSummary {
  readonly vmid: number;
  readonly change: 'create' | 'remove';
  readonly status: 'done' | 'failed' | 'skipped' | 'planned';
}

/** One node of a run that was about nodes instead of stands. */
export interface NodeSummary {
  readonly node: string;
  readonly status: 'done' | 'unchanged' | 'incomplete' | 'refused' | 'planned';
  readonly bridges: readonly {
    readonly iface: string;
    readonly change: 'create' | 'update' | 'remove' | 'apply';
    readonly status: 'done' | 'failed' | 'skipped' | 'planned';
  }[];
  /** Of `templates`. */
  readonly replicas?: readonly ReplicaSummary[];
  readonly notes: readonly string[];
  readonly error?: Refusal;
}

/** What became of one move of `balance`. */
export interface MoveSummary {
  readonly unit: 'guest' | 'stand' | 'group';
  readonly name: string;
  readonly to: string;
  /** `partial`: some of its guests moved; running balance again puts them together. */
  readonly status: 'moved' | 'partial' | 'failed' | 'skipped' | 'planned';
  /** Bytes of those that moved; of all in a dry run. */
  readonly bytes: number;
  readonly guests: readonly {
    readonly vmid: number;
    readonly name: string;
    /** Where it is now; null: not known. */
    readonly node: string | null;
    readonly status: 'moved' | 'failed' | 'skipped' | 'planned';
  }[];
  readonly error?: Refusal;
}

/** What `--output json` prints beside the plan, and what the summary table is made of. */
export interface StandsSummary {
  readonly status: SummaryStatus;
  readonly steps: { readonly done: number; readonly failed: number; readonly skipped: number };
  readonly stands: readonly StandSummary[];
}

/** Of `bridges` and `templates`. */
export interface NodesSummary extends StandsSummary {
  readonly nodes: readonly NodeSummary[];
}

export interface BalanceSummary extends StandsSummary {
  readonly moves: readonly MoveSummary[];
}

export type Summary = StandsSummary | NodesSummary | BalanceSummary;

export interface RunOutcome {
  /** The plan that was applied (first round) or would be. */
  readonly plan: Plan;
  readonly summary: Summary;
  /** What each step of every round ended in, for the exit code. */
  readonly rounds: readonly Round[];
}
