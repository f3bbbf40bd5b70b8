/** A class as Markdown, as a spreadsheet of its machines, and as data. Same report, same text. */
import { compareNatural } from '../order.ts';
import type { ClassReport } from '../plan/views/report-types.ts';
import type { StandStatus } from '../plan/views/status-types.ts';
import { asOf } from './moment.ts';
import { formatCsv } from './csv.ts';
import { escapeMarkdown, markdownRow } from './escape-markdown.ts';
import type { JsonObject } from './ordered-json.ts';
import { orderedObject } from './ordered-json.ts';
import { problemTexts, type StatusFiles } from './status-problems.ts';
import { addressText, machinesText, shareOf, snapshotText, spanOf, toStatusDocument } from './status-text.ts';

/** How they begin. */
export const MARKDOWN_HEAD = '<!-- deploy-stand report -->\n';
const CSV_COLUMNS = [
  ...['lab', 'user', 'pool', 'machine', 'vmid', 'node', 'state', 'uptime_s', 'cpu', 'memory_bytes'],
  ...['memory_total_bytes', 'expires', 'access', 'stand_problems', 'addresses', 'snapshots'],
];
export const CSV_HEAD = CSV_COLUMNS.join(',');
export const JSON_HEAD = '{\n  "kind": "deploy-stand report"';

function sorted(stands: readonly StandStatus[]): StandStatus[] {
  return [...stands].sort((a, b) => compareNatural(a.user, b.user));
}

const STAND_HEAD = ['Student', 'Node', 'Machines', 'Up', 'CPU', 'Memory', 'Expires', 'Access', 'Problems'];

function standCells(stand: StandStatus): string[] {
  const { user, nodes, uptime, cpu, memory, expires, access, problems } = stand;
  return [
    ...[user, nodes.join(', '), machinesText(stand), spanOf(uptime), shareOf(cpu), shareOf(memory)],
    ...[expires ?? '-', access, String(problems)],
  ].map(escapeMarkdown);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [markdownRow(head), markdownRow(head.map(() => '---')), ...rows.map(markdownRow), ''];
}

export function renderReportMarkdown(report: ClassReport, files?: StatusFiles): string {
  const { status, totals, nodes } = report;
  const { stands, machines, running, problems } = totals;
  const texts = problemTexts(status.problems, files);
  const bullet = (text: string): string => `- ${escapeMarkdown(text)}`;
  return [
    `${MARKDOWN_HEAD}# ${escapeMarkdown(status.labs.map(({ lab }) => lab).join(', ') || 'no stands')}`,
    '',
    `${stands} stands, ${running} of ${machines} machines running, ${problems} problems; ${asOf(status.now)}`,
    '',
    ...(texts.length === 0 ? [] : ['## Problems', '']),
    ...texts.flatMap(({ title, of, hints }) => [
      `### ${escapeMarkdown(title)}`,
      '',
      ...of.map(bullet),
      '',
      ...hints.map((hint) => `Way out: ${escapeMarkdown(hint)}  `),
      '',
    ]),
    ...status.labs.flatMap((lab) => [
      `## ${escapeMarkdown(lab.lab)}`,
      '',
      ...table(STAND_HEAD, sorted(lab.stands).map(standCells)),
    ]),
    '## Nodes',
    '',
    ...table(
      ['Node', 'State', 'CPU', 'Memory', 'Stands', 'Machines running'],
      nodes.map((node) =>
        [
          ...[
            node.node,
            node.online ? (node.maintenance ? 'maintenance' : 'online') : 'offline',
            shareOf(node.cpu),
          ],
          ...[
            shareOf(node.memoryTotal === 0 ? null : node.memoryUsed / node.memoryTotal),
            String(node.stands.length),
          ],
          `${node.running} of ${node.machines}`,
        ].map(escapeMarkdown),
      ),
    ),
    ...(status.without.length === 0 ? [] : [`No stand: ${escapeMarkdown(status.without.join(', '))}`, '']),
    ...status.notes.map((note) => `Note: ${escapeMarkdown(note)}`),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

const text = (value: string | number | null): string => (value === null ? '' : String(value));

/** One row for each machine. */
export function renderReportCsv({ status }: ClassReport): string {
  const rows = status.labs.flatMap(({ stands }) =>
    sorted(stands).flatMap(({ user, lab, pool, machines, expires, access, problems }) =>
      machines.map((one) => [
        ...[lab, user, pool, text(one.machine), String(one.vmid), text(one.node), one.state],
        ...[text(one.uptime), text(one.cpu), text(one.memory), text(one.memoryTotal)],
        ...[text(expires), access, String(problems)],
        one.addresses === undefined ? '' : addressText(one),
        one.snapshots === undefined ? '' : snapshotText(one),
      ]),
    ),
  );
  return formatCsv(CSV_COLUMNS, rows);
}

/** The status (status.schema.json), counted. */
export function toReportDocument(report: ClassReport, files?: StatusFiles): JsonObject {
  const { status, totals, topology } = report;
  return orderedObject({ totals, topology, status: toStatusDocument(status, files) });
}

export function renderReportJson(report: ClassReport, files?: StatusFiles): string {
  const document = { kind: 'deploy-stand report', ...toReportDocument(report, files) };
  return `${JSON.stringify(document, null, 2)}\n`;
}
