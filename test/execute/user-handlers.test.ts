import { describe, expect, test } from 'vitest';
import type { StepPayloads } from '../../src/lib/plan/document/step.ts';
import { apply } from './apply-step.ts';
import { FakePve, lockTimeout, lost, refuse } from './fake-pve.ts';

const COMMENT = 'deploy-stand since=2026-01-15T09:00:00Z';
const DISABLED = 'deploy-stand since=2026-01-15T09:00:00Z disabled=2026-02-15T09:00:00Z';
const ANNA = { userid: 'anna@pve', comment: COMMENT };

function withAnna(comment = COMMENT): FakePve {
  const pve = new FakePve();
  pve.users.push({ userid: 'anna@pve', comment, groups: ['old'], password: 'former' });
  return pve;
}

/** What the credentials file is told, in order. */
function recorder() {
  const heard: string[] = [];
  return {
    heard,
    secrets: {
      replacementFor: (userid: string) => {
        heard.push(`replacement ${userid}`);
        return Promise.resolve('fresh');
      },
      settle: (userid: string, state: string) => {
        heard.push(`${state} ${userid}`);
        return Promise.resolve();
      },
    },
  };
}

describe('user.update', () => {
  const payload = { ...ANNA, newComment: DISABLED, enable: false, groups: ['new'], expire: 0 };

  test.each<{ name: string; prepare: (pve: FakePve) => unknown; writes: number }>([
    { name: 'happy path', prepare: () => undefined, writes: 1 },
    { name: 'a busy lock', prepare: (pve) => pve.fault('updateUser', lockTimeout()), writes: 1 },
    { name: 'lost before', prepare: (pve) => pve.fault('updateUser', lost()), writes: 1 },
    {
      name: 'lost after: written again',
      prepare: (pve) => pve.fault('updateUser', lost(), 'after'),
      writes: 2,
    },
  ])('$name', async ({ prepare, writes }) => {
    const pve = withAnna();
    prepare(pve);
    expect((await apply(pve, 'user.update', payload)).outcome).toBe('done');
    expect(pve.users).toEqual([
      {
        userid: 'anna@pve',
        comment: DISABLED,
        groups: ['new'],
        password: 'former',
        enable: false,
        expire: 0,
      },
    ]);
    expect(pve.writes).toEqual(Array(writes).fill('updateUser anna@pve comment,groups,expire,enable'));
  });

  test.each<{ name: string; pve: FakePve; payload: StepPayloads['user.update']; code: string }>([
    { name: 'a user that was changed meanwhile', pve: withAnna('VIP'), payload, code: 'NOT_OURS' },
    {
      name: 'a user without our mark',
      pve: withAnna('teacher'),
      payload: { ...payload, comment: 'teacher' },
      code: 'NOT_OURS',
    },
    { name: 'a user that is gone', pve: new FakePve(), payload, code: 'USER_GONE' },
  ])('leaves $name alone', async ({ pve, payload: given, code }) => {
    await expect(apply(pve, 'user.update', given)).rejects.toMatchObject({ code });
    expect(pve.writes).toEqual([]);
  });
});

describe('user.password', () => {
  test.each<{ name: string; prepare: (pve: FakePve) => unknown; writes: number }>([
    { name: 'happy path', prepare: () => undefined, writes: 1 },
    { name: 'a busy lock', prepare: (pve) => pve.fault('setPassword', lockTimeout()), writes: 1 },
    { name: 'lost before', prepare: (pve) => pve.fault('setPassword', lost()), writes: 1 },
    { name: 'lost after: set again', prepare: (pve) => pve.fault('setPassword', lost(), 'after'), writes: 2 },
  ])('$name: in the file before, set after', async ({ prepare, writes }) => {
    const pve = withAnna();
    prepare(pve);
    const { heard, secrets } = recorder();
    expect((await apply(pve, 'user.password', ANNA, secrets)).outcome).toBe('done');
    expect(pve.users[0]?.password).toBe('fresh');
    expect(pve.writes).toHaveLength(writes);
    expect(heard).toEqual(['replacement anna@pve', 'set anna@pve']);
  });

  test.each<{ name: string; pve: FakePve; heard: readonly string[] }>([
    { name: 'gone: the former is kept', pve: new FakePve(), heard: ['unchanged anna@pve'] },
    { name: 'changed meanwhile: the former is kept', pve: withAnna('VIP'), heard: ['unchanged anna@pve'] },
    {
      name: 'refused: the former is kept',
      pve: withAnna().fault('setPassword', refuse('Permission check failed', undefined, 403)),
      heard: ['unchanged anna@pve'],
    },
    {
      name: 'refused after a lost answer: either may be valid, so both stay',
      pve: withAnna().fault('setPassword', lost(), 'after').fault('setPassword', refuse('no')),
      heard: [],
    },
  ])('$name', async ({ pve, heard }) => {
    const recorded = recorder();
    await expect(apply(pve, 'user.password', ANNA, recorded.secrets)).rejects.toThrow();
    expect(recorded.heard).toEqual(['replacement anna@pve', ...heard]);
  });
});

describe('user.recreate', () => {
  const payload: StepPayloads['user.recreate'] = {
    ...ANNA,
    groups: ['class'],
    email: 'a@example.edu',
    firstName: 'Anna',
    expire: 1790000000,
    enable: true,
    acls: [
      { path: '/pool/anna', role: 'PVEVMAdmin', propagate: true },
      { path: '/vms/10001', role: 'PVEVMUser', propagate: false },
    ],
  };
  const made = {
    userid: 'anna@pve',
    password: 'fresh',
    comment: COMMENT,
    groups: ['class'],
    email: 'a@example.edu',
    firstName: 'Anna',
    expire: 1790000000,
  };

  test.each<{ name: string; prepare: (pve: FakePve) => unknown }>([
    { name: 'happy path', prepare: () => undefined },
    {
      name: 'busy locks',
      prepare: (pve) => pve.fault('deleteUser', lockTimeout()).fault('createUser', lockTimeout()),
    },
    { name: 'delete lost before', prepare: (pve) => pve.fault('deleteUser', lost()) },
    { name: 'delete lost after', prepare: (pve) => pve.fault('deleteUser', lost(), 'after') },
    { name: 'create lost before', prepare: (pve) => pve.fault('createUser', lost()) },
    { name: 'create lost after', prepare: (pve) => pve.fault('createUser', lost(), 'after') },
    { name: 'grant lost', prepare: (pve) => pve.fault('grant', lost()) },
    { name: 'the user is gone already', prepare: (pve) => pve.users.pop() },
  ])('$name: same mark, details and rights', async ({ prepare }) => {
    const pve = withAnna();
    prepare(pve);
    const { heard, secrets } = recorder();
    expect((await apply(pve, 'user.recreate', payload, secrets)).outcome).toBe('done');
    expect(pve.users).toEqual([made]);
    expect(pve.grants).toEqual([
      '/pool/anna PVEVMAdmin anna@pve true',
      '/vms/10001 PVEVMUser anna@pve false',
    ]);
    expect(heard).toEqual(['replacement anna@pve', 'set anna@pve']);
  });

  test('a disabled user stays disabled', async () => {
    const pve = withAnna();
    await apply(pve, 'user.recreate', { ...payload, enable: false }, recorder().secrets);
    expect(pve.users).toEqual([{ ...made, enable: false }]);
  });

  test.each<{ name: string; pve: FakePve; payload?: StepPayloads['user.recreate'] }>([
    { name: 'changed meanwhile', pve: withAnna('VIP') },
    { name: 'not ours', pve: withAnna('teacher'), payload: { ...payload, comment: 'teacher' } },
  ])(
    'a user that is $name is not removed, and keeps the former password',
    async ({ pve, payload: given }) => {
      const { heard, secrets } = recorder();
      await expect(apply(pve, 'user.recreate', given ?? payload, secrets)).rejects.toMatchObject({
        code: 'NOT_OURS',
      });
      expect(pve.writes).toEqual([]);
      expect(heard).toEqual(['replacement anna@pve', 'unchanged anna@pve']);
    },
  );

  test('once removed, the new password waits in the file', async () => {
    const pve = withAnna().fault('createUser', refuse('create user failed: disk full'));
    const { heard, secrets } = recorder();
    await expect(apply(pve, 'user.recreate', payload, secrets)).rejects.toThrow('disk full');
    expect(pve.users).toEqual([]);
    expect(heard).toEqual(['replacement anna@pve']);
  });
});
