import { expect, test } from 'vitest';
import { renderImport } from '../../src/lib/render/import-text.ts';

const RESULT = {
  file: 'users.yml',
  users: 1,
  added: [{ userid: 'anna.smith@pve', name: 'Anna Smith' }],
  changed: [],
  gone: [],
  groups: ['Evening', 'Group-A', 'Group-B'],
  leftOut: [{ place: '/srv/courses/participants.csv:5', who: 'Test Student', reason: 'a test student' }],
};

test('what an import says is broken between words', () => {
  expect(renderImport(RESULT, { width: 60, wide: false })).toBe(
    [
      'users.yml: 1 user, 1 new, 0 changed',
      'left out: Test Student (/srv/courses/participants.csv:5):',
      '  a test student',
      'groups, which PVE must have (pveum group add NAME) or',
      '  --no-groups leaves out: Evening, Group-A, Group-B',
    ].join('\n'),
  );
  expect(renderImport(RESULT, { width: Infinity, wide: false }).split('\n')).toHaveLength(3);
});
