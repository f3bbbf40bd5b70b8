/** The files that `check` writes: which its flags name, whether they may be, and their text. */
import { extname } from 'node:path';
import { UsageError } from '../../lib/errors.ts';
import type { User } from '../../lib/config/types.ts';
import type { ChecksReport } from '../../lib/plan/views/checks-types.ts';
import {
  CHECKS_CSV_HEAD,
  CHECKS_JSON_HEAD,
  JUNIT_HEAD,
  renderChecksCsv,
  renderChecksJson,
  renderJunit,
} from '../../lib/render/checks-files.ts';
import { gradesHead, renderGrades, type Grades, type GradePlatform } from '../../lib/render/grades.ts';
import type { Language } from '../../lib/render/languages/codes.ts';
import { assertShownFile, writeShownFile } from '../../lib/workflow/shown-file.ts';
import { formatByName } from '../format-by-name.ts';

export interface CheckFileFlags {
  readonly out?: string;
  readonly grades?: GradePlatform;
  readonly gradeItem?: string;
  readonly countNotRun?: true;
  readonly language: Language;
  readonly junit?: string;
  readonly users?: readonly string[];
}

interface Kind {
  readonly head: string;
  readonly render: (report: ChecksReport) => string;
}

const KINDS: Readonly<Record<'csv' | 'json', Kind>> = {
  csv: { head: CHECKS_CSV_HEAD, render: renderChecksCsv },
  json: { head: CHECKS_JSON_HEAD, render: renderChecksJson },
};
const BY_NAME: Readonly<Record<string, 'csv' | 'json'>> = { '.csv': 'csv', '.json': 'json' };

function kindOf(out: string): Kind {
  const format = formatByName(out, BY_NAME);
  if (format) return KINDS[format];
  throw new UsageError('CHECK_FORMAT', `the name ${out} does not say in which format`, {
    hint: 'name a file that ends in .csv or .json; `deploy-stand report --checks results.json` makes a page of it',
  });
}

function assertGrades({ grades, out, users, gradeItem, countNotRun }: CheckFileFlags): void {
  if (grades === undefined) {
    const alone = [
      ...(gradeItem === undefined ? [] : ['--grade-item']),
      ...(countNotRun ? ['--count-not-run'] : []),
    ];
    if (alone.length === 0) return;
    throw new UsageError('GRADES', `${alone.join(' and ')} has no meaning without --grades`, {
      hint: 'add --grades moodle or --grades canvas, or leave it out',
    });
  }
  if (out !== undefined && extname(out).toLowerCase() !== '.csv') {
    throw new UsageError('CHECK_FORMAT', `grades are a CSV file, and ${out} does not end in .csv`, {
      hint: 'for example: --grades moodle --out grades.csv',
    });
  }
  const missing = [...(out === undefined ? ['--out'] : []), ...(users ? [] : ['-u'])];
  if (missing.length === 0) return;
  throw new UsageError('GRADES', `--grades needs ${missing.join(' and ')}`, {
    hint: 'for example: --grades moodle --out grades.csv -u users.yml, whose users have an email or lms_id',
  });
}

const OTHER_JUNIT = 'name another file with --junit';

/** Before anything is contacted. */
export async function assertCheckFiles(flags: CheckFileFlags): Promise<void> {
  const { out, grades, junit } = flags;
  assertGrades(flags);
  if (out !== undefined) await assertShownFile(out, grades ? gradesHead(grades) : kindOf(out).head);
  if (junit !== undefined) await assertShownFile(junit, JUNIT_HEAD, OTHER_JUNIT);
}

/** Answers what became of the grades, where they were asked for. */
export async function writeCheckFiles(
  flags: CheckFileFlags,
  report: ChecksReport,
  users: readonly User[],
): Promise<Grades | undefined> {
  const { out, grades: platform, junit, gradeItem, countNotRun, language } = flags;
  if (junit !== undefined) await writeShownFile(junit, renderJunit(report), JUNIT_HEAD, OTHER_JUNIT);
  if (out === undefined) return undefined;
  if (platform === undefined) {
    const { head, render } = kindOf(out);
    await writeShownFile(out, render(report), head);
    return undefined;
  }
  const title = gradeItem ?? report.lab ?? 'deploy-stand';
  const grades = renderGrades(report, users, {
    platform,
    title,
    countsNotRun: countNotRun === true,
    language,
  });
  await writeShownFile(out, grades.text, gradesHead(platform));
  return grades;
}
