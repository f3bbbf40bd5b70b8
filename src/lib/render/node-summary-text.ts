/** What a run on nodes left behind: one line per bridge or copy of a template. Must not leave out a refusal or a warning. */
import type { NodesSummary, NodeSummary, ReplicaSummary, SummaryStatus } from '../outcome/types.ts';
import type { Plan } from '../plan/document/plan.ts';
import { escapeControl } from './escape.ts';
import { labelled, paragraph, renderColumns, type Cell, type RenderOptions } from './layout.ts';
import { createPaint, type Brush, type Paint } from './paint.ts';
import { refusalLines } from './plan-text.ts';
import { countOf } from './step-text.ts';

interface Context {
  readonly width: number;
  readonly paint: Paint;
}

const TITLES: { readonly [S in SummaryStatus]: string } = {
  done: 'done',
  partial: 'partly done',
  failed: 'nothing could be done',
  interrupted: 'the run was interrupted',
  refused: 'the plan was refused, nothing was changed',
  'dry-run': 'dry run, nothing was changed',
  'nothing-to-do': 'nothing to do',
};

const REPLICA_CHANGES: { readonly [C in ReplicaSummary['change']]: string } = {
  create: 'make ready',
  remove: 'remove',
};

type Bridge = NodeSummary['bridges'][number];

const CHANGES: { readonly [C in Bridge['change']]: string } = {
  create: 'create',
  update: 'make VLAN-aware',
  remove: 'remove',
  apply: 'bring up',
};

function rowOf(node: string, { iface, change, status }: Bridge, paint: Paint): Cell[] {
  const text = CHANGES[change];
  return [{ text: node }, { text: iface }, { text }, { text: status, paint: brushOf(status, paint) }];
}

function brushOf(status: Bridge['status'], paint: Paint): Brush {
  return { done: paint.green, planned: paint.yellow, failed: paint.red, skipped: paint.red }[status];
}

function replicaRow(node: string, { vmid, change, status }: ReplicaSummary, paint: Paint): Cell[] {
  const text = REPLICA_CHANGES[change];
  return [{ text: node }, { text: String(vmid) }, { text }, { text: status, paint: brushOf(status, paint) }];
}

function table(nodes: readonly NodeSummary[], { width, paint }: Context): string[] {
  const rows = nodes.flatMap(({ node, bridges, replicas = [] }) => [
    ...bridges.map((bridge, at) => rowOf(at === 0 ? node : '', bridge, paint)),
    ...replicas.map((replica, at) => replicaRow(at === 0 ? node : '', replica, paint)),
  ]);
  if (rows.length === 0) return [];
  const object = nodes.some(({ replicas }) => replicas) ? 'REPLICA' : 'BRIDGE';
  const head = ['NODE', object, 'CHANGE', 'RESULT'].map((text): Cell => ({ text, paint: paint.bold }));
  return ['', ...renderColumns([head, ...rows], { width })];
}

function errorLines(nodes: readonly NodeSummary[], context: Context): string[] {
  const { width, paint } = context;
  const lines = nodes.flatMap(({ node, status, error }) =>
    error === undefined
      ? []
      : [...paragraph(escapeControl(`${node}: ${status}`), { width }), ...refusalLines(error, context)],
  );
  return lines.length === 0 ? [] : ['', ...paragraph('Not finished', { width, paint: paint.bold }), ...lines];
}

function noteLines(nodes: readonly NodeSummary[], { width, paint }: Context): string[] {
  const lines = nodes.flatMap(({ node, notes }) =>
    notes.flatMap((note) => labelled(node, note, { width, indent: 2 })),
  );
  return lines.length === 0 ? [] : ['', ...paragraph('Notes', { width, paint: paint.bold }), ...lines];
}

function closing({ nodes, steps }: NodesSummary): string {
  const counts = (['done', 'incomplete', 'refused', 'planned', 'unchanged'] as const).flatMap((status) => {
    const count = nodes.filter((node) => node.status === status).length;
    return count === 0 ? [] : [`${count} ${status}`];
  });
  const work = (['done', 'failed', 'skipped'] as const).flatMap((end) =>
    steps[end] === 0 ? [] : [`${steps[end]} ${end}`],
  );
  const total = countOf(nodes.length, 'node', 'nodes');
  return [
    counts.length === 0 ? total : `${total}: ${counts.join(', ')}`,
    ...(work.length === 0 ? [] : [`steps: ${work.join(', ')}`]),
  ].join('; ');
}

/** Same summary, same options, same text. Ends without a line break. */
export function renderNodeSummary(
  plan: Plan,
  summary: NodesSummary,
  {
    width,
    color,
    resumeWays = ['run the same command again'],
  }: RenderOptions & { readonly resumeWays?: readonly string[] },
): string {
  const context: Context = { width, paint: createPaint(color) };
  const { nodes } = summary;
  const isOpen = nodes.some(({ status }) => status === 'incomplete' || status === 'refused');
  return [
    ...paragraph(`${plan.command === 'templates' ? 'Templates' : 'Bridges'}: ${TITLES[summary.status]}`, {
      width,
      paint: context.paint.bold,
    }),
    ...table(nodes, context),
    ...errorLines(nodes, context),
    ...noteLines(nodes, context),
    ...(plan.warnings.length === 0 ? [] : ['']),
    ...plan.warnings.flatMap((text) => labelled('warning', text, { width, paint: context.paint.yellow })),
    ...(isOpen || summary.status === 'interrupted'
      ? ['', ...resumeWays.flatMap((text) => labelled('To finish', text, { width: Infinity }))]
      : []),
    ...(nodes.length === 0 ? [] : ['', ...paragraph(closing(summary), { width, paint: context.paint.bold })]),
  ].join('\n');
}
