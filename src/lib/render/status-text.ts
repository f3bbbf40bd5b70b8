/** The stands of a class as a table per lab, then what is wrong and the way out. Same report, same text. */
import type {
  LabStatus,
  MachineState,
  MachineStatus,
  StandStatus,
  StatusReport,
} from '../plan/views/status-types.ts';
import { reportEn } from './languages/report-en.ts';
import type { SpanTexts, StateTexts } from './languages/report-texts.ts';
import { labelled, paragraph, renderColumns, ROOMY, type Cell, type RenderOptions } from './layout.ts';
import { orderedObject, type JsonObject } from './ordered-json.ts';
import { createPaint, type Paint } from './paint.ts';
import { problemTexts, type ProblemText, type StatusFiles } from './status-problems.ts';
import { countOf } from './step-text.ts';

export interface StatusTextOptions extends RenderOptions {
  /** A row for each machine. */
  readonly wide?: boolean;
  /** Also whose each machine is. */
  readonly ownership?: boolean;
  readonly files?: StatusFiles | undefined;
}

const EN = reportEn.states;

/** A column of one of the two tables: its head, what stands in a row, and when it is shown. */
interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row, paint: Paint) => Cell;
  /** Of which nothing is said where there is nothing to say. */
  readonly isQuiet?: true;
  /** A narrow terminal can do without: it is told below the table, or in the other one. */
  readonly isSpared?: true;
  /** It folds; all others are looked for by eye. */
  readonly folds?: true;
}

/** Shown where it was asked for, or where others leave room. */
interface MachineColumn extends Column<MachineRow> {
  readonly isAsked?: (machine: MachineStatus | undefined, options: StatusTextOptions) => boolean;
  /** Of the stand: there is no room for it where more is told of machines. */
  readonly isOfStand?: true;
}

interface MachineRow {
  readonly stand: StandStatus;
  readonly machine: MachineStatus;
  /** What is true of the stand is said once. */
  readonly isFirst: boolean;
}

/** `3d 4h`, `2h 5m`, `12m`. */
export function spanOf(seconds: number | null, { day, hour, minute }: SpanTexts = EN.span): string {
  if (seconds === null) return '-';
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days}${day} ${hours % 24}${hour}`;
  return hours > 0 ? `${hours}${hour} ${minutes % 60}${minute}` : `${minutes}${minute}`;
}

export function shareOf(fraction: number | null): string {
  return fraction === null ? '-' : `${Math.round(fraction * 100)}%`;
}

/** `3 running`, `2 of 3 running, 1 missing`. */
export function machinesText({ machines, running }: StandStatus, texts: StateTexts = EN): string {
  if (machines.length === 0) return texts.none;
  const others = new Map<MachineState, number>();
  for (const { state } of machines) {
    if (state !== 'running') others.set(state, (others.get(state) ?? 0) + 1);
  }
  if (others.size === 0) return texts.allRunning(machines.length);
  const parts = [...others].map(([state, count]) => texts.counted(count, texts.state[state]));
  return (running === 0 ? parts : [texts.someRunning(running, machines.length), ...parts]).join(', ');
}

/** Neither running nor wrong. */
const CALM: ReadonlySet<string> = new Set(['stopped', 'suspended', 'cloning', 'being made', 'being removed']);

const isRunning = ({ state }: MachineStatus): boolean => state === 'running';

/** How its lab has it: nobody has to look. */
const isAsMeant = (one: MachineStatus): boolean => isRunning(one) || one.rests === true;

/** Of one machine, or the worst of several. `calm`: all are as their lab has them, and none runs. */
export function moodOf(machines: readonly MachineStatus[]): 'good' | 'calm' | 'warn' | 'bad' {
  if (machines.every(isAsMeant)) return machines.length === 0 || machines.some(isRunning) ? 'good' : 'calm';
  return machines.every((one) => isAsMeant(one) || CALM.has(one.state)) ? 'warn' : 'bad';
}

function brushOf(machines: readonly MachineStatus[], paint: Paint): Cell['paint'] {
  return { good: paint.green, calm: undefined, warn: paint.yellow, bad: paint.red }[moodOf(machines)];
}

function paintOf(brush: Cell['paint']): { readonly paint?: NonNullable<Cell['paint']> } {
  return brush ? { paint: brush } : {};
}

function accessCell({ access }: StandStatus, paint: Paint): Cell {
  return access === 'open' ? { text: access } : { text: access, paint: paint.yellow };
}

const STAND_COLUMNS: readonly Column<StandStatus>[] = [
  { head: 'STUDENT', folds: true, cell: ({ user }) => ({ text: user }) },
  { head: 'NODE', cell: ({ nodes }) => ({ text: nodes.length === 0 ? '-' : nodes.join(', ') }) },
  {
    head: 'MACHINES',
    folds: true,
    cell: (stand, paint) => ({
      text: machinesText(stand),
      isList: true,
      ...paintOf(brushOf(stand.machines, paint)),
    }),
  },
  { head: 'UP', isQuiet: true, cell: ({ uptime }) => ({ text: spanOf(uptime) }) },
  { head: 'CPU', isQuiet: true, isSpared: true, cell: ({ cpu }) => ({ text: shareOf(cpu) }) },
  { head: 'MEM', isQuiet: true, isSpared: true, cell: ({ memory }) => ({ text: shareOf(memory) }) },
  { head: 'EXPIRES', isQuiet: true, cell: ({ expires }) => ({ text: expires ?? '-' }) },
  { head: 'ACCESS', cell: accessCell },
  {
    head: 'PROBLEMS',
    isQuiet: true,
    isSpared: true,
    cell: ({ problems }, paint) =>
      problems === 0 ? { text: '-' } : { text: String(problems), paint: paint.red },
  },
];

export function addressText({ addresses }: MachineStatus, texts: StateTexts = EN): string {
  if (addresses === null || addresses === undefined) return '-';
  const { noAgent, silentAgent, forbidden } = texts;
  if (typeof addresses === 'string') return { off: noAgent, silent: silentAgent, forbidden }[addresses];
  return addresses.length === 0 ? texts.none : addresses.join(' ');
}

export function snapshotText({ snapshots }: MachineStatus, texts: StateTexts = EN): string {
  if (snapshots === null || snapshots === undefined) return '?';
  if (snapshots.length === 0) return texts.none;
  return snapshots.map(({ name, isBaseline }) => (isBaseline ? `${name}*` : name)).join(' ');
}

function driftText({ state, drift }: MachineStatus): string {
  if (state === 'missing') return '-';
  if (drift === null || drift === undefined) return '?';
  if (drift === 'pending') return 'the lab has changed since';
  return drift.length === 0 ? 'no' : drift.map(({ text }) => text).join('; ');
}

function stateCell({ machine }: MachineRow, paint: Paint): Cell {
  const { state, lock } = machine;
  const text = lock === null || state === 'suspended' ? state : `${state} (lock: ${lock})`;
  return { text, ...paintOf(brushOf([machine], paint)) };
}

function memoryShare({ memory, memoryTotal }: MachineStatus): number | null {
  return memory === null || !memoryTotal ? null : memory / memoryTotal;
}

const MACHINE_COLUMNS: readonly MachineColumn[] = [
  { head: 'STUDENT', folds: true, cell: ({ stand, isFirst }) => ({ text: isFirst ? stand.user : '' }) },
  { head: 'MACHINE', cell: ({ machine }) => ({ text: machine.machine ?? '?' }) },
  { head: 'VMID', cell: ({ machine }) => ({ text: String(machine.vmid) }) },
  { head: 'NODE', cell: ({ machine }) => ({ text: machine.node ?? '-' }) },
  { head: 'STATE', folds: true, cell: stateCell },
  { head: 'UP', isQuiet: true, cell: ({ machine }) => ({ text: spanOf(machine.uptime) }) },
  { head: 'CPU', isQuiet: true, isSpared: true, cell: ({ machine }) => ({ text: shareOf(machine.cpu) }) },
  {
    head: 'MEM',
    isQuiet: true,
    isSpared: true,
    cell: ({ machine }) => ({ text: shareOf(memoryShare(machine)) }),
  },
  {
    head: 'ADDRESS',
    folds: true,
    isAsked: (first) => first?.addresses !== undefined,
    cell: ({ machine }) => ({ text: addressText(machine) }),
  },
  {
    head: 'SNAPSHOTS',
    folds: true,
    isAsked: (first) => first?.snapshots !== undefined,
    cell: ({ machine }) => ({ text: snapshotText(machine) }),
  },
  {
    head: 'CHANGED',
    folds: true,
    isAsked: (first) => first?.drift !== undefined,
    cell: ({ machine }) => ({ text: driftText(machine) }),
  },
  {
    head: 'WHOSE',
    isAsked: (_, options) => options.ownership === true,
    cell: ({ machine }) => ({ text: machine.verdict }),
  },
  {
    head: 'EXPIRES',
    isQuiet: true,
    isSpared: true,
    isOfStand: true,
    cell: ({ stand, isFirst }) => ({ text: isFirst ? (stand.expires ?? '-') : '' }),
  },
  {
    head: 'ACCESS',
    isOfStand: true,
    cell: ({ stand, isFirst }, paint) => (isFirst ? accessCell(stand, paint) : { text: '' }),
  },
];

function machineColumns(stands: readonly StandStatus[], options: StatusTextOptions): MachineColumn[] {
  const [first] = stands.flatMap(({ machines }) => machines);
  const isAsked = ({ isAsked: test }: MachineColumn): boolean => test?.(first, options) === true;
  const hasMore = MACHINE_COLUMNS.some(isAsked);
  return MACHINE_COLUMNS.filter(
    (column) => (column.isAsked === undefined || isAsked(column)) && !(hasMore && column.isOfStand),
  );
}

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
    : tableLines(STAND_COLUMNS, stands, options, paint);
  return [...paragraph(title, { width: options.width, paint: paint.bold }), ...table, ''];
}

function tableLines<Row>(
  columns: readonly Column<Row>[],
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
    ...notes.flatMap(({ text }) => labelled('note', text, { width, paint: paint.yellow })),
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
  return orderedObject({ ...report, problems, notes: report.notes.map(({ text }) => text) });
}
