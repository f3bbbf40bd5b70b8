/** What checks found as files: CSV, JSON, JUnit's XML. What guests printed runs in no spreadsheet and breaks no document. */
import type { ChecksReport, CheckResult, StudentChecks } from '../plan/views/checks-types.ts';
import { findingText } from './check-words.ts';
import { findingEn } from './languages/finding-en.ts';
import { formatCsv } from './csv.ts';
import { escapeControl } from './escape.ts';
import { escapeHtml } from './escape-html.ts';
import { orderedObject, type JsonObject } from './ordered-json.ts';

const text = (value: string | number | null | undefined): string =>
  value === null || value === undefined ? '' : String(value);

/** A check of a student; `most`: what it is worth. */
interface CsvRow extends Pick<StudentChecks, 'user' | 'lab'> {
  readonly result: CheckResult;
  readonly most: number | undefined;
}

const CSV_COLUMNS: readonly { readonly head: string; readonly cell: (row: CsvRow) => string }[] = [
  { head: 'lab', cell: ({ lab }) => text(lab) },
  { head: 'user', cell: ({ user }) => user },
  { head: 'check', cell: ({ result }) => result.check },
  { head: 'machine', cell: ({ result }) => result.machine },
  { head: 'vmid', cell: ({ result }) => text(result.vmid) },
  { head: 'verdict', cell: ({ result }) => result.verdict },
  { head: 'points', cell: ({ result }) => String(result.points) },
  { head: 'max_points', cell: ({ most }) => text(most) },
  { head: 'why', cell: ({ result }) => (result.verdict === 'passed' ? '' : result.why) },
  { head: 'exit', cell: ({ result }) => text(result.seen?.exit) },
  {
    head: 'seen',
    cell: ({ result }) => (result.verdict === 'passed' ? '' : escapeControl(findingText(result, findingEn))),
  },
];
const CSV_HEADS = CSV_COLUMNS.map(({ head }) => head);
/** How they begin: by it a file of ours is known again. */
export const CHECKS_CSV_HEAD = CSV_HEADS.join(',');
const KIND = 'deploy-stand checks';
export const CHECKS_JSON_HEAD = `{\n  "kind": "${KIND}"`;
export const JUNIT_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="deploy-stand check"';

/** One row for each check of each student. */
export function renderChecksCsv({ students, checks }: ChecksReport): string {
  const most = new Map(checks.map(({ name, points }) => [name, points]));
  const rows = students.flatMap(({ user, lab, results }) =>
    results.map((result) =>
      CSV_COLUMNS.map(({ cell }) => cell({ user, lab, result, most: most.get(result.check) })),
    ),
  );
  return formatCsv(CSV_HEADS, rows);
}

/** For scripts, and for `report --checks`; its kind comes first. */
export function toChecksDocument(report: ChecksReport): JsonObject {
  return { kind: KIND, ...orderedObject({ ...report }) };
}

export function renderChecksJson(report: ChecksReport): string {
  return `${JSON.stringify(toChecksDocument(report), null, 2)}\n`;
}

/** XML 1.0 has no character for most controls: they are written out. */
const attribute = (name: string, value: string | number): string => ` ${name}="${escapeHtml(String(value))}"`;

function outputOf({ seen }: CheckResult): string {
  const part = (tag: string, said: string | undefined): string =>
    said === undefined ? '' : `<${tag}>${said.split('\n').map(escapeHtml).join('\n')}</${tag}>`;
  return part('system-out', seen?.stdout) + part('system-err', seen?.stderr);
}

function caseOf(student: StudentChecks, result: CheckResult): string {
  const head = `    <testcase${attribute('name', result.check)}${attribute('classname', `${student.user}.${result.machine}`)}`;
  const told = attribute('message', findingText(result, findingEn));
  if (result.verdict === 'passed') return `${head}>${outputOf(result)}</testcase>`;
  const tag = result.verdict === 'failed' ? 'failure' : 'error';
  return `${head}><${tag}${attribute('type', result.why)}${told}/>${outputOf(result)}</testcase>`;
}

/** A suite for each student; what could not be run is an error, not a failure. */
export function renderJunit({ students, totals, now }: ChecksReport): string {
  const all = totals.passed + totals.failed + totals.notRun;
  const suites = students.map((student) => {
    const { user, lab, results, failed, notRun } = student;
    const name = lab === null ? user : `${lab}: ${user}`;
    return [
      `  <testsuite${attribute('name', name)}${attribute('tests', results.length)}${attribute('failures', failed)}${attribute('errors', notRun)}${attribute('timestamp', now)}>`,
      ...results.map((result) => caseOf(student, result)),
      '  </testsuite>',
    ].join('\n');
  });
  return [
    `${JUNIT_HEAD}${attribute('tests', all)}${attribute('failures', totals.failed)}${attribute('errors', totals.notRun)}>`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}
