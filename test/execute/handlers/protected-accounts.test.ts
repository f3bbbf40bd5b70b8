/** The account that runs this: whatever a step says of it, nothing is written. */
import { describe, expect, test } from 'vitest';
import type { StepKind, StepPayloads } from '../../../src/lib/plan/document/step.ts';
import { apply } from '../apply-step.ts';
import { PveWorld, VERSIONS } from '../world.ts';

const COMMENT = 'deploy-stand since=2026-01-15T09:00:00Z';
const BOSS = { userid: 'boss@pve', comment: COMMENT };
const ACL = { path: '/pool/boss', role: 'PVEVMAdmin', userid: 'boss@pve' };

const STEPS = {
  'user.create': { ...BOSS, groups: [], password: 'generate' },
  'user.update': { ...BOSS, enable: false },
  'user.password': BOSS,
  'user.recreate': { ...BOSS, groups: [], enable: true, acls: [] },
  'user.delete': BOSS,
  'acl.grant': { ...ACL, propagate: true },
  'acl.revoke': ACL,
} satisfies { readonly [K in StepKind]?: StepPayloads[K] };

const kinds = Object.keys(STEPS) as (keyof typeof STEPS)[];

function world(version: (typeof VERSIONS)[number], caller: string): PveWorld {
  const made = new PveWorld(
    {
      version,
      users: [{ ...BOSS, password: 'former-secret' }],
      pools: [{ pool: 'boss', comment: 'deploy-stand user=boss@pve' }],
      acl: [{ path: '/pool/boss', role: 'PVEVMAdmin', user: 'boss@pve' }],
    },
    'root',
  );
  made.caller = caller;
  return made;
}

describe.each(VERSIONS)('on %s', (version) => {
  test.each(kinds.flatMap((kind) => ['boss@pve', 'boss@pve!cli'].map((caller) => [kind, caller] as const)))(
    '%s leaves the account of %s alone, and asks for no password',
    async (kind, caller) => {
      const cluster = world(version, caller);
      // No secrets: a handler that asks for a password fails otherwise.
      await expect(apply(cluster, kind, STEPS[kind] as never)).rejects.toMatchObject({
        code: 'PROTECTED_ACCOUNT',
        message: expect.stringContaining('boss@pve') as string,
      });
      expect(cluster.writes).toEqual([]);
    },
  );

  test.each(['user.update', 'user.delete', 'acl.grant', 'acl.revoke'] as const)(
    '%s of the same user is carried out for somebody else',
    async (kind) => {
      const cluster = world(version, 'somebody@pve');
      expect((await apply(cluster, kind, STEPS[kind] as never)).outcome).toBe('done');
      expect(cluster.writes).toHaveLength(1);
    },
  );
});
