/** What checks found as a table, then who did not pass and why. Same report, same text. */
import { groupBy } from '../group.ts';
import { nameSome } from '../plan/document/text.ts';
import type { AskedCheck, CheckResult, ChecksReport, StudentChecks } from '../plan/views/checks-types.ts';
import { findingText, saidText, WAYS_TO_RUN } from './check-words.ts';
import { findingEn } from './languages/finding-en.ts';
import { labelled, paragraph, renderColumns, type Cell, type RenderOptions } from './layout.ts';
import { createPaint, type Paint } from './paint.ts';
import { countOf } from './step-text.ts';

export interface ChecksTextOptions extends RenderOptions {
  /** All names, however many. */
  readonly wide?: boolean;
}

/** More names than this would be a second table. */
const MOST_OF = 8;

function cellOf(result: CheckResult | undefined, paint: Paint): Cell {
  switch (result?.verdict) {
    case 'passed':
      return { text: 'ok', paint: paint.green };
    case 'failed':
      return { text: 'FAIL', paint: paint.red };
    case 'not-run':
      return { text: '?', paint: paint.yellow };
    default:
      return { text: '' };
  }
}

const whoOf = ({ user, lab }: StudentChecks, hasLab: boolean): string =>
  hasLab && lab !== null ? `${user} (${lab})` : user;

function table(report: ChecksReport, { width }: RenderOptions, paint: Paint): string[] {
  const { checks, students, maxPoints, lab } = report;
  const head = ['STUDENT', ...checks.map((_, at) => String(at + 1)), 'POINTS'];
  const rows = students.map((student) => {
    const by = new Map(student.results.map((result) => [result.check, result]));
    return [
      { text: whoOf(student, lab === null) },
      ...checks.map(({ name }) => cellOf(by.get(name), paint)),
      { text: `${student.points} of ${maxPoints}${student.notRun > 0 ? ' ?' : ''}` },
    ];
  });
  const titles = head.map((text): Cell => ({ text, paint: paint.bold }));
  return renderColumns([titles, ...rows], { width, fixed: head.map((_, at) => at).slice(1) });
}

function legend({ checks }: ChecksReport, { width }: RenderOptions): string[] {
  return checks.flatMap(({ name, machine, points, expected }, at) =>
    paragraph(`${at + 1}  ${name} (${machine}; ${countOf(points, 'point', 'points')}): ${expected}`, {
      width,
      indent: 2,
      hang: 3,
    }),
  );
}

function listed(lines: readonly string[], { width, wide }: ChecksTextOptions): string[] {
  const shown = wide ? lines : lines.slice(0, MOST_OF);
  return [
    ...shown.flatMap((line) => paragraph(line, { width, indent: 2, hang: 2 })),
    ...(lines.length > shown.length ? [`  and ${lines.length - shown.length} more (--wide lists them)`] : []),
  ];
}

interface Of {
  readonly who: string;
  readonly result: CheckResult;
}

/** What is true of many is said once. */
function namesOf(list: readonly Of[], { wide }: ChecksTextOptions): string {
  const names = list.map(({ who }) => who);
  return wide ? names.join(', ') : nameSome(names, MOST_OF);
}

function failures(check: AskedCheck, all: readonly Of[], options: ChecksTextOptions, paint: Paint): string[] {
  const failed = all.filter(({ result }) => result.check === check.name && result.verdict === 'failed');
  if (failed.length === 0) return [];
  const { width } = options;
  const same = groupBy(failed, ({ result }) => findingText(result, findingEn));
  const lines = [...same].map(([text, list]) => `${namesOf(list, options)}: ${text}`);
  return [
    ...paragraph(`${check.name}: ${failed.length} did not pass, expected ${check.expected}`, {
      width,
      paint: paint.red,
    }),
    ...listed(lines, options),
    ...(check.hint === null ? [] : labelled('hint', check.hint, { width, indent: 2 })),
  ];
}

function unrun(all: readonly Of[], options: ChecksTextOptions, paint: Paint): string[] {
  const open = all.flatMap(({ who, result }) =>
    result.verdict === 'not-run' ? [{ who, result, why: result.why }] : [],
  );
  return [...groupBy(open, ({ why }) => why)].flatMap(([why, group]) => {
    const way = WAYS_TO_RUN[why];
    const places = groupBy(group, ({ who, result }) => `${who}: ${result.machine}`);
    const lines = [...places].map(([place, list]) => {
      const said = list.map(({ result }) => saidText(result.seen)).find((text) => text !== undefined);
      const checks = list.map(({ result }) => result.check).join(', ');
      return `${place} (${checks})${said === undefined ? '' : `: ${said}`}`;
    });
    return [
      ...paragraph(`could not be run, ${findingEn.whyNotRun[why]} (${group.length}):`, {
        width: options.width,
        paint: paint.yellow,
      }),
      ...listed(lines, options),
      ...(way === undefined ? [] : labelled('way out', way, { width: options.width, indent: 2 })),
    ];
  });
}

export function renderChecks(report: ChecksReport, options: ChecksTextOptions): string {
  const { width, color } = options;
  const paint = createPaint(color);
  const { students, checks, totals, lab, maxPoints } = report;
  const all = students.flatMap((student) =>
    student.results.map((result): Of => ({ who: whoOf(student, lab === null), result })),
  );
  const title = [
    `${lab === null ? 'checks' : `lab ${lab}`}: ${countOf(students.length, 'student', 'students')}`,
    countOf(checks.length, 'check', 'checks'),
    countOf(maxPoints, 'point', 'points'),
  ].join(', ');
  const told = [
    ...checks.flatMap((check) => failures(check, all, options, paint)),
    ...unrun(all, options, paint),
  ];
  return [
    ...paragraph(title, { width, paint: paint.bold }),
    ...legend(report, options),
    '',
    ...table(report, options, paint),
    '',
    ...told,
    ...(told.length === 0 ? [] : ['']),
    `${totals.passed} passed, ${totals.failed} failed, ${totals.notRun} could not be run`,
    ...report.notes.flatMap((note) => labelled('note', note, { width, paint: paint.yellow })),
  ].join('\n');
}

/** What became another one since, in a line each. */
export function checkChanges(former: ChecksReport, report: ChecksReport): string[] {
  const key = (student: StudentChecks, { check }: CheckResult): string =>
    `${student.user}\0${student.lab ?? ''}\0${check}`;
  const before = new Map(
    former.students.flatMap((student) =>
      student.results.map((result) => [key(student, result), result.verdict] as const),
    ),
  );
  return report.students.flatMap((student) =>
    student.results.flatMap((result) => {
      const was = before.get(key(student, result));
      if (was === result.verdict) return [];
      const detail = result.verdict === 'passed' ? '' : `: ${findingText(result, findingEn)}`;
      return paragraph(
        `${student.user}: ${result.check} ${result.verdict}, was ${was ?? 'not there'}${detail}`,
        {
          width: Infinity,
        },
      );
    }),
  );
}
