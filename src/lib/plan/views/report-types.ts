/** What a report of a class shows: the status, counted and by node. Types only. */
import type { NodeStatus, StatusReport } from './status-types.ts';
import type { Topology } from './topology-types.ts';

export interface ReportTotals {
  readonly labs: number;
  readonly users: number;
  readonly stands: number;
  readonly machines: number;
  readonly running: number;
  /** Stands with any. */
  readonly withProblems: number;
  readonly problems: number;
  /** The day on which the first stand ends; null: none does. */
  readonly firstEnd: string | null;
}

export interface ReportNode extends NodeStatus {
  /** Of ours, in natural order of their users. */
  readonly stands: readonly { readonly user: string; readonly lab: string }[];
  readonly machines: number;
  readonly running: number;
}

export interface ClassReport {
  readonly status: StatusReport;
  readonly totals: ReportTotals;
  readonly nodes: readonly ReportNode[];
  /** Of the lab's file, where it was given. */
  readonly topology: Topology | null;
}
