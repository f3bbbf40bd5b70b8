/** What a report of a class shows: the status, counted and by node. Types only. */
import type { NodeStatus, StatusNote, StatusReport } from './status-types.ts';
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

export interface TemplateOriginal {
  readonly vmid: number;
  readonly node: string;
  /** ISO 8601 UTC; null: PVE does not tell. */
  readonly made: string | null;
  /** The first line of its notes. */
  readonly notes: string | null;
  /** Of its configuration: any edit makes another one. Machines say it in their notes (`from=`). */
  readonly version: string;
}

/** A copy of ours on another node. */
export interface TemplateCopy {
  readonly vmid: number;
  readonly node: string;
  readonly made: string;
  /** Of the template as it is now. */
  readonly isCurrent: boolean;
}

export interface MadeMachine {
  readonly user: string;
  readonly machine: string;
  readonly vmid: number;
}

/** What machines of the lab are made from, and what those that are there were made from. */
export interface TemplateVersion {
  readonly name: string;
  /** Several: of one name or tag, on different nodes. */
  readonly originals: readonly TemplateOriginal[];
  readonly copies: readonly TemplateCopy[];
  /** Of the lab. */
  readonly machines: readonly string[];
  /** How many are as they would be made now. */
  readonly current: number;
  readonly outdated: readonly MadeMachine[];
  /** Their notes do not say it. */
  readonly untold: readonly MadeMachine[];
}

export interface SeenTemplates {
  readonly templates: readonly TemplateVersion[];
  /** What could not be seen. */
  readonly notes: readonly StatusNote[];
}

export interface ClassReport {
  readonly status: StatusReport;
  readonly totals: ReportTotals;
  readonly nodes: readonly ReportNode[];
  /** Of the lab's file, where it was given. */
  readonly topology: Topology | null;
  /** Of the lab's file, too. */
  readonly templates: readonly TemplateVersion[] | null;
}
