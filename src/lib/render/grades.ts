/** Points as files that learning platforms import. Decides who cannot be found there; asks no platform. */
import type { User } from '../config/types.ts';
import { nameSome } from '../plan/document/text.ts';
import type { ChecksReport, StudentChecks } from '../plan/views/checks-types.ts';
import { feedbackOf } from './check-words.ts';
import { formatCsv } from './csv.ts';
import { escapeControl } from './escape.ts';
import type { Language } from './languages/codes.ts';
import { FINDING_LANGUAGES } from './languages/languages.ts';

export type GradePlatform = 'moodle' | 'canvas';

export interface Grades {
  readonly text: string;
  readonly written: number;
  /** Of whom something could not be checked: no grade is a better one than a wrong one. */
  readonly unchecked: readonly string[];
  /** The roster says neither address nor number. */
  readonly unknown: readonly string[];
}

const MOODLE_COLUMNS = ['Email address', 'ID number', 'First name', 'Last name'];
const CANVAS_COLUMNS = ['Student', 'ID', 'SIS User ID', 'SIS Login ID', 'Section'];

interface Options {
  readonly platform: GradePlatform;
  readonly title: string;
  /** What could not be checked is worth nothing, instead of leaving its student without a grade. */
  readonly countsNotRun: boolean;
  /** Of what students read. */
  readonly language: Language;
}

interface Graded {
  readonly user: User;
  readonly student: StudentChecks;
}

function moodle(graded: readonly Graded[], { checks }: ChecksReport, { title, language }: Options): string {
  const texts = FINDING_LANGUAGES[language];
  const rows = graded.map(({ user, student }) => [
    ...[
      user.email ?? '',
      user.lmsId ?? '',
      escapeControl(user.firstName ?? ''),
      escapeControl(user.lastName ?? ''),
    ],
    ...[String(student.points), escapeControl(feedbackOf(student.results, checks, texts))],
  ]);
  return formatCsv([...MOODLE_COLUMNS, title, `${title} feedback`], rows);
}

/** The second line says what the assignment is worth. */
function canvas(graded: readonly Graded[], { maxPoints }: ChecksReport, { title }: Options): string {
  const rows = graded.map(({ user, student }) => [
    escapeControl([user.lastName, user.firstName].filter(Boolean).join(', ')) || user.userid,
    ...[user.lmsId ?? '', '', user.email ?? '', ''],
    String(student.points),
  ]);
  const most = ['    Points Possible', '', '', '', '', String(maxPoints)];
  return formatCsv([...CANVAS_COLUMNS, title], [most, ...rows]);
}

interface Platform {
  readonly name: string;
  readonly columns: readonly string[];
  readonly write: (graded: readonly Graded[], report: ChecksReport, options: Options) => string;
}

/** A row each: a further one does not compile until it is there. */
const PLATFORMS: Readonly<Record<GradePlatform, Platform>> = {
  moodle: { name: 'Moodle', columns: MOODLE_COLUMNS, write: moodle },
  canvas: { name: 'Canvas', columns: CANVAS_COLUMNS, write: canvas },
};

/** How its files begin. */
export function gradesHead(platform: GradePlatform): string {
  return PLATFORMS[platform].columns.join(',');
}

export function renderGrades(report: ChecksReport, users: readonly User[], options: Options): Grades {
  const { platform, countsNotRun } = options;
  const students = new Map(report.students.map((student) => [student.user, student]));
  const here = users.flatMap((user): Graded[] => {
    const student = students.get(user.userid);
    return student ? [{ user, student }] : [];
  });
  const isKnown = ({ user }: Graded): boolean => (user.email ?? user.lmsId) !== undefined;
  const isChecked = ({ student }: Graded): boolean => countsNotRun || student.notRun === 0;
  const graded = here.filter((one) => isKnown(one) && isChecked(one));
  return {
    text: PLATFORMS[platform].write(graded, report, options),
    written: graded.length,
    unchecked: here.filter((one) => !isChecked(one)).map(({ user }) => user.userid),
    unknown: here.filter((one) => isChecked(one) && !isKnown(one)).map(({ user }) => user.userid),
  };
}

const MOST_NAMES = 8;

/** Who gets no grade, and why. */
export function gradeWarnings({ unchecked, unknown }: Grades, platform: GradePlatform): string[] {
  const where = PLATFORMS[platform].name;
  return [
    ...(unchecked.length === 0
      ? []
      : [
          `no grade for ${nameSome(unchecked, MOST_NAMES)}: not all of it could be checked (--count-not-run gives one all the same)`,
        ]),
    ...(unknown.length === 0
      ? []
      : [
          `no grade for ${nameSome(unknown, MOST_NAMES)}: the users file says neither email nor lms_id, by which ${where} would know them`,
        ]),
  ];
}
