/** The list of snapshots as a table, then which machines lack one of ours. Same report, same text. */
import { gib } from '../bytes.ts';
import type { SnapshotMachine, SnapshotReport, SnapshotRow } from '../plan/day-two/snapshot-list.ts';
import { groupBy } from '../group.ts';
import { nameSome } from '../plan/document/text.ts';
import { labelled, paragraph, renderColumns, ROOMY, type Cell, type RenderOptions } from './layout.ts';
import { orderedObject, type JsonObject } from './ordered-json.ts';
import { createPaint, type Paint } from './paint.ts';
import { countOf } from './step-text.ts';

const HEAD = ['STUDENT', 'MACHINE', 'VMID', 'NODE', 'SNAPSHOT', 'AGE', 'WHOSE', 'MEMORY'];
/** VMID and node, which `status --wide` tells; a narrow terminal has no room for them. */
const SPARED: readonly number[] = [2, 3];
const WHOSE: Readonly<Record<SnapshotRow['owner'], string>> = {
  baseline: 'ours, baseline',
  ours: 'ours',
  student: 'student',
};
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** More names than this would bury the table. */
const MOST_NAMED = 10;

/** `3d 4h`, `2h 5m`, `12m`, `40s`. */
function spanOf(seconds: number | null): string {
  if (seconds === null) return 'being taken';
  if (seconds >= DAY) return `${Math.floor(seconds / DAY)}d ${Math.floor((seconds % DAY) / HOUR)}h`;
  if (seconds >= HOUR) return `${Math.floor(seconds / HOUR)}h ${Math.floor((seconds % HOUR) / MINUTE)}m`;
  return seconds >= MINUTE ? `${Math.floor(seconds / MINUTE)}m` : `${seconds}s`;
}

function memoryOf({ withMemory, memoryBytes }: SnapshotRow): string {
  if (!withMemory) return '-';
  return memoryBytes === null ? 'yes' : gib(memoryBytes);
}

function emptyText({ state, incapable }: SnapshotMachine): string {
  if (state === 'none') return 'no machine there';
  if (state === 'unreadable') return 'cannot be read';
  return incapable === null ? 'none' : `cannot have any (${incapable})`;
}

function rowsOf(one: SnapshotMachine, isFirst: boolean, paint: Paint): Cell[][] {
  const names = (at: number): Cell[] => [
    { text: isFirst && at === 0 ? one.user : '' },
    { text: at === 0 ? (one.machine ?? '-') : '' },
    { text: at === 0 ? String(one.vmid) : '' },
    { text: at === 0 ? (one.node ?? '-') : '' },
  ];
  if (one.snapshots.length === 0) return [[...names(0), { text: emptyText(one), paint: paint.yellow }]];
  return one.snapshots.map((row, at) => [
    ...names(at),
    { text: row.name },
    { text: spanOf(row.ageSeconds) },
    { text: WHOSE[row.owner], ...(row.owner === 'student' ? { paint: paint.yellow } : {}) },
    { text: memoryOf(row) },
  ]);
}

/** Ends without a line break. */
export function renderSnapshots(report: SnapshotReport, { width, color }: RenderOptions): string {
  const paint = createPaint(color);
  const { machines, lacking } = report;
  const tables = [...groupBy(machines, ({ lab }) => lab)].flatMap(([lab, ofLab]) => [
    ...paragraph(`Lab ${lab}`, { width, paint: paint.bold }),
    ...renderColumns(
      [
        HEAD.map((text): Cell => ({ text, paint: paint.bold })),
        ...ofLab.flatMap((one, at) => rowsOf(one, one.user !== ofLab[at - 1]?.user, paint)),
      ].map((cells) => cells.filter((_, column) => width >= ROOMY || !SPARED.includes(column))),
      { width, indent: 2, fixed: [0] },
    ),
    '',
  ]);
  const lacks = lacking.flatMap(({ lab, snapshot, machines: without }) => {
    const names = without.map(({ user, vmid, machine }) => `${user} ${machine ?? `VM ${vmid}`}`);
    const list = nameSome(names, MOST_NAMED);
    return labelled('note', `lab ${lab}: no snapshot ${snapshot} of ${list}`, { width, paint: paint.yellow });
  });
  const all = machines.flatMap(({ snapshots }) => snapshots);
  const ofStudents = all.filter(({ owner }) => owner === 'student').length;
  return [
    ...tables,
    ...(lacks.length === 0 ? [] : [...lacks, '']),
    ...paragraph(
      `${countOf(all.length, 'snapshot', 'snapshots')} of ${countOf(machines.length, 'machine', 'machines')}: ${all.length - ofStudents} ours, ${ofStudents} of students`,
      { width, paint: paint.bold },
    ),
  ].join('\n');
}

/** For scripts. */
export function toSnapshotsDocument(report: SnapshotReport): JsonObject {
  return orderedObject(report);
}
