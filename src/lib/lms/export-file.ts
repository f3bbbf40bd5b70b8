/** A file that Moodle, Canvas or a spreadsheet wrote → the people in it. Chooses no userid. */
import { failAt, readTable, type Row } from '../config/users/csv-table.ts';
import { fieldOf, isTestName, saysNothing, type ExportKind, type Field } from './headings.ts';
import { nameOf, onlyOnce, plainLine, type LeftOut, type People, type Person } from './person.ts';

type Cells = Readonly<Partial<Record<Field, string>>>;

const WANTED: Readonly<Record<ExportKind, string>> = {
  moodle: 'in Moodle: Participants, or Grades > Export > Plain text file',
  canvas: 'in Canvas: Grades > Export; it has the columns Student, ID, SIS Login ID and Section',
  csv: 'the first row names the columns, for example: first_name,last_name,email',
};

function readHeader(row: Row, file: string, kind: ExportKind): readonly (Field | undefined)[] {
  const fields = row.cells.map((cell) => fieldOf(cell, kind));
  const twice = fields.findIndex((field, at) => field !== undefined && fields.indexOf(field) < at);
  if (twice >= 0) {
    const [one = '', other = ''] = [row.cells[fields.indexOf(fields[twice])], row.cells[twice]];
    failAt(
      file,
      row.line,
      `the columns ${JSON.stringify(one)} and ${JSON.stringify(other)} mean the same`,
      'remove one of them',
    );
  }
  const isOfCanvas =
    fields.includes('canvasId') && (fields.includes('sortableName') || fields.includes('lastName'));
  const namesPeople = (['email', 'username', 'userid', 'lastName', 'fullName'] as const).some((field) =>
    fields.includes(field),
  );
  if (kind === 'canvas' ? isOfCanvas : namesPeople) return fields;
  const other = (['moodle', 'canvas'] as const).find(
    (one) => one !== kind && row.cells.filter((cell) => fieldOf(cell, one) !== undefined).length > 2,
  );
  const shown = row.cells.slice(0, 5).join(', ').slice(0, 80);
  return failAt(
    file,
    row.line,
    `the first row is no heading of ${kind === 'csv' ? 'a roster' : `an export of ${kind === 'moodle' ? 'Moodle' : 'Canvas'}`}: ${JSON.stringify(shown)}`,
    other === undefined ? WANTED[kind] : `it looks like one of --from ${other}`,
  );
}

function cellsOf(row: Row, fields: readonly (Field | undefined)[]): Cells {
  const cells: Partial<Record<Field, string>> = {};
  row.cells.forEach((cell, at) => {
    const field = fields[at];
    const text = plainLine(cell);
    if (field !== undefined && text !== '') cells[field] = text;
  });
  return cells;
}

/** `Petrova, Anna`; a name without a comma is a first name. `Anna Petrova`: the last word is the last name. */
function namesOf(cells: Cells): Pick<Person, 'firstName' | 'lastName'> {
  const { firstName = '', lastName = '', sortableName, fullName } = cells;
  if (firstName !== '' || lastName !== '') return { firstName, lastName };
  const whole = sortableName ?? fullName ?? '';
  const comma = whole.indexOf(',');
  if (comma >= 0) return { firstName: whole.slice(comma + 1).trim(), lastName: whole.slice(0, comma).trim() };
  const space = fullName === undefined ? -1 : whole.lastIndexOf(' ');
  return space < 0
    ? { firstName: whole, lastName: '' }
    : { firstName: whole.slice(0, space), lastName: whole.slice(space + 1) };
}

/** Canvas joins sections as its language joins words: taken apart only into what other rows show to be sections. */
function sectionsOf(cell: string, known: ReadonlySet<string>): string[] {
  const parts = cell
    .split(/,\s*(?:(?:and|und|et|y|и)\s+)?|\s+(?:and|und|et|y|и)\s+/)
    .filter((part) => part !== '');
  return parts.length > 1 && parts.every((part) => known.has(part)) ? parts : [cell];
}

function groupsOf({ groups = '', section }: Cells, sections: ReadonlySet<string>): string[] {
  if (section !== undefined) return sectionsOf(section, sections);
  return groups
    .split(/[,;]/)
    .map((group) => group.trim())
    .filter((group) => !saysNothing(group));
}

const given = (key: 'email' | 'username' | 'idnumber' | 'sisid' | 'lmsId', value: string | undefined) =>
  value === undefined ? {} : { [key]: value };

function personOf(place: string, cells: Cells, sections: ReadonlySet<string>): Person {
  const username = cells.userid?.replace(/@[^@]*$/, '') ?? cells.username;
  // Canvas has no column for it; a login is often an address.
  const email =
    cells.email ?? (cells.canvasId !== undefined && username?.includes('@') ? username : undefined);
  return {
    place,
    ...namesOf(cells),
    ...given('email', email),
    ...given('username', username),
    ...given('idnumber', cells.idnumber),
    ...given('sisid', cells.sisid),
    ...given('lmsId', cells.canvasId ?? cells.idnumber),
    groups: groupsOf(cells, sections),
  };
}

/** Canvas' own test student has a login that nobody would choose, and no number of the school. */
const MADE_LOGIN = /^[0-9a-f]{40}$/;

function whyLeftOut(person: Person, cells: Cells): string | undefined {
  if (isTestName(nameOf(person)) || (MADE_LOGIN.test(person.username ?? '') && person.sisid === undefined))
    return 'a test student';
  if (cells.suspended !== undefined && !saysNothing(cells.suspended)) return 'suspended in the course';
  return undefined;
}

/** Rows of Canvas that hold no student: what can be reached, and what is hidden. */
const isNoPerson = (cells: Cells, kind: ExportKind): boolean =>
  Object.keys(cells).length === 0 || (kind === 'canvas' && cells.canvasId === undefined);

/** In a list of one's own a column can be meant for us; those of platforms are marks. */
function unreadColumns(
  head: Row,
  fields: readonly (Field | undefined)[],
  file: string,
  kind: ExportKind,
): string[] {
  const unread = head.cells.filter((cell, at) => cell !== '' && fields[at] === undefined);
  return kind !== 'csv' || unread.length === 0
    ? []
    : [`${file}:${head.line}: columns that are not read: ${unread.join(', ')}`];
}

/** Throws a ConfigError for what is no export of that kind. */
export function readExport(text: string, file: string, kind: ExportKind): People {
  const [head, ...rows] = readTable(text, file);
  const fields = readHeader(head, file, kind);
  const read = rows.map((row) => ({ row, cells: cellsOf(row, fields) }));
  const sections = new Set(read.flatMap(({ cells }) => cells.section ?? []));
  const people: Person[] = [];
  const leftOut: LeftOut[] = [];
  for (const { row, cells } of read) {
    if (isNoPerson(cells, kind)) continue;
    const person = personOf(`${file}:${row.line}`, cells, sections);
    const reason = whyLeftOut(person, cells);
    if (reason === undefined) people.push(person);
    else leftOut.push({ place: person.place, who: nameOf(person), reason });
  }
  if (people.length === 0) failAt(file, head.line, 'there is no student in this file', WANTED[kind]);
  const hasGroups = fields.includes('groups') || fields.includes('section');
  const { people: each, again } = onlyOnce(people);
  const twice = again.map(
    ({ person, first }) =>
      `${nameOf(person)} (${person.place}) is also at ${first.place}, and gets one userid`,
  );
  return {
    people: each,
    leftOut,
    warnings: [...unreadColumns(head, fields, file, kind), ...twice],
    hasGroups,
  };
}
