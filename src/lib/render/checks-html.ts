/** What checks found as a section of a page. What guests printed is shown, and runs nowhere. */
import type { CheckResult, ChecksReport, StudentChecks } from '../plan/views/checks-types.ts';
import { findingText } from './check-words.ts';
import { escapeHtml } from './escape-html.ts';
import { asOf } from './moment.ts';
import { sortableTable, type TableCell, type TableRow } from './page.ts';

const WORDS = {
  passed: { word: 'ok', kind: 'good', key: '2' },
  failed: { word: 'failed', kind: 'bad', key: '0' },
  'not-run': { word: 'not run', kind: 'warn', key: '1' },
} as const;

function cellOf(result: CheckResult | undefined): TableCell {
  if (!result) return { html: '' };
  const { word, kind, key } = WORDS[result.verdict];
  const text = `<span class="${kind}">${word}</span>`;
  if (result.verdict === 'passed') return { html: text, key };
  const more = `<p>${escapeHtml(findingText(result))}</p>`;
  return { html: `<details><summary>${text}</summary>${more}</details>`, key };
}

function rowOf({ checks, maxPoints }: ChecksReport, student: StudentChecks): TableRow {
  const by = new Map(student.results.map((result) => [result.check, result]));
  const points = { html: `${student.points} of ${maxPoints}`, key: String(student.points) };
  const cells = checks.map(({ name }) => cellOf(by.get(name)));
  return {
    cells: [{ html: escapeHtml(student.user) }, points, ...cells],
    isBad: student.failed + student.notRun > 0,
  };
}

export function checksSection(report: ChecksReport): string[] {
  const { checks, students, totals, now, lab } = report;
  const rows = students.map((student) => rowOf(report, student));
  const about = `${totals.passed} passed, ${totals.failed} failed, ${totals.notRun} could not be run; ${asOf(now)}`;
  return [
    '<section><h2>Checks</h2>',
    `<p class="note">${escapeHtml(lab === null ? about : `${lab}: ${about}`)}</p>`,
    ...sortableTable({
      id: 'checks',
      caption: 'checks',
      columns: [{ head: 'Student' }, { head: 'Points' }, ...checks.map(({ name }) => ({ head: name }))],
      rows,
      onlyBad: rows.some(({ isBad }) => isBad) ? 'not all passed' : undefined,
    }),
    '</section>',
  ];
}
