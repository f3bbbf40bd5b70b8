/** Columns of the lists that people have, beside the exports that are whole files here. */
import { expect, test } from 'vitest';
import { readExport } from '../../src/lib/lms/export-file.ts';
import { fieldOf, type ExportKind } from '../../src/lib/lms/headings.ts';

test.each<ExportKind>(['moodle', 'csv'])(
  '%s: the file by which Moodle takes users up has names, too',
  (kind) => {
    const columns = ['username', 'firstname', 'lastname', 'email', 'course1'].map((name) =>
      fieldOf(name, kind),
    );
    expect(columns).toEqual(['username', 'firstName', 'lastName', 'email', undefined]);
  },
);

test('what is not read of a list of one’s own is named; of an export it is marks', () => {
  const text = 'Фамилия;Имя;Отчество;Номер зачётки;;expire\nЛи;Бо;;7;;2026-12-24\n';
  const own = readExport(text, 'class.csv', 'csv');
  expect(own.warnings).toEqual(['class.csv:1: columns that are not read: Отчество, expire']);
  expect(own.people).toEqual([expect.objectContaining({ idnumber: '7', lmsId: '7' })]);
  expect(readExport(text, 'class.csv', 'moodle').warnings).toEqual([]);
});
