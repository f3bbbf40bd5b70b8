/** Columns of the lists that people have, beside the exports that are whole files here. */
import { expect, test } from 'vitest';
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
