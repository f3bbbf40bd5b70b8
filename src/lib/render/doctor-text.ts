/** What `doctor` found, as a table, notes and commands. Must not leave out anything that is missing. */
import type { DoctorReport, DoctorRow } from '../privileges/report.ts';
import { escapeControl } from './escape.ts';
import { labelled, paragraph, renderColumns, type Cell, type RenderOptions } from './layout.ts';
import { orderedObject, type JsonObject } from './ordered-json.ts';
import { createPaint, type Paint } from './paint.ts';
import { countOf } from './step-text.ts';

const HEAD = ['ON', 'PRIVILEGE', 'STATE', 'FOR'];

const PROFILES = { full: 'VM.Allocate on /vms', confined: 'VM.Allocate on /pool only' } as const;

function cellsOf(row: DoctorRow, isFirst: boolean, paint: Paint): Cell[] {
  const { path, privileges, or, state, advice, reason } = row;
  const brush = state === 'there' ? paint.green : advice ? paint.yellow : paint.red;
  const alternatives = or.length === 0 ? '' : ` (or ${or.join(', ')})`;
  return [
    { text: isFirst ? path : '' },
    { text: `${privileges.join(', ')}${alternatives}` },
    { text: state === 'there' || !advice ? state : 'advised', paint: brush },
    { text: reason },
  ];
}

function tableOf(rows: readonly DoctorRow[], { width }: RenderOptions, paint: Paint): string[] {
  const head = HEAD.map((text): Cell => ({ text, paint: paint.bold }));
  const cells = rows.map((row, at) => cellsOf(row, row.path !== rows[at - 1]?.path, paint));
  // A role has some twenty privileges: they wrap, also where nothing else has to.
  const limited = Math.min(width, 140);
  return renderColumns([head, ...cells], { width: limited, fixed: [0, 2] });
}

function closing({ missing, command, refused }: DoctorReport): string {
  if (missing > 0) return `${countOf(missing, 'privilege is', 'privileges are')} missing for ${command}`;
  return refused === null
    ? `nothing is missing for ${command}`
    : `no privilege is missing for ${command} in general`;
}

/** Same report, same options, same text. Ends without a line break. */
export function renderDoctor(report: DoctorReport, options: RenderOptions): string {
  const paint = createPaint(options.color);
  const { width } = options;
  const { caller, version, command, profile, scope, refused, rows, notes, commands } = report;
  const what = scope === 'class' ? `${command} of this class` : `${command} in general`;
  const title = `${caller} on PVE ${version}: ${what}, profile ${profile} (${PROFILES[profile]})`;
  return [
    ...paragraph(escapeControl(title), { width, paint: paint.bold }),
    '',
    ...tableOf(rows, options, paint),
    '',
    ...(refused === null
      ? []
      : labelled('note', `this class cannot be planned as it is: ${refused}`, {
          width,
          paint: paint.yellow,
        })),
    ...notes.flatMap((note) => labelled('note', note, { width })),
    '',
    'An administrator makes an account that can do exactly this with:',
    ...commands.map((line) => `  ${escapeControl(line)}`),
    '',
    ...paragraph(closing(report), { width, paint: paint.bold }),
  ].join('\n');
}

/** For scripts: schemas/doctor.schema.json. */
export function toDoctorDocument(report: DoctorReport): JsonObject {
  return orderedObject(report);
}
