import { describe, expect, test } from 'vitest';
import type { StepPayloads, Step } from '../../src/lib/plan/document/step.ts';
import type { PlannedStand } from '../../src/lib/plan/document/plan.ts';
import type { UserRow } from '../../src/lib/plan/users/list.ts';
import { renderPlan } from '../../src/lib/render/plan-text.ts';
import { describeStep, namesOf } from '../../src/lib/render/step-text.ts';
import { renderSummary } from '../../src/lib/render/summary-text.ts';
import { renderUsers, toUsersDocument } from '../../src/lib/render/users-text.ts';
import { summarizePlan, summarizeRun } from '../../src/lib/outcome/summary.ts';
import { plan, step, stripColor } from './fixtures.ts';

const wide = { width: Infinity, color: false };

function row(more: Partial<UserRow> = {}): UserRow {
  return {
    userid: 'anna@pve',
    realm: 'pve',
    exists: true,
    ours: true,
    enabled: true,
    expire: null,
    pool: 'anna',
    stands: [],
    frozen: null,
    vms: { total: 0, running: 0 },
    password: 'unknown',
    ...more,
  };
}

describe('the list of users', () => {
  const rows = [
    row(),
    row({
      userid: 'b@pve',
      enabled: false,
      expire: 1798070400,
      stands: ['a', 'b'],
      vms: { total: 3, running: 1 },
    }),
    row({ userid: 'c@school', realm: 'school', ours: false, password: 'directory' }),
    row({ userid: 'd@pve', exists: false, ours: false, enabled: false }),
  ];

  test('as a table', () => {
    const text = renderUsers(rows, wide);
    expect(text.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['USER', 'REALM', 'ENABLED', 'EXPIRES', 'POOL', 'STANDS', 'RUNNING', 'PASSWORD'],
      ['anna@pve', 'pve', 'yes', '-', 'anna', '-', '-', 'unknown'],
      ['b@pve', 'pve', 'no', '2026-12-23, end of day', 'anna', 'a, b', '1 of 3', 'unknown'],
      ['c@school', 'school', 'yes', '-', 'anna', '-', '-', 'directory'],
      ['d@pve', 'pve', 'missing', '-', 'anna', '-', '-', 'unknown'],
      [''],
      ['4 users: 1 missing, 1 disabled, 1 not created by deploy-stand'],
    ]);
    expect(stripColor(renderUsers(rows, { ...wide, color: true }))).toBe(text);
  });

  test('on a narrow terminal userids stay whole, and the realm is told by them alone', () => {
    const lines = renderUsers([row({ userid: 'galina@pve', stands: ['net'], frozen: 'now' })], {
      ...wide,
      width: 60,
    }).split('\n');
    expect(lines[0]).toMatch(/^USER +ENABLED/);
    expect(lines[1]).toMatch(/^galina@pve /);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(60);
  });

  test('as a document', () => {
    expect(toUsersDocument(rows.slice(1, 2))).toEqual({
      users: [
        {
          userid: 'b@pve',
          realm: 'pve',
          exists: true,
          ours: true,
          enabled: false,
          expires: '2026-12-24T00:00Z',
          pool: 'anna',
          stands: ['a', 'b'],
          frozen: null,
          vms: { total: 3, running: 1 },
          password: 'unknown',
        },
      ],
    });
  });

  test('names from the server cannot act on the terminal', () => {
    expect(renderUsers([row({ pool: 'a\u001b[2J' })], wide)).toContain('a\\x1b[2J');
  });
});

const MARK = 'deploy-stand since=2026-01-15T09:00:00Z';

test.each<{ step: Step; text: string }>([
  {
    step: step('user.update', 'a', {
      userid: 'a@pve',
      comment: MARK,
      email: 'n@x',
      expire: 0,
      groups: ['g', 'h'],
    }),
    text: '~ user a@pve: mail n@x, groups g, h, never expires',
  },
  {
    step: step('user.update', 'a', { userid: 'a@pve', comment: MARK, enable: false, expire: 1798070400 }),
    text: '~ user a@pve: disable, expires 2026-12-23, end of day',
  },
  {
    step: step('user.update', 'a', {
      userid: 'a@pve',
      comment: `${MARK} disabled=2026-02-15T09:00:00Z`,
      newComment: MARK,
    }),
    text: '~ user a@pve: no longer marked as disabled',
  },
  {
    step: step('user.password', 'a', { userid: 'a@pve', comment: MARK }),
    text: '~ user a@pve: new password',
  },
  {
    step: step('user.recreate', 'a', {
      userid: 'a@pve',
      comment: MARK,
      groups: [],
      enable: true,
      acls: [{ path: '/pool/a', role: 'R', propagate: true }],
    }),
    text: '~ user a@pve: removed and created again with a new password and 1 right',
  },
])('$step.kind in words', ({ step: given, text }) => {
  const said = describeStep(given, namesOf(undefined));
  expect(`${said.mark} ${said.text}`).toBe(text);
});

describe('a plan about users', () => {
  const stand = (user: string, more: Partial<PlannedStand> = {}): PlannedStand => ({
    user,
    pool: user.split('@')[0]!,
    vms: [],
    bridges: [],
    notes: [],
    ...more,
  });
  const one = <K extends keyof StepPayloads>(kind: K, user: string, payload: StepPayloads[K]) =>
    step(kind, user, payload, { user });
  const given = plan(
    [
      {
        stand: stand('new@pve'),
        steps: [
          one('user.create', 'new@pve', {
            userid: 'new@pve',
            comment: MARK,
            groups: [],
            password: 'generate',
          }),
        ],
      },
      {
        stand: stand('old@pve'),
        steps: [one('user.delete', 'old@pve', { userid: 'old@pve', comment: MARK })],
      },
      {
        stand: stand('pw@pve'),
        steps: [one('user.password', 'pw@pve', { userid: 'pw@pve', comment: MARK })],
      },
      stand('same@pve'),
      stand('no@pve', { refused: { code: 'NO_USER', message: 'there is no user no@pve' } }),
    ],
    { command: 'users', lab: '' },
  );

  test('counts users, and says what becomes of each', () => {
    const text = renderPlan(given, wide);
    for (const line of [
      'new@pve  new: pool new',
      'old@pve  to remove: pool old',
      'pw@pve  to change: pool pw',
    ])
      expect(text).toContain(line);
    expect(text).toContain('5 users: 1 new, 1 to change, 1 to remove, 1 unchanged, 1 refused');
    expect(text).not.toContain('stand');
  });

  test('ends in a summary of users', () => {
    const results = given.steps.map(({ id }) => ({ id, status: 'done', outcome: 'done' }) as const);
    const summary = summarizeRun([{ plan: given, result: { results, interrupted: false } }]);
    expect(summary.stands.map(({ user, status }) => `${user} ${status}`)).toEqual([
      'new@pve complete',
      'old@pve removed',
      'pw@pve complete',
      'same@pve unchanged',
      'no@pve refused',
    ]);
    const text = renderSummary(given, summary, { ...wide, url: 'https://x', credentialsFile: 'c.csv' });
    expect(text).toContain('Not all users are as asked');
    expect(text).toContain('Passwords: in the file c.csv');
    expect(text).toContain('5 users: 2 complete, 1 removed, 1 unchanged, 1 refused; steps: 3 done');
    expect(text).not.toContain('same@pve');
    expect(summarizePlan(given).stands.map(({ status }) => status)).toEqual([
      'planned',
      'planned',
      'planned',
      'unchanged',
      'refused',
    ]);
  });

  test('a removal alone tells nobody how to log in', () => {
    const gone = { ...given, steps: given.steps.slice(1, 2), stands: given.stands.slice(1, 2) };
    const results = [{ id: 'user.delete:old@pve', status: 'done', outcome: 'done' } as const];
    const summary = summarizeRun([{ plan: gone, result: { results, interrupted: false } }]);
    expect(renderSummary(gone, summary, { ...wide, url: 'https://x' })).not.toContain('Log in');
  });
});
