/** The stands of a class as a table per lab, then what is wrong and the way out. Same report, same text. */
import { compareNatural } from '../order.ts';
import type {
  LabStatus,
  MachineState,
  MachineStatus,
  StandStatus,
  StatusReport,
} from '../plan/views/status-types.ts';
import { reportEn } from './languages/report-en.ts';
import type { SpanTexts, StateTexts } from './languages/report-texts.ts';
import { labelled, paragraph, renderColumns, type Cell, type RenderOptions } from './layout.ts';
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

/** Of which nothing is said where there is nothing to say. */
const QUIET: ReadonlySet<string> = new Set(['EXPIRES', 'PROBLEMS', 'UP', 'CPU', 'MEM']);
/** What a narrow terminal can do without: it is told below the table, or by --wide. */
const SPARED: ReadonlySet<string> = new Set(['CPU', 'MEM', 'PROBLEMS']);
const ROOMY = 76;
/** They fold; all others are looked for by eye. */
const FOLDING: ReadonlySet<string> = new Set([
  'STUDENT',
  'MACHINES',
  'STATE',
  'ADDRESS',
  'SNAPSHOTS',
  'CHANGED',
]);

const HEAD = ['STUDENT', 'NODE', 'MACHINES', 'UP', 'CPU', 'MEM', 'EXPIRES', 'ACCESS', 'PROBLEMS'];
const WIDE_HEAD = ['STUDENT', 'MACHINE', 'VMID', 'NODE', 'STATE', 'UP', 'CPU', 'MEM'];
/** Of a stand; where more is told of machines there is no room for it. */
const WIDE_END = ['EXPIRES', 'ACCESS'];

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

const CALM: ReadonlySet<string> = new Set(['stopped', 'suspended', 'cloning']);

function brushOf(machines: readonly MachineStatus[], paint: Paint): Cell['paint'] {
  if (machines.every(({ state }) => state === 'running')) return paint.green;
  return machines.every(({ state }) => state === 'running' || CALM.has(state)) ? paint.yellow : paint.red;
}

function paintOf(brush: Cell['paint']): { readonly paint?: NonNullable<Cell['paint']> } {
  return brush ? { paint: brush } : {};
}

function accessCell({ access }: StandStatus, paint: Paint): Cell {
  return access === 'open' ? { text: access } : { text: access, paint: paint.yellow };
}

function standCells(stand: StandStatus, paint: Paint): Cell[] {
  const { user, nodes, machines, uptime, cpu, memory, expires, problems } = stand;
  return [
    { text: user },
    { text: nodes.length === 0 ? '-' : nodes.join(', ') },
    { text: machinesText(stand), ...paintOf(brushOf(machines, paint)) },
    { text: spanOf(uptime) },
    { text: shareOf(cpu) },
    { text: shareOf(memory) },
    { text: expires ?? '-' },
    accessCell(stand, paint),
    problems === 0 ? { text: '-' } : { text: String(problems), paint: paint.red },
  ];
}

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

function driftText({ drift }: MachineStatus): string {
  if (drift === null || drift === undefined) return '?';
  if (drift === 'pending') return 'the lab has changed since';
  return drift.length === 0 ? 'no' : drift.map(({ text }) => text).join('; ');
}

/** Columns that were asked for. */
function moreColumns(stands: readonly StandStatus[], options: StatusTextOptions): MoreColumn[] {
  const [first] = stands.flatMap(({ machines }) => machines);
  return [
    ...(first?.addresses === undefined
      ? []
      : [{ head: 'ADDRESS', textOf: (one: MachineStatus) => addressText(one) }]),
    ...(first?.snapshots === undefined
      ? []
      : [{ head: 'SNAPSHOTS', textOf: (one: MachineStatus) => snapshotText(one) }]),
    ...(first?.drift === undefined ? [] : [{ head: 'CHANGED', textOf: driftText }]),
    ...(options.ownership ? [{ head: 'WHOSE', textOf: ({ verdict }: MachineStatus) => verdict }] : []),
  ];
}

interface MoreColumn {
  readonly head: string;
  readonly textOf: (machine: MachineStatus) => string;
}

function machineRows(stand: StandStatus, more: readonly MoreColumn[], paint: Paint): Cell[][] {
  return stand.machines.map((one, at) => {
    const { machine, vmid, node, state, uptime, cpu, memory, memoryTotal, lock } = one;
    const share = memory === null || !memoryTotal ? null : memory / memoryTotal;
    const text = lock === null || state === 'suspended' ? state : `${state} (lock: ${lock})`;
    return [
      { text: at === 0 ? stand.user : '' },
      { text: machine ?? '?' },
      { text: String(vmid) },
      { text: node ?? '-' },
      { text, ...paintOf(brushOf([one], paint)) },
      { text: spanOf(uptime) },
      { text: shareOf(cpu) },
      { text: shareOf(share) },
      ...(more.length > 0
        ? more.map(({ textOf }) => ({ text: textOf(one) }))
        : [
            { text: at === 0 ? (stand.expires ?? '-') : '' },
            at === 0 ? accessCell(stand, paint) : { text: '' },
          ]),
    ];
  });
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
  const sorted = [...stands].sort((a, b) => compareNatural(a.user, b.user) || compareNatural(a.pool, b.pool));
  const more = options.wide ? moreColumns(sorted, options) : [];
  const rows = options.wide
    ? sorted.flatMap((stand) => machineRows(stand, more, paint))
    : sorted.map((stand) => standCells(stand, paint));
  const ending = more.length > 0 ? more.map((column) => column.head) : WIDE_END;
  const titles = options.wide ? [...WIDE_HEAD, ...ending] : HEAD;
  return [
    ...paragraph(title, { width: options.width, paint: paint.bold }),
    ...tableLines(titles, rows, options, paint),
    '',
  ];
}

function tableLines(
  titles: readonly string[],
  rows: readonly (readonly Cell[])[],
  { width }: RenderOptions,
  paint: Paint,
): string[] {
  const isSaid = (title: string, column: number): boolean =>
    !(width < ROOMY && SPARED.has(title)) &&
    (!QUIET.has(title) || rows.some((row) => !['-', '', undefined].includes(row[column]?.text)));
  const shown = titles.map(isSaid);
  const keep = <T>(row: readonly T[]): T[] => row.filter((_, column) => shown[column]);
  const fixed = keep(titles).flatMap((title, column) => (FOLDING.has(title) ? [] : [column]));
  const head = titles.map((text): Cell => ({ text, paint: paint.bold }));
  return renderColumns([head, ...rows].map(keep), { width, fixed });
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
    ...notes.flatMap((note) => labelled('note', note, { width, paint: paint.yellow })),
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
  return orderedObject({ ...report, problems });
}
