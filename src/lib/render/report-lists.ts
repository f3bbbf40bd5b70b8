/** A class as Markdown, as a spreadsheet of its machines, and as data. Same report, same text. */
import type { ClassReport, ReportNode } from '../plan/views/report-types.ts';
import type { StandStatus } from '../plan/views/status-types.ts';
import { utcOf } from './moment.ts';
import { formatCsv } from './csv.ts';
import { DEFAULT_LANGUAGE } from './languages/codes.ts';
import { REPORT_LANGUAGES } from './languages/languages.ts';
import { noteIn } from './languages/note-texts.ts';
import type { ReportTexts } from './languages/report-texts.ts';
import type { ReportOptions } from './report-parts.ts';
import { titleOf } from './report-parts.ts';
import { escapeMarkdown, markdownRow } from './escape-markdown.ts';
import type { JsonObject } from './ordered-json.ts';
import { orderedObject } from './ordered-json.ts';
import { machineMakes, templateLines } from './template-versions.ts';
import { problemTexts, type StatusFiles } from './status-problems.ts';
import { addressText, machinesText, shareOf, snapshotText, spanOf, toStatusDocument } from './status-text.ts';

/** How they begin. */
export const MARKDOWN_HEAD = '<!-- deploy-stand report -->\n';
const CSV_COLUMNS = [
  ...['lab', 'user', 'pool', 'machine', 'vmid', 'node', 'state', 'uptime_s', 'cpu', 'memory_bytes'],
  ...['memory_total_bytes', 'expires', 'access', 'stand_problems', 'addresses', 'snapshots'],
  ...['template', 'made_from'],
];
export const CSV_HEAD = CSV_COLUMNS.join(',');
export const JSON_HEAD = '{\n  "kind": "deploy-stand report"';

function standHead(texts: ReportTexts): string[] {
  const { student, node, machines, up, cpu, memory, expires, access, problems } = texts;
  return [student, node, machines, up, cpu, memory, expires, access, problems];
}

function standCells(stand: StandStatus, { states, accessOf }: ReportTexts): string[] {
  const { user, nodes, uptime, cpu, memory, expires, access, problems } = stand;
  return [
    ...[user, nodes.join(', '), machinesText(stand, states), spanOf(uptime, states.span), shareOf(cpu)],
    ...[shareOf(memory), expires ?? '-', accessOf[access], String(problems)],
  ].map(escapeMarkdown);
}

function nodeCells(node: ReportNode, texts: ReportTexts): string[] {
  const { online, maintenance, memoryUsed, memoryTotal, stands, running, machines } = node;
  return [
    ...[node.node, online ? (maintenance ? texts.maintenance : '') : texts.offline, shareOf(node.cpu)],
    shareOf(memoryTotal === 0 ? null : memoryUsed / memoryTotal),
    stands.length === 0 ? texts.noStandsHere : texts.onNode(stands.length, running, machines),
  ].map(escapeMarkdown);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [markdownRow(head), markdownRow(head.map(() => '---')), ...rows.map(markdownRow), ''];
}

export function renderReportMarkdown(
  report: ClassReport,
  { files, language = DEFAULT_LANGUAGE }: ReportOptions = {},
): string {
  const { status, totals, nodes } = report;
  const { stands, machines, running, problems, labs } = totals;
  const words = REPORT_LANGUAGES[language];
  const texts = problemTexts(status.problems, files, words.problemTexts);
  const bullet = (text: string): string => `- ${escapeMarkdown(text)}`;
  const figures = [
    `${words.tileStands(labs)}: ${stands}`,
    `${words.tileRunning}: ${words.of(String(running), String(machines))}`,
    `${words.tileProblems}: ${problems}`,
    words.asOf(utcOf(status.now)),
  ];
  return [
    `${MARKDOWN_HEAD}# ${escapeMarkdown(titleOf(report, words))}`,
    '',
    figures.join('; '),
    '',
    ...(texts.length === 0 ? [] : [`## ${words.problems}`, '']),
    ...texts.flatMap(({ title, of, hints }) => [
      `### ${escapeMarkdown(title)}`,
      '',
      ...of.map(bullet),
      '',
      ...hints.map((hint) => `${words.wayOut(escapeMarkdown(hint))}  `),
      '',
    ]),
    ...status.labs.flatMap((lab) => [
      `## ${escapeMarkdown(words.oneLab(lab.lab))}`,
      '',
      ...table(
        standHead(words),
        lab.stands.map((stand) => standCells(stand, words)),
      ),
    ]),
    ...templateLines(report.templates ?? [], words, files),
    `## ${words.nodes}`,
    '',
    ...table(
      [words.node, '', words.cpu, words.memory, words.stands],
      nodes.map((node) => nodeCells(node, words)),
    ),
    ...(status.without.length === 0
      ? []
      : [escapeMarkdown(words.withoutStand(status.without.join(', '))), '']),
    ...(status.notes.length === 0
      ? []
      : [`## ${words.notSeen}`, '', ...status.notes.map((note) => bullet(noteIn(words.notes, note)))]),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

const text = (value: string | number | null): string => (value === null ? '' : String(value));

/** One row for each machine. */
export function renderReportCsv({ status, templates }: ClassReport): string {
  const makes = machineMakes(templates ?? []);
  const rows = status.labs.flatMap(({ stands }) =>
    stands.flatMap(({ user, lab, pool, machines, expires, access, problems }) =>
      machines.map((one) => [
        ...[lab, user, pool, text(one.machine), String(one.vmid), text(one.node), one.state],
        ...[text(one.uptime), text(one.cpu), text(one.memory), text(one.memoryTotal)],
        ...[text(expires), access, String(problems)],
        one.addresses === undefined ? '' : addressText(one),
        one.snapshots === undefined ? '' : snapshotText(one),
        ...makes(one),
      ]),
    ),
  );
  return formatCsv(CSV_COLUMNS, rows);
}

/** The status (status.schema.json), counted. */
export function toReportDocument(report: ClassReport, files?: StatusFiles): JsonObject {
  const { status, totals, topology, templates } = report;
  return orderedObject({ totals, topology, templates, status: toStatusDocument(status, files) });
}

export function renderReportJson(report: ClassReport, { files }: ReportOptions = {}): string {
  const document = { kind: 'deploy-stand report', ...toReportDocument(report, files) };
  return `${JSON.stringify(document, null, 2)}\n`;
}
