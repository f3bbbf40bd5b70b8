/** A class as one page: to hand on, or to be kept up to date by the server that it came from. Same report, same text. */
import type { ChecksReport } from '../plan/views/checks-types.ts';
import type { ClassReport } from '../plan/views/report-types.ts';
import { checksSection } from './checks-html.ts';
import { escapeHtml } from './escape-html.ts';
import { DEFAULT_LANGUAGE } from './languages/codes.ts';
import { REPORT_LANGUAGES } from './languages/languages.ts';
import type { AwayError } from './languages/note-texts.ts';
import type { ReportTexts } from './languages/report-texts.ts';
import { listOf, pictureSection, renderPage, sentParts, sortableTable, tiles } from './page.ts';
import type { Parts } from './parts.ts';
import { reportParts, reportTitle, type ReportOptions, type ReportParts } from './report-parts.ts';
import { pageColumns } from './stand-columns.ts';
import { renderTopologySvg } from './topology-svg.ts';

interface Whole {
  readonly report: ClassReport;
  readonly parts: ReportParts;
  readonly texts: ReportTexts;
  /** What is empty has its place, so that nothing moves when it is filled. */
  readonly isLive: boolean;
  readonly checks?: ChecksReport | undefined;
}

function section(title: string, html: readonly string[]): string[] {
  return [`<section><h2>${escapeHtml(title)}</h2>`, ...html, '</section>'];
}

function problems({ parts, texts, isLive }: Whole): string[] {
  if (isLive) {
    // Its height is that of the first look: a class without problems has no large empty box, and nothing moves when one comes.
    const calm = parts.problems.length === 0 ? ' calm' : '';
    const tag = `div class="problems${calm}" tabindex="0" role="region" aria-label="${escapeHtml(texts.problems)}" data-empty="${escapeHtml(texts.live.noProblems)}"`;
    return section(texts.problems, [listOf(tag, 'problems', parts.problems)]);
  }
  return parts.problems.length === 0
    ? []
    : section(texts.problems, [listOf('div', 'problems', parts.problems)]);
}

function stands({ report, parts, texts, isLive }: Whole): string[] {
  const hasBad = isLive || report.totals.withProblems > 0;
  return section(texts.stands, [
    ...sortableTable({
      ...{ id: 'stands', caption: texts.stands, columns: pageColumns(texts), rows: parts.stands },
      ...{ filter: texts.filter, onlyBad: hasBad ? texts.withProblems : undefined },
    }),
    listOf('div', 'without', parts.without),
  ]);
}

function body(whole: Whole): string[] {
  const { report, parts, texts, isLive, checks } = whole;
  return [
    tiles(parts.tiles, texts.summary),
    ...problems(whole),
    ...(report.topology ? pictureSection(renderTopologySvg(report.topology, texts), texts.oneStand) : []),
    ...(checks ? checksSection(checks, texts) : []),
    ...(report.templates && report.templates.length > 0
      ? section(texts.templates.title, [listOf('div class="nodes"', 'templates', parts.templates)])
      : []),
    ...section(texts.nodes, [listOf('div class="nodes"', 'nodes', parts.nodes)]),
    ...stands(whole),
    ...(isLive || parts.notes.length > 0
      ? section(texts.notSeen, [listOf('div', 'notes', parts.notes)])
      : []),
  ];
}

export function renderReportHtml(
  report: ClassReport,
  { files, language = DEFAULT_LANGUAGE, checks }: ReportOptions = {},
): string {
  const texts = REPORT_LANGUAGES[language];
  const parts = reportParts(report, texts, { files, checks });
  return renderPage({
    ...{ title: reportTitle(report, texts), language, head: parts.head.map(({ html }) => html) },
    body: body({ report, parts, texts, isLive: false, checks }),
  });
}

/** How the cluster is being looked at. */
export interface LookState {
  readonly intervalSeconds: number;
  /** Since when the cluster does not answer, as it is said to people, and why; absent: it does. */
  readonly away?: {
    readonly since: string;
    readonly error: AwayError;
  };
}

export interface LivePage {
  /** What may change, as it is sent. */
  readonly parts: Parts;
  /** The whole, for who comes now. */
  readonly page: (version: string) => string;
}

export function renderLiveReport(
  report: ClassReport,
  look: LookState,
  { files, language = DEFAULT_LANGUAGE }: ReportOptions = {},
): LivePage {
  const texts = REPORT_LANGUAGES[language];
  const parts = reportParts(report, texts, { files });
  const { away, intervalSeconds } = look;
  const html = away
    ? `<p class="bad">${escapeHtml(texts.live.away(away.since, texts.notes.away(away.error)))}</p>`
    : `<p>${escapeHtml(texts.live.every(intervalSeconds))}</p>`;
  const live = [{ key: 'look', html }];
  return {
    parts: sentParts({ ...parts, live }),
    page: (version) =>
      renderPage({
        ...{ title: reportTitle(report, texts), language, version },
        head: [
          listOf('div', 'head', parts.head),
          `<div class="state">${listOf('div role="status"', 'live', live)}<p id="link" class="bad" role="status" hidden>${escapeHtml(texts.live.noLink)}</p></div>`,
        ],
        body: body({ report, parts, texts, isLive: true }),
      }),
  };
}
