/** What checks found as a section of a page. What guests printed is shown, and runs nowhere. */
import type { CheckResult, ChecksReport, StudentChecks } from '../plan/views/checks-types.ts';
import { findingText } from './check-words.ts';
import { escapeHtml } from './escape-html.ts';
import type { ReportTexts } from './languages/report-texts.ts';
import { utcOf } from './moment.ts';
import { rowHtml, sortableTable, type FilledColumn } from './page.ts';

const KINDS = {
  passed: { text: 'passed', kind: 'good', key: '2' },
  failed: { text: 'failed', kind: 'bad', key: '0' },
  'not-run': { text: 'notRun', kind: 'warn', key: '1' },
} as const;

function cellOf(result: CheckResult | undefined, texts: ReportTexts): { html: string; key?: string } {
  if (!result) return { html: '' };
  const { text, kind, key } = KINDS[result.verdict];
  const word = `<span class="${kind}">${texts.checks[text]}</span>`;
  if (result.verdict === 'passed') return { html: word, key };
  const more = `<p>${escapeHtml(findingText(result, texts.findings))}</p>`;
  return { html: `<details><summary>${word}</summary>${more}</details>`, key };
}

const isBad = ({ failed, notRun }: StudentChecks): boolean => failed + notRun > 0;

function columnsOf(
  { checks, maxPoints }: ChecksReport,
  texts: ReportTexts,
): readonly FilledColumn<StudentChecks>[] {
  const share = 100 / (checks.length + 2);
  return [
    { head: texts.student, share, cell: ({ user }) => ({ html: escapeHtml(user) }) },
    {
      ...{ head: texts.checks.points, share },
      cell: ({ points, notRun }) => ({
        // As in the text: it may be more.
        html: `${texts.of(String(points), String(maxPoints))}${notRun > 0 ? ' ?' : ''}`,
        key: String(points),
      }),
    },
    ...checks.map(({ name }): FilledColumn<StudentChecks> => ({
      ...{ head: name, share },
      cell: ({ results }) =>
        cellOf(
          results.findLast(({ check }) => check === name),
          texts,
        ),
    })),
  ];
}

export function checksSection(report: ChecksReport, texts: ReportTexts): string[] {
  const { students, totals, now, lab } = report;
  const columns = columnsOf(report, texts);
  const rows = students.map((student) => ({
    key: `${student.user} ${student.lab ?? ''}`,
    html: rowHtml(student, columns, isBad(student)),
  }));
  const found = texts.checks.totals(totals.passed, totals.failed, totals.notRun);
  const about = `${lab === null ? '' : `${lab}: `}${found}; ${texts.asOf(utcOf(now))}`;
  return [
    `<section><h2>${escapeHtml(texts.checks.title)}</h2>`,
    `<p class="note">${escapeHtml(about)}</p>`,
    ...sortableTable({
      ...{ id: 'checks', caption: texts.checks.title, columns, rows, filter: texts.filter },
      onlyBad: students.some(isBad) ? texts.checks.notAll : undefined,
    }),
    '</section>',
  ];
}
