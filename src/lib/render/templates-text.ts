/** The list of templates as a table: one line per node on which stands could be. Says why one cannot be used. */
import { groupBy } from '../group.ts';
import type { ReplicaRow, TemplateReport, TemplateRow, UsableRow } from '../plan/templates/view.ts';
import { labelled, paragraph, renderColumns, type Cell, type RenderOptions } from './layout.ts';
import { orderedObject, type JsonObject } from './ordered-json.ts';
import { createPaint, type Paint } from './paint.ts';
import { countOf } from './step-text.ts';

const HEAD = ['VMID', 'TEMPLATE', 'STORAGE', 'NODE', 'CLONED FROM', 'REPLICA', 'STATE', 'LINKED CLONES'];
const FIRST = 4;

const STATES: { readonly [S in ReplicaRow['state']]: string } = {
  fresh: 'fresh',
  stale: 'stale',
  unfinished: 'unfinished',
  claimed: 'not made yet',
  foreign: 'not ours',
  unreadable: 'unreadable',
  unknown: 'unknown',
};

function wayText({ by, node }: UsableRow, template: TemplateRow): string {
  if (by === 'none') return 'nothing: see below';
  if (by === 'new-replica') return 'a replica to be made';
  if (by === 'replica') return 'a replica';
  return node === template.node ? 'the template' : `the template on ${template.node}`;
}

function replicaCells(replica: ReplicaRow | undefined, paint: Paint): Cell[] {
  if (!replica) return [{ text: '' }, { text: '' }];
  const brush = replica.state === 'fresh' ? paint.green : paint.yellow;
  return [{ text: String(replica.vmid) }, { text: STATES[replica.state], paint: brush }];
}

/** The node's own line, and one more for each further replica there. */
function nodeRows(template: TemplateRow, usable: UsableRow, paint: Paint): Cell[][] {
  const here = template.replicas.filter(({ node }) => node === usable.node);
  const elsewhere = template.replicas.find(({ vmid, node }) => vmid === usable.vmid && node !== usable.node);
  const first = here.find(({ vmid }) => vmid === usable.vmid) ?? (elsewhere ? undefined : here[0]);
  const own = usable.node === template.node ? String(template.linkedClones ?? '?') : '';
  const clones = (replica: ReplicaRow | undefined) => (replica ? String(replica.clones.length) : '');
  const brush = usable.by === 'none' ? paint.red : usable.by === 'new-replica' ? paint.yellow : paint.green;
  const way = elsewhere ? `replica ${elsewhere.vmid} on ${elsewhere.node}` : wayText(usable, template);
  const isOwn = usable.by === 'template' && usable.node === template.node;
  const line: Cell[] = [
    { text: usable.node },
    { text: way, paint: brush },
    ...(isOwn ? replicaCells(undefined, paint) : replicaCells(first, paint)),
    { text: isOwn ? own : clones(first) },
  ];
  const others = isOwn ? here : here.filter((replica) => replica !== first);
  return [
    line,
    ...others.map((replica): Cell[] => [
      { text: '' },
      { text: '' },
      ...replicaCells(replica, paint),
      { text: clones(replica) },
    ]),
  ];
}

function storageText({ storages, fullOnly }: TemplateRow): string {
  const names = storages.map(
    ({ storage, type, shared }) => `${storage} (${type}${shared ? ', shared' : ''})`,
  );
  return `${names.join(', ')}${fullOnly ? ', full clones only' : ''}`;
}

function rowsOf(template: TemplateRow, paint: Paint): Cell[][] {
  const lines = template.usable.flatMap((usable) => nodeRows(template, usable, paint));
  const head = [String(template.vmid), template.name, storageText(template)].map((text): Cell => ({ text }));
  const blank = head.map((): Cell => ({ text: '' }));
  return lines.map((line, at) => [...(at === 0 ? head : blank), ...line]);
}

/** What is true of several nodes, or of several templates on the same nodes, is said once. */
function reasons({ templates }: TemplateReport): string[] {
  const said = templates.flatMap(({ vmid, usable }) => {
    const byReason = groupBy(
      usable.flatMap(({ node, reason }) => (reason === undefined ? [] : [{ node, reason }])),
      ({ reason }) => reason,
    );
    return [...byReason].map(([reason, rows]) => ({
      vmid,
      text: `cannot be used on ${rows.map(({ node }) => node).join(', ')}: ${reason}`,
    }));
  });
  return [...groupBy(said, ({ text }) => text)].map(
    ([text, rows]) => `${rows.map(({ vmid }) => vmid).join(', ')} ${text}`,
  );
}

/** Same report, same options, same text. Ends without a line break. */
export function renderTemplates(report: TemplateReport, { width, color }: RenderOptions): string {
  const paint = createPaint(color);
  const { templates, orphans, notes } = report;
  const head = HEAD.map((text): Cell => ({ text, paint: paint.bold }));
  const replicas = [...templates.flatMap((template) => template.replicas), ...orphans];
  const lost = orphans.map(
    ({ vmid, node, clones }) =>
      `replica ${vmid} on ${node} is of a template that is gone; ${countOf(clones.length, 'linked clone', 'linked clones')}`,
  );
  const remarks = [...notes, ...reasons(report), ...lost];
  const stale = replicas.filter(({ state }) => state === 'stale').length;
  return [
    ...renderColumns([head, ...templates.flatMap((template) => rowsOf(template, paint))], {
      width,
      fixed: [0, FIRST + 1],
      head: true,
    }),
    ...(remarks.length === 0 ? [] : ['']),
    ...remarks.flatMap((note) => labelled('note', note, { width, paint: paint.yellow })),
    '',
    ...paragraph(
      `${countOf(templates.length, 'template', 'templates')}, ${countOf(replicas.length, 'replica', 'replicas')}${stale === 0 ? '' : ` (${stale} stale)`}`,
      { width, paint: paint.bold },
    ),
  ].join('\n');
}

/** For scripts. */
export function toTemplatesDocument(report: TemplateReport): JsonObject {
  return orderedObject(report);
}
