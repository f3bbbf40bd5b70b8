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
import { reportTitle } from './report-parts.ts';
import { escapeMarkdown, markdownRow } from './escape-markdown.ts';
import type { JsonObject } from './ordered-json.ts';
import { orderedObject } from './ordered-json.ts';
import { machineMakes, templateLines } from './template-versions.ts';
import { problemTexts, type StatusFiles } from './status-problems.ts';
import { shareOf } from './status-cells.ts';
import { CSV_COLUMNS } from './machine-columns.ts';
import { STAND_COLUMNS } from './stand-columns.ts';
import { toStatusDocument } from './status-text.ts';

/** How they begin. */
export const MARKDOWN_HEAD = '<!-- deploy-stand report -->\n';
export const CSV_HEAD = CSV_COLUMNS.map(({ head }) => head).join(',');
export const JSON_HEAD = '{\n  "kind": "deploy-stand report"';

/** In Markdown. */
function standTable(stands: readonly StandStatus[], texts: ReportTexts): string[] {
  const columns = STAND_COLUMNS.flatMap(({ head, markdown }) => (markdown ? [{ head, cell: markdown }] : []));
  return table(
    columns.map(({ head }) => head(texts)),
    stands.map((stand) => columns.map(({ cell }) => escapeMarkdown(cell(stand, texts)))),
  );
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
    `${MARKDOWN_HEAD}# ${escapeMarkdown(reportTitle(report, words))}`,
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
      ...standTable(lab.stands, words),
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

/** One row for each machine. */
export function renderReportCsv({ status, templates }: ClassReport): string {
  const makes = machineMakes(templates ?? []);
  const stands = status.labs.flatMap((lab) => lab.stands);
  const rows = stands.flatMap((stand) =>
    stand.machines.map((machine) =>
      CSV_COLUMNS.map(({ cell }) => cell({ stand, machine, made: makes(machine) })),
    ),
  );
  return formatCsv(
    CSV_COLUMNS.map(({ head }) => head),
    rows,
  );
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
