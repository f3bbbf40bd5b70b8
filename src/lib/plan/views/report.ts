/** Counts the stands of a status, and sorts them by node: a read model. Reads nothing, and judges nothing. */
import { groupBy } from '../../group.ts';
import { compareNatural } from '../../order.ts';
import type { ClassReport, ReportNode, ReportTotals, SeenTemplates } from './report-types.ts';
import type { StandStatus, StatusReport } from './status-types.ts';
import type { Topology } from './topology-types.ts';

function totalsOf(status: StatusReport, stands: readonly StandStatus[]): ReportTotals {
  const ends = stands.flatMap(({ expires }) => expires ?? []).sort();
  return {
    labs: status.labs.length,
    users: new Set(stands.map(({ user }) => user)).size,
    stands: stands.length,
    machines: stands.reduce((sum, { machines }) => sum + machines.length, 0),
    running: stands.reduce((sum, { running }) => sum + running, 0),
    withProblems: stands.filter(({ problems }) => problems > 0).length,
    problems: status.problems.length,
    firstEnd: ends[0] ?? null,
  };
}

function nodesOf(status: StatusReport, stands: readonly StandStatus[]): ReportNode[] {
  const on = groupBy(
    stands.flatMap((stand) => stand.nodes.map((node) => ({ node, stand }))),
    ({ node }) => node,
  );
  const machines = groupBy(
    stands.flatMap((stand) => stand.machines),
    ({ node }) => node ?? '',
  );
  return status.nodes.map((node) => {
    const here = machines.get(node.node) ?? [];
    return {
      ...node,
      stands: (on.get(node.node) ?? [])
        .map(({ stand: { user, lab } }) => ({ user, lab }))
        .sort((a, b) => compareNatural(a.user, b.user) || compareNatural(a.lab, b.lab)),
      machines: here.length,
      running: here.filter(({ state }) => state === 'running').length,
    };
  });
}

export function viewReport(
  status: StatusReport,
  topology: Topology | null,
  seen?: SeenTemplates,
): ClassReport {
  const stands = status.labs.flatMap((lab) => lab.stands);
  return {
    status: { ...status, notes: [...status.notes, ...(seen?.notes ?? [])] },
    ...{ totals: totalsOf(status, stands), nodes: nodesOf(status, stands), topology },
    templates: seen?.templates ?? null,
  };
}
