/** A class as one page: figures, problems with their way out, the picture of the lab, nodes, stands. Same report, same text. */
import { compareNatural } from '../order.ts';
import type { ClassReport, ReportNode } from '../plan/views/report-types.ts';
import type { ChecksReport } from '../plan/views/checks-types.ts';
import type { MachineStatus, ProblemKind, StandStatus } from '../plan/views/status-types.ts';
import { checksSection } from './checks-html.ts';
import { asOf } from './moment.ts';
import { escapeHtml } from './escape-html.ts';
import {
  gib,
  loadBar,
  pictureSection,
  renderPage,
  sortableTable,
  tiles,
  withCommands,
  type Column,
  type TableCell,
  type TableRow,
} from './page.ts';
import { problemTexts, type ProblemText, type StatusFiles } from './status-problems.ts';
import { addressText, machinesText, shareOf, snapshotText, spanOf } from './status-text.ts';
import { countOf } from './step-text.ts';
import { renderTopologySvg } from './topology-svg.ts';

function titleOf({ status: { labs } }: ClassReport): string {
  const [only] = labs;
  if (!only) return 'No stands';
  return labs.length === 1 ? `Lab ${only.lab}` : `${labs.length} labs`;
}

function figures({ totals }: ClassReport): string[] {
  const { stands, users, machines, running, withProblems, problems, firstEnd, labs } = totals;
  return tiles([
    { value: String(stands), label: labs > 1 ? `stands of ${labs} labs` : 'stands' },
    { value: String(users), label: users === 1 ? 'student' : 'students' },
    {
      value: `${running} / ${machines}`,
      label: 'machines running',
      kind: machines > 0 && running === machines ? 'good' : undefined,
    },
    {
      value: String(withProblems),
      label: 'stands with problems',
      kind: withProblems === 0 ? 'good' : 'bad',
    },
    { value: String(problems), label: 'problems', kind: problems === 0 ? 'good' : 'bad' },
    { value: firstEnd ?? '–', label: 'first to expire' },
  ]);
}

/** They stop nobody's work today. */
const MILD: ReadonlySet<ProblemKind> = new Set(['expires-soon', 'node-maintenance', 'task-failed']);
const MOST_OF = 8;

function list(lines: readonly string[]): string {
  return `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`;
}

function problemHtml({ kind, title, of, hints }: ProblemText): string {
  const [only] = of;
  const isOne = of.length === 1 && only !== undefined;
  const more = of.slice(MOST_OF);
  return [
    `<div class="problem${MILD.has(kind) ? ' mild' : ''}">`,
    `<h3>${escapeHtml(isOne ? `${title}: ${only}` : `${title} (${of.length})`)}</h3>`,
    ...(isOne ? [] : [list(of.slice(0, MOST_OF))]),
    ...(more.length === 0
      ? []
      : [`<details><summary>and ${more.length} more</summary>${list(more)}</details>`]),
    ...hints.map((hint, at) => `<p>${at === 0 ? 'Way out: ' : ''}${withCommands(hint)}</p>`),
    '</div>',
  ].join('');
}

function problems({ status }: ClassReport, files: StatusFiles | undefined): string[] {
  const texts = problemTexts(status.problems, files);
  if (texts.length === 0) return [];
  return ['<section><h2>Problems</h2>', ...texts.map(problemHtml), '</section>'];
}

function nodeHtml(node: ReportNode): string {
  const { online, maintenance, cpu, cpus, memoryUsed, memoryTotal, stands, machines, running } = node;
  const state = !online ? 'offline' : maintenance ? 'maintenance' : '';
  const memory = memoryTotal === 0 ? 0 : memoryUsed / memoryTotal;
  const who = stands.map(({ user, lab }) => `${user} (${lab})`).join(', ');
  return [
    `<div class="node"><h3><span>${escapeHtml(node.node)}</span><span class="bad">${state}</span></h3>`,
    ...(online
      ? [
          loadBar('CPU', `${shareOf(cpu)} of ${cpus}`, cpu),
          loadBar('Memory', `${gib(memoryUsed)} of ${gib(memoryTotal)} GiB`, memory),
        ]
      : []),
    stands.length === 0
      ? '<p class="note">no stands</p>'
      : `<details><summary>${countOf(stands.length, 'stand', 'stands')}, ${running} of ${countOf(machines, 'machine', 'machines')} running</summary><p>${escapeHtml(who)}</p></details>`,
    '</div>',
  ].join('');
}

function nodes({ nodes: all }: ClassReport): string[] {
  return ['<section><h2>Nodes</h2><div class="nodes">', ...all.map(nodeHtml), '</div></section>'];
}

const COLUMNS: readonly Column[] = [
  { head: 'Student' },
  { head: 'Lab' },
  { head: 'Node' },
  { head: 'Machines', isWhole: true },
  { head: 'Up' },
  { head: 'CPU' },
  { head: 'Memory' },
  { head: 'Expires' },
  { head: 'Access' },
  { head: 'Problems' },
];

const CALM: ReadonlySet<string> = new Set(['stopped', 'suspended', 'cloning']);

function kindOf({ state }: MachineStatus): string {
  if (state === 'running') return 'good';
  return CALM.has(state) ? 'warn' : 'bad';
}

/** `-` is for terminals. */
const orNothing = (text: string): string => (text === '-' ? '' : text);

function machineHtml(one: MachineStatus): string {
  const { machine, vmid, state, memory, memoryTotal } = one;
  const share = memory === null || !memoryTotal ? null : memory / memoryTotal;
  const cells = [
    ...[escapeHtml(machine ?? '?'), String(vmid), `<span class="${kindOf(one)}">${escapeHtml(state)}</span>`],
    ...[orNothing(spanOf(one.uptime)), orNothing(shareOf(one.cpu)), orNothing(shareOf(share))],
    ...(one.addresses === undefined ? [] : [escapeHtml(orNothing(addressText(one)))]),
    ...(one.snapshots === undefined ? [] : [escapeHtml(snapshotText(one))]),
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function worst(machines: readonly MachineStatus[]): string {
  const kinds = machines.map(kindOf);
  return ['bad', 'warn'].find((kind) => kinds.includes(kind)) ?? 'good';
}

function machinesHtml(stand: StandStatus): string {
  const text = `<span class="${worst(stand.machines)}">${escapeHtml(machinesText(stand))}</span>`;
  if (stand.machines.length === 0) return text;
  return `<details><summary>${text}</summary><div class="tight"><table>${stand.machines.map(machineHtml).join('')}</table></div></details>`;
}

const key = (value: number | null): string => (value === null ? '' : String(Math.round(value * 1000) / 1000));

function standRow(stand: StandStatus): TableRow {
  const { user, lab, nodes: on, uptime, cpu, memory, expires, access, problems: count, running } = stand;
  const cells: TableCell[] = [
    { html: escapeHtml(user) },
    { html: escapeHtml(lab) },
    { html: escapeHtml(on.join(', ')) },
    { html: machinesHtml(stand), key: String(running) },
    { html: orNothing(spanOf(uptime)), key: key(uptime) },
    { html: orNothing(shareOf(cpu)), key: key(cpu) },
    { html: orNothing(shareOf(memory)), key: key(memory) },
    { html: escapeHtml(expires ?? '') },
    { html: access === 'open' ? access : `<span class="warn">${access}</span>` },
    { html: count === 0 ? '' : `<span class="bad">${count}</span>`, key: count === 0 ? '' : String(count) },
  ];
  return { cells, isBad: count > 0 };
}

function stands({ status: { labs, without } }: ClassReport): string[] {
  const rows = labs
    .flatMap((lab) => [...lab.stands].sort((a, b) => compareNatural(a.user, b.user)))
    .map(standRow);
  const table = { id: 'stands', caption: 'stands', columns: COLUMNS, rows };
  return [
    '<section><h2>Stands</h2>',
    ...sortableTable({ ...table, onlyBad: rows.some(({ isBad }) => isBad) ? 'with problems' : undefined }),
    ...(without.length === 0 ? [] : [`<p>No stand: ${escapeHtml(without.join(', '))}</p>`]),
    '</section>',
  ];
}

function notes({ status }: ClassReport): string[] {
  if (status.notes.length === 0) return [];
  return [
    '<section><h2>What could not be seen</h2>',
    ...status.notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`),
    '</section>',
  ];
}

/** `checks`: what `check` found, where its results were given. */
export function renderReportHtml(report: ClassReport, files?: StatusFiles, checks?: ChecksReport): string {
  return renderPage({
    title: titleOf(report),
    lines: [asOf(report.status.now)],
    body: [
      ...figures(report),
      ...problems(report, files),
      ...(report.topology ? pictureSection(renderTopologySvg(report.topology)) : []),
      ...(checks ? checksSection(checks) : []),
      ...nodes(report),
      ...stands(report),
      ...notes(report),
    ],
  });
}
