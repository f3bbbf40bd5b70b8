/** What columns of exports are called in five languages, and rows that are no student's. Reads no file. */

/** What a column can mean to us. */
export type Field =
  | 'userid'
  | 'firstName'
  | 'lastName'
  /** `Anna Petrova` */
  | 'fullName'
  /** `Petrova, Anna` */
  | 'sortableName'
  | 'email'
  | 'username'
  | 'idnumber'
  | 'sisid'
  | 'canvasId'
  | 'groups'
  | 'section'
  | 'suspended';

export type ExportKind = 'moodle' | 'canvas' | 'csv';

/** Canvas writes its headings in English whatever the language of its pages. */
const CANVAS: Readonly<Partial<Record<Field, readonly string[]>>> = {
  sortableName: ['Student'],
  firstName: ['FirstName'],
  lastName: ['LastName'],
  canvasId: ['ID'],
  sisid: ['SIS User ID'],
  username: ['SIS Login ID'],
  email: ['Email'],
  section: ['Section'],
};

/** By language: en, de, fr, es, ru; older and newer versions. */
const MOODLE: Readonly<Partial<Record<Field, readonly string[]>>> = {
  // Without a space: the file by which Moodle takes users up, which many keep as the list of their class.
  firstName: ['firstname', 'First name', 'Given name', 'Vorname', 'Prénom', 'Nombre', 'Имя'],
  lastName: [
    ...['lastname', 'Last name', 'Surname', 'Family name', 'Nachname', 'Nom', 'Nom de famille'],
    ...['Apellido(s)', 'Apellidos', 'Apellido', 'Фамилия'],
  ],
  fullName: [
    ...[
      'Full name',
      'First name / Last name',
      'Name',
      'Vollständiger Name',
      'Vorname / Nachname',
      'Nom complet',
    ],
    ...['Nombre completo', 'Nombre / Apellido(s)', 'Полное имя', 'ФИО', 'Имя / Фамилия'],
  ],
  email: [
    ...['Email address', 'Email', 'E-mail', 'Mail', 'E-Mail-Adresse', 'Adresse de courriel', 'Courriel'],
    ...['Adresse e-mail', 'Dirección de correo', 'Dirección de correo electrónico', 'Dirección Email'],
    ...['Correo electrónico', 'Адрес электронной почты', 'Электронная почта', 'Почта'],
  ],
  username: [
    ...['Username', 'User name', 'Login', 'Anmeldename', 'Benutzername', "Nom d'utilisateur"],
    ...['Identifiant', 'Nombre de usuario', 'Usuario', 'Логин', 'Имя пользователя'],
  ],
  idnumber: [
    ...['ID number', 'Student ID', 'ID-Nummer', 'Matrikelnummer', "Numéro d'identification"],
    ...['Número de ID', 'Индивидуальный номер', 'Номер зачетной книжки', 'Номер зачетки', 'Зачетка'],
    ...['Номер студенческого билета', 'Студенческий билет', 'Табельный номер'],
  ],
  groups: [
    ...['Groups', 'Group', 'Gruppen', 'Gruppe', 'Groupes', 'Groupe', 'Grupos', 'Grupo', 'Группы', 'Группа'],
  ],
  suspended: ['Suspended', 'Gesperrt', 'Suspendu', 'Suspendido', 'Заблокирован', 'Приостановлен'],
};

/** A list of one's own may have any of these, and what our own rosters have. */
const CSV: Readonly<Partial<Record<Field, readonly string[]>>> = {
  ...MOODLE,
  userid: ['userid', 'user'],
  firstName: [...(MOODLE.firstName ?? []), 'first_name'],
  lastName: [...(MOODLE.lastName ?? []), 'last_name'],
  idnumber: [...(MOODLE.idnumber ?? []), 'lms_id'],
};

function plain(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll('’', "'")
    .replaceAll('ё', 'е')
    .trim()
    .replaceAll(/\s+/g, ' ')
    .toLowerCase();
}

function tableOf(words: Readonly<Partial<Record<Field, readonly string[]>>>): ReadonlyMap<string, Field> {
  return new Map(
    Object.entries(words).flatMap(([field, names]) =>
      names.map((name): [string, Field] => [plain(name), field as Field]),
    ),
  );
}

const TABLES: Readonly<Record<ExportKind, ReadonlyMap<string, Field>>> = {
  moodle: tableOf(MOODLE),
  canvas: tableOf(CANVAS),
  csv: tableOf(CSV),
};

/** Undefined: a column of marks, or of something else that is no matter of ours. */
export function fieldOf(heading: string, kind: ExportKind): Field | undefined {
  return TABLES[kind].get(plain(heading));
}

const TEST_PEOPLE = new Set(
  [
    ...['test student', 'student test', 'test user', 'test-student', 'teststudent', 'testteilnehmer'],
    ...['étudiant test', 'étudiant de test', 'estudiante de prueba', 'alumno de prueba', 'usuario de prueba'],
    ...['тестовый студент', 'тестовый пользователь', 'тест студент', 'тестовый учащийся'],
  ].map(sortedWords),
);

function sortedWords(name: string): string {
  return plain(name)
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .sort()
    .join(' ');
}

/** What platforms call the student that a teacher looks at the course as. */
export function isTestName(name: string): boolean {
  return TEST_PEOPLE.has(sortedWords(name));
}

const NOTHING = new Set([
  ...['', '-', 'no groups', 'keine gruppen', 'aucun groupe', 'sin grupos', 'нет групп', 'n/a'],
  ...['no', 'nein', 'non', 'нет', '0', 'false'],
]);

/** An empty cell, or a word for it. */
export function saysNothing(cell: string): boolean {
  return NOTHING.has(plain(cell));
}
