/** The stands of a class as they are now, and what is wrong with them: a read model, of one inventory. Plans nothing. */
import { groupBy } from '../../group.ts';
import type { Inventory } from '../../inventory/types.ts';
import { privilegesOn } from '../../inventory/rights.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import { seesTasks } from '../cluster/locks.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { StandView } from '../stands/selected.ts';
import type { StandSelection } from '../stands/selection.ts';
import { beingRemoved, isMaking } from './status-at-work.ts';
import { machineProblems } from './status-machine.ts';
import { isToldAsProblem, poolProblems } from './status-pools.ts';
import { accessOf, standProblems, standStatus } from './status-stand.ts';
import type {
  LabStatus,
  Problem,
  StatusContext,
  StatusDetails,
  StatusNote,
  StatusReport,
} from './status-types.ts';

export interface StatusInput {
  readonly selection: StandSelection;
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly stands: readonly StandView[];
  /** Of the lab's file, where it was given: networks of each stand's own. */
  readonly networks?: readonly string[];
  /** Of that file, too: machines that it does not switch on. */
  readonly resting?: readonly string[];
  readonly details?: StatusDetails;
  /** What could not be seen of that. */
  readonly notes?: readonly StatusNote[];
}

/** What other stands of a lab have, this one should have, too. Of a lab whose file was given the file says it. */
function networksOf({ index, selection, networks }: StatusInput): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { lab, net } of [...index.standBridges.values()].flat()) {
    const nets = found.get(lab) ?? new Set();
    found.set(lab, nets.add(net));
  }
  if (selection.lab !== undefined && networks) found.set(selection.lab, new Set(networks));
  return found;
}

/** What the caller may not see looks as if it were not there. */
function seesMachines({ rights = {} }: Inventory): (pool: string) => boolean {
  const seesAll = privilegesOn(rights, '/vms')['VM.Audit'] === true;
  return (pool) => seesAll || privilegesOn(rights, `/pool/${pool}`)['VM.Audit'] === true;
}

function nodeProblems({ have, index, stands }: StatusInput): Problem[] {
  const used = sortedUnique(stands.flatMap(({ nodes }) => nodes));
  const infos = new Map(have.nodes.map((node) => [node.name, node]));
  return used.flatMap((node): Problem[] => {
    if (!index.online.has(node)) return [{ kind: 'node-offline', node }];
    return infos.get(node)?.maintenance === true ? [{ kind: 'node-maintenance', node }] : [];
  });
}

const FULL = 0.9;

/** Which storage a disk is on only the configurations tell: those of the stands' nodes that hold disks at all. */
function storageProblems({ have, stands }: StatusInput): Problem[] {
  const nodes = new Set(stands.flatMap((stand) => stand.nodes));
  const seen = new Set<string>();
  return have.storages.flatMap(({ node, storage, shared, active, content, total, used }): Problem[] => {
    const isFull = active && total > 0 && used / total > FULL;
    if (!isFull || !nodes.has(node) || !content.some((kind) => kind === 'images')) return [];
    const key = shared ? storage : `${node} ${storage}`;
    if (seen.has(key)) return [];
    seen.add(key);
    const detail = String(Math.floor((100 * used) / total));
    return [{ kind: 'storage-full', storage, ...(shared ? {} : { node }), detail }];
  });
}

function taskProblems({ have, stands }: StatusInput): Problem[] {
  const own = new Map(
    stands.flatMap(({ user, claim, machines }) =>
      machines
        .filter(({ verdict, isSelected }) => verdict === 'ours' && isSelected)
        .map(({ vmid, machine }) => [
          vmid,
          { user, lab: claim.lab, ...(machine === undefined ? {} : { machine }) },
        ]),
    ),
  );
  return (have.failures ?? []).flatMap(({ vmid, node, type, error }): Problem[] => {
    const of = own.get(vmid);
    return of ? [{ kind: 'task-failed', ...of, vmid, node, detail: `${type}: ${error}` }] : [];
  });
}

function problemsOf(input: StatusInput, context: StatusContext): Problem[] {
  return [
    ...nodeProblems(input),
    ...input.stands.flatMap((view) => [
      ...view.machines
        .filter(({ isSelected }) => isSelected)
        .flatMap((one) => machineProblems(view, one, context)),
      ...standProblems(view, context),
    ]),
    ...poolProblems(input),
    ...taskProblems(input),
    ...storageProblems(input),
  ];
}

function standKey(of: { readonly lab?: string | undefined; readonly user?: string | undefined }): string {
  return `${of.lab ?? ''} ${of.user ?? ''}`;
}

function labsOf(input: StatusInput, context: StatusContext, problems: readonly Problem[]): LabStatus[] {
  const counts = groupBy(problems, standKey);
  const rows = input.stands.map((view) => {
    const count = counts.get(standKey({ lab: view.claim.lab, user: view.user }))?.length ?? 0;
    return standStatus(view, context, count);
  });
  return [...groupBy(rows, ({ lab }) => lab)]
    .map(([lab, stands]) => ({ lab, stands }))
    .sort((a, b) => compareNatural(a.lab, b.lab));
}

function notesOf({ have, stands, notes = [] }: StatusInput, { busy, sees }: StatusContext): StatusNote[] {
  return [
    ...have.gaps.filter((gap) => !isToldAsProblem(gap)),
    ...notes,
    ...(have.hidden?.bridges === true ? [{ kind: 'bridges-hidden' as const }] : []),
    ...(stands.every(({ pool }) => sees(pool)) ? [] : [{ kind: 'machines-hidden' as const }]),
    ...(busy ? [] : [{ kind: 'tasks-hidden' as const }]),
  ];
}

export function viewStatus(input: StatusInput): StatusReport {
  const { have, index, selection, stands } = input;
  // Guests are listed before tasks: what held one may have ended in between.
  const tasks = [...have.tasks, ...(have.justEnded ?? [])];
  const busy = seesTasks(have) ? new Set(tasks.map(({ id }) => Number(id))) : undefined;
  const context: StatusContext = {
    have,
    index,
    networks: networksOf(input),
    resting: new Map(selection.lab === undefined ? [] : [[selection.lab, new Set(input.resting)]]),
    busy,
    isMaking: isMaking(input, tasks),
    removed: beingRemoved(input, tasks, (stand) => accessOf(stand, index) !== 'none'),
    sees: seesMachines(have),
    details: input.details ?? {},
  };
  const problems = problemsOf(input, context);
  const there = new Set(stands.map(({ user }) => user));
  return {
    now: have.now,
    labs: labsOf(input, context, problems),
    without: sortedUnique((selection.users ?? []).map(({ userid }) => userid)).filter((id) => !there.has(id)),
    problems,
    nodes: have.nodes
      .map(({ name, online, maintenance, cpus, cpu, memoryTotal, memoryUsed }) => ({
        ...{ node: name, online, maintenance, cpus, cpu, memoryTotal, memoryUsed },
      }))
      .sort((a, b) => compareNatural(a.node, b.node)),
    notes: notesOf(input, context),
  };
}
