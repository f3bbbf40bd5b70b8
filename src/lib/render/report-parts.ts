/** The parts of the page of a class, each by itself: figures, problems with their way out, nodes, stands. Same report, same text. */
import type { ChecksReport } from '../plan/views/checks-types.ts';
import type { ClassReport, ReportNode } from '../plan/views/report-types.ts';
import { escapeHtml } from './escape-html.ts';
import type { Language } from './languages/codes.ts';
import { noteIn } from './languages/note-texts.ts';
import type { ReportTexts } from './languages/report-texts.ts';
import { utcOf } from './moment.ts';
import {
  wholeGib,
  headLine,
  headTitle,
  loadBar,
  rowHtml,
  tileParts,
  withCommands,
  type Tile,
} from './page.ts';
import type { Part } from './parts.ts';
import { problemTexts, type ProblemText, type StatusFiles } from './status-problems.ts';
import { templateParts } from './template-versions.ts';
import { shareOf } from './status-cells.ts';
import { pageColumns } from './stand-columns.ts';

export interface ReportOptions {
  readonly files?: StatusFiles | undefined;
  readonly language?: Language;
  /** What `check` found, where its results were given. */
  readonly checks?: ChecksReport | undefined;
}

/** One list for each; a type alias, so that it can be looked through. */
export type ReportParts = {
  readonly head: readonly Part[];
  readonly tiles: readonly Part[];
  readonly problems: readonly Part[];
  readonly nodes: readonly Part[];
  readonly templates: readonly Part[];
  readonly stands: readonly Part[];
  readonly without: readonly Part[];
  readonly notes: readonly Part[];
};

function checkFigures({ totals }: ChecksReport, { checks }: ReportTexts): Tile[] {
  const { failed, notRun } = totals;
  return [
    { value: String(failed), label: checks.tileFailed, kind: failed === 0 ? 'good' : 'bad' },
    ...(notRun === 0 ? [] : [{ value: String(notRun), label: checks.tileNotRun, kind: 'bad' as const }]),
  ];
}

function figures({ totals }: ClassReport, texts: ReportTexts, checks: ChecksReport | undefined): Part[] {
  const { stands, users, machines, running, withProblems, problems, firstEnd, labs } = totals;
  return tileParts([
    { value: String(stands), label: texts.tileStands(labs) },
    { value: String(users), label: texts.tileStudents(users) },
    {
      value: `${running} / ${machines}`,
      label: texts.tileRunning,
      kind: machines > 0 && running === machines ? 'good' : undefined,
    },
    {
      value: String(withProblems),
      label: texts.tileWithProblems,
      kind: withProblems === 0 ? 'good' : 'bad',
    },
    { value: String(problems), label: texts.tileProblems, kind: problems === 0 ? 'good' : 'bad' },
    ...(checks ? checkFigures(checks, texts) : []),
    { value: firstEnd ?? '–', label: texts.tileFirstEnd },
  ]);
}

const MOST_OF = 8;

function list(lines: readonly string[]): string {
  return `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`;
}

function problemHtml({ isMild, title, of, hints }: ProblemText, texts: ReportTexts): string {
  const [only] = of;
  const isOne = of.length === 1 && only !== undefined;
  const more = of.slice(MOST_OF);
  return [
    `<div class="problem${isMild ? ' mild' : ''}">`,
    `<h3>${escapeHtml(isOne ? `${title}: ${only}` : `${title} (${of.length})`)}</h3>`,
    ...(isOne ? [] : [list(of.slice(0, MOST_OF))]),
    ...(more.length === 0 ? [] : [`<details><summary>+ ${more.length}</summary>${list(more)}</details>`]),
    ...hints.map((hint, at) => `<p>${at === 0 ? texts.wayOut(withCommands(hint)) : withCommands(hint)}</p>`),
    '</div>',
  ].join('');
}

function nodeHtml(node: ReportNode, texts: ReportTexts): string {
  const { online, maintenance, cpu, cpus, memoryUsed, memoryTotal, stands, machines, running } = node;
  const state = !online ? texts.offline : maintenance ? texts.maintenance : '';
  const memory = memoryTotal === 0 ? 0 : memoryUsed / memoryTotal;
  const who = stands.map(({ user, lab }) => `${user} (${lab})`).join(', ');
  return [
    `<div class="node"><h3><span>${escapeHtml(node.node)}</span><span class="bad">${state}</span></h3>`,
    ...(online
      ? [
          loadBar(texts.cpu, texts.of(shareOf(cpu), String(cpus)), cpu),
          loadBar(texts.memory, `${texts.of(wholeGib(memoryUsed), wholeGib(memoryTotal))} GiB`, memory),
        ]
      : []),
    stands.length === 0
      ? `<p class="note">${texts.noStandsHere}</p>`
      : `<details><summary>${texts.onNode(stands.length, running, machines)}</summary><p>${escapeHtml(who)}</p></details>`,
    '</div>',
  ].join('');
}

export function reportTitle({ status: { labs } }: ClassReport, texts: ReportTexts): string {
  const [only] = labs;
  if (!only) return texts.noStands;
  return labs.length === 1 ? texts.oneLab(only.lab) : texts.severalLabs(labs.length);
}

export function reportParts(
  report: ClassReport,
  texts: ReportTexts,
  { files, checks }: Pick<ReportOptions, 'files' | 'checks'>,
): ReportParts {
  const { labs, without, notes, problems, now } = report.status;
  const stands = labs.flatMap((lab) => lab.stands);
  const columns = pageColumns(texts);
  return {
    head: [
      { key: 'title', html: headTitle(reportTitle(report, texts)) },
      { key: 'time', html: headLine(texts.asOf(utcOf(now))) },
    ],
    tiles: figures(report, texts, checks),
    problems: problemTexts(problems, files, texts.problemTexts).map((text) => ({
      key: text.kind,
      html: problemHtml(text, texts),
    })),
    nodes: report.nodes.map((node) => ({ key: node.node, html: nodeHtml(node, texts) })),
    templates: templateParts(report.templates ?? [], texts, files),
    stands: stands.map((stand) => ({
      key: `${stand.lab}/${stand.pool}`,
      html: rowHtml(stand, columns, stand.problems > 0),
    })),
    without:
      without.length === 0 ? [] : [{ key: '0', html: headLine(texts.withoutStand(without.join(', '))) }],
    notes: notes.map((note, at) => ({
      ...{ key: String(at), html: `<p class="note">${escapeHtml(noteIn(texts.notes, note))}</p>` },
    })),
  };
}
