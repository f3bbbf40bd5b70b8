/** The stands of a class as a table per lab, then what is wrong and the way out. Same report, same text. */
import type { LabStatus, StandStatus, StatusReport } from '../plan/views/status-types.ts';
import { noteIn } from './languages/note-texts.ts';
import { reportEn } from './languages/report-en.ts';
import { labelled, paragraph, renderColumns, ROOMY, type Cell, type RenderOptions } from './layout.ts';
import { orderedObject, type JsonObject } from './ordered-json.ts';
import { createPaint, type Paint } from './paint.ts';
import { machineColumns, type MachineRow, type TerminalColumn } from './machine-columns.ts';
import { STAND_COLUMNS } from './stand-columns.ts';
import { problemTexts, type ProblemText, type StatusFiles } from './status-problems.ts';
import { countOf } from './step-text.ts';

export interface StatusTextOptions extends RenderOptions {
  /** A row for each machine. */
  readonly wide?: boolean;
  /** Also whose each machine is. */
  readonly ownership?: boolean;
  readonly files?: StatusFiles | undefined;
}

const STAND_TABLE = STAND_COLUMNS.flatMap(({ terminal }) => terminal ?? []);

function machineRows(stands: readonly StandStatus[]): MachineRow[] {
  return stands.flatMap((stand) =>
    stand.machines.map((machine, at) => ({ stand, machine, isFirst: at === 0 })),
  );
}

function labLines({ lab, stands }: LabStatus, options: StatusTextOptions, paint: Paint): string[] {
  const machines = stands.flatMap((stand) => stand.machines);
  const running = stands.reduce((sum, stand) => sum + stand.running, 0);
  const bad = stands.filter(({ problems }) => problems > 0).length;
  const title = [
    `lab ${lab}: ${countOf(stands.length, 'stand', 'stands')}`,
    `${running} of ${countOf(machines.length, 'machine', 'machines')} running`,
    ...(bad === 0 ? [] : [`${bad} with problems`]),
  ].join(', ');
  const table = options.wide
    ? tableLines(machineColumns(stands, options), machineRows(stands), options, paint)
    : tableLines(STAND_TABLE, stands, options, paint);
  return [...paragraph(title, { width: options.width, paint: paint.bold }), ...table, ''];
}

function tableLines<Row>(
  columns: readonly TerminalColumn<Row>[],
  rows: readonly Row[],
  { width }: RenderOptions,
  paint: Paint,
): string[] {
  const shown = columns
    .map((column) => ({ ...column, cells: rows.map((row) => column.cell(row, paint)) }))
    .filter(
      ({ isSpared, isQuiet, cells }) =>
        !(width < ROOMY && isSpared) && (!isQuiet || cells.some(({ text }) => !['-', ''].includes(text))),
    );
  const fixed = shown.flatMap(({ folds }, at) => (folds ? [] : [at]));
  const head = shown.map((column): Cell => ({ text: column.head, paint: paint.bold }));
  const body = rows.map((_, at) => shown.flatMap(({ cells }) => cells[at] ?? []));
  return renderColumns([head, ...body], { width, fixed });
}

/** More than this would be a second table. */
const MOST_OF = 8;

function problemLines({ title, of, hints }: ProblemText, { width }: RenderOptions, paint: Paint): string[] {
  const [only, ...others] = of;
  const isOne = only !== undefined && others.length === 0;
  const shown = of.slice(0, MOST_OF);
  return [
    ...paragraph(isOne ? `${title}: ${only}` : `${title} (${of.length}):`, {
      width,
      hang: 4,
      paint: paint.red,
    }),
    ...(isOne ? [] : shown.flatMap((line) => paragraph(line, { width, indent: 2, hang: 2 }))),
    ...(of.length > shown.length ? [`  and ${of.length - shown.length} more`] : []),
    ...labelled('way out', hints.join('\n'), { width, indent: 2 }),
  ];
}

export function renderStatus(report: StatusReport, options: StatusTextOptions): string {
  const { width, color } = options;
  const paint = createPaint(color);
  const { labs, without, problems, notes } = report;
  const texts = problemTexts(problems, options.files);
  const quiet = labs.length > 0 && problems.length === 0 ? ['no problems'] : [];
  return [
    ...(labs.length === 0
      ? ['no stands of deploy-stand', '']
      : labs.flatMap((lab) => labLines(lab, options, paint))),
    ...(without.length === 0
      ? []
      : [...paragraph(`no stand: ${without.join(', ')}`, { width, hang: 2 }), '']),
    ...texts.flatMap((text) => problemLines(text, options, paint)),
    ...quiet,
    ...(notes.length === 0 ? [] : ['']),
    ...notes.flatMap((note) =>
      labelled('note', noteIn(reportEn.notes, note), { width, paint: paint.yellow }),
    ),
  ].join('\n');
}

/** For scripts. A problem has its text and way out, too. */
export function toStatusDocument(report: StatusReport, files?: StatusFiles): JsonObject {
  const problems = report.problems.map((problem) => {
    const [text] = problemTexts([problem], files);
    return {
      ...problem,
      message: `${text?.title ?? ''}: ${text?.of[0] ?? ''}`,
      hint: text?.hints.join('\n') ?? '',
    };
  });
  return orderedObject({
    ...report,
    problems,
    notes: report.notes.map((note) => noteIn(reportEn.notes, note)),
  });
}
