/** The columns of what is told of machines: a row each, at a terminal and on a page; those of CSV are a list of their own. */
import type { MachineStatus, StandStatus } from '../plan/views/status-types.ts';
import { escapeHtml } from './escape-html.ts';
import type { ReportTexts } from './languages/report-texts.ts';
import type { Cell } from './layout.ts';
import type { Paint } from './paint.ts';
import { addressText, memoryShare, moodOf, shareOf, snapshotText, sayAge } from './status-cells.ts';

/** A column at a terminal: its head, what stands in a row, and when it is shown. */
export interface TerminalColumn<Row> {
  readonly head: string;
  readonly cell: (row: Row, paint: Paint) => Cell;
  /** Of which nothing is said where there is nothing to say. */
  readonly isQuiet?: true;
  /** A narrow terminal can do without: it is told below the table, or in the other one. */
  readonly isSpared?: true;
  /** It folds; all others are looked for by eye. */
  readonly folds?: true;
}

export interface MachineRow {
  readonly stand: StandStatus;
  readonly machine: MachineStatus;
  /** What is true of the stand is said once. */
  readonly isFirst: boolean;
}

interface MachineColumn {
  /** Shown where it was asked for, or where others leave room. */
  readonly isAsked?: (
    machine: MachineStatus | undefined,
    options: { readonly ownership?: boolean },
  ) => boolean;
  /** Of the stand: there is no room for it where more is told of machines. */
  readonly isOfStand?: true;
  readonly terminal: TerminalColumn<MachineRow>;
  readonly page:
    | {
        readonly head: (texts: ReportTexts) => string;
        /** On a telephone, where heads have no room, its head stands before it. */
        readonly isNamed?: boolean;
        readonly cell: (one: MachineStatus, texts: ReportTexts) => string;
      }
    | undefined;
}

export function brushOf(
  machines: readonly MachineStatus[],
  paint: Paint,
): { readonly paint?: NonNullable<Cell['paint']> } {
  const brush = { good: paint.green, calm: undefined, warn: paint.yellow, bad: paint.red }[moodOf(machines)];
  return brush ? { paint: brush } : {};
}

export function accessCell({ access }: StandStatus, paint: Paint): Cell {
  return access === 'open' ? { text: access } : { text: access, paint: paint.yellow };
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
  return { text, ...brushOf([machine], paint) };
}

/** `-` is for terminals. */
export const orNothing = (text: string): string => (text === '-' ? '' : text);

const MACHINE_COLUMNS: readonly MachineColumn[] = [
  {
    terminal: {
      ...{ head: 'STUDENT', folds: true },
      cell: ({ stand, isFirst }) => ({ text: isFirst ? stand.user : '' }),
    },
    page: undefined,
  },
  {
    terminal: { head: 'MACHINE', cell: ({ machine }) => ({ text: machine.machine ?? '?' }) },
    page: { head: ({ ofMachine }) => ofMachine.name, cell: ({ machine }) => escapeHtml(machine ?? '?') },
  },
  {
    terminal: { head: 'VMID', cell: ({ machine }) => ({ text: String(machine.vmid) }) },
    page: { head: () => 'VMID', cell: ({ vmid }) => String(vmid) },
  },
  {
    terminal: { head: 'NODE', cell: ({ machine }) => ({ text: machine.node ?? '-' }) },
    page: undefined,
  },
  {
    terminal: { head: 'STATE', folds: true, cell: stateCell },
    page: {
      head: ({ ofMachine }) => ofMachine.state,
      cell: (one, { states }) => `<span class="${moodOf([one])}">${states.state[one.state]}</span>`,
    },
  },
  {
    terminal: { head: 'UP', isQuiet: true, cell: ({ machine }) => ({ text: sayAge(machine.uptime) }) },
    page: {
      ...{ head: ({ up }: ReportTexts) => up, isNamed: true },
      cell: ({ uptime }, { states }) => orNothing(sayAge(uptime, states.span)),
    },
  },
  {
    terminal: {
      ...{ head: 'CPU', isQuiet: true, isSpared: true },
      cell: ({ machine }) => ({ text: shareOf(machine.cpu) }),
    },
    page: { head: ({ cpu }) => cpu, isNamed: true, cell: ({ cpu }) => orNothing(shareOf(cpu)) },
  },
  {
    terminal: {
      ...{ head: 'MEM', isQuiet: true, isSpared: true },
      cell: ({ machine }) => ({ text: shareOf(memoryShare(machine)) }),
    },
    page: {
      ...{ head: ({ memory }: ReportTexts) => memory, isNamed: true },
      cell: (one) => orNothing(shareOf(memoryShare(one))),
    },
  },
  {
    isAsked: (first) => first?.addresses !== undefined,
    terminal: { head: 'ADDRESS', folds: true, cell: ({ machine }) => ({ text: addressText(machine) }) },
    page: {
      ...{ head: ({ ofMachine }: ReportTexts) => ofMachine.addresses, isNamed: true },
      cell: (one, { states }) => escapeHtml(orNothing(addressText(one, states))),
    },
  },
  {
    isAsked: (first) => first?.snapshots !== undefined,
    terminal: { head: 'SNAPSHOTS', folds: true, cell: ({ machine }) => ({ text: snapshotText(machine) }) },
    page: {
      ...{ head: ({ ofMachine }: ReportTexts) => ofMachine.snapshots, isNamed: true },
      cell: (one, { states }) => escapeHtml(snapshotText(one, states)),
    },
  },
  {
    isAsked: (first) => first?.drift !== undefined,
    terminal: { head: 'CHANGED', folds: true, cell: ({ machine }) => ({ text: driftText(machine) }) },
    page: undefined,
  },
  {
    isAsked: (_, { ownership }) => ownership === true,
    terminal: { head: 'WHOSE', cell: ({ machine }) => ({ text: machine.verdict }) },
    page: undefined,
  },
  {
    isOfStand: true,
    terminal: {
      ...{ head: 'EXPIRES', isQuiet: true, isSpared: true },
      cell: ({ stand, isFirst }) => ({ text: isFirst ? (stand.expires ?? '-') : '' }),
    },
    page: undefined,
  },
  {
    isOfStand: true,
    terminal: {
      head: 'ACCESS',
      cell: ({ stand, isFirst }, paint) => (isFirst ? accessCell(stand, paint) : { text: '' }),
    },
    page: undefined,
  },
];

/** Those of the table of machines at a terminal. */
export function machineColumns(
  stands: readonly StandStatus[],
  options: { readonly ownership?: boolean },
): TerminalColumn<MachineRow>[] {
  const [first] = stands.flatMap(({ machines }) => machines);
  const isAsked = ({ isAsked: test }: MachineColumn): boolean => test?.(first, options) === true;
  const hasMore = MACHINE_COLUMNS.some(isAsked);
  return MACHINE_COLUMNS.filter(
    (column) => (column.isAsked === undefined || isAsked(column)) && !(hasMore && column.isOfStand),
  ).map(({ terminal }) => terminal);
}

/** That of the page. */
export function machineTable(machines: readonly MachineStatus[], texts: ReportTexts): string {
  const [first] = machines;
  const columns = MACHINE_COLUMNS.flatMap(({ page, isAsked }) =>
    page && isAsked?.(first, {}) !== false ? [{ ...page, head: escapeHtml(page.head(texts)) }] : [],
  );
  const heads = columns.map(({ head }) => `<th scope="col">${head}</th>`).join('');
  const rows = machines.map((one) => {
    const cells = columns.map(({ head, isNamed = false, cell }) => {
      const label = isNamed ? ` data-label="${head}"` : '';
      return `<td${label}>${cell(one, texts)}</td>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  });
  return `<table><thead><tr>${heads}</tr></thead>${rows.join('')}</table>`;
}

/** A machine as a row of a spreadsheet. */
export interface CsvRow {
  readonly stand: StandStatus;
  readonly machine: MachineStatus;
  /** Its template, and whether it is made from what that is now. */
  readonly made: readonly [template: string, madeFrom: string];
}

const orEmpty = (value: string | number | null): string => (value === null ? '' : String(value));

export const CSV_COLUMNS: readonly { readonly head: string; readonly cell: (row: CsvRow) => string }[] = [
  { head: 'lab', cell: ({ stand }) => stand.lab },
  { head: 'user', cell: ({ stand }) => stand.user },
  { head: 'pool', cell: ({ stand }) => stand.pool },
  { head: 'machine', cell: ({ machine }) => orEmpty(machine.machine) },
  { head: 'vmid', cell: ({ machine }) => String(machine.vmid) },
  { head: 'node', cell: ({ machine }) => orEmpty(machine.node) },
  { head: 'state', cell: ({ machine }) => machine.state },
  { head: 'uptime_s', cell: ({ machine }) => orEmpty(machine.uptime) },
  { head: 'cpu', cell: ({ machine }) => orEmpty(machine.cpu) },
  { head: 'memory_bytes', cell: ({ machine }) => orEmpty(machine.memory) },
  { head: 'memory_total_bytes', cell: ({ machine }) => orEmpty(machine.memoryTotal) },
  { head: 'expires', cell: ({ stand }) => orEmpty(stand.expires) },
  { head: 'access', cell: ({ stand }) => stand.access },
  { head: 'stand_problems', cell: ({ stand }) => String(stand.problems) },
  { head: 'addresses', cell: ({ machine }) => (machine.addresses === undefined ? '' : addressText(machine)) },
  {
    head: 'snapshots',
    cell: ({ machine }) => (machine.snapshots === undefined ? '' : snapshotText(machine)),
  },
  { head: 'template', cell: ({ made: [template] }) => template },
  { head: 'made_from', cell: ({ made: [, madeFrom] }) => madeFrom },
];
