import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Inventory } from '../../../src/lib/inventory/types.ts';
import { userConfigSize, userConfigWarnings } from '../../../src/lib/plan/stands/user-config-size.ts';
import { anyCharacter } from '../../any-character.ts';
import { runs } from '../../runs.ts';
import { lab, guest, have, machine, plan, real, user } from '../builders.ts';

const pc = lab([machine('pc', [real('vmbr0')])]);
const pool = (name: string, comment: string) => ({ pool: name, comment });
const BIG = 599 * 1024;

/** A cluster of which the file has about this many bytes. */
const filled = (bytes: number, more: Partial<Inventory> = {}): Inventory =>
  have({ pools: [pool('department', 'x'.repeat(bytes))], ...more });

describe('the size of user.cfg', () => {
  test('is that of its lines', () => {
    const snapshot = have({
      guests: [guest(10000, { pool: 'anna' }), guest(10001, { pool: 'anna' }), guest(300)],
      pools: [pool('anna', 'deploy-stand user=anna@pve\nlab=net vms=pc:10000')],
      users: [
        {
          userid: 'anna@pve',
          comment: 'ä%',
          enabled: true,
          expire: 0,
          email: '',
          firstName: 'Anna',
          lastName: '',
          groups: ['class'],
        },
      ],
      acls: [{ path: '/pool/anna', role: 'PVEVMAdmin', subject: 'anna@pve', type: 'user', propagate: true }],
    });
    const file = [
      'user:anna@pve:1:0000000000:Anna:::%C3%A4%25::\n',
      'anna@pve,', // in the line of the group
      'pool:anna:deploy-stand user=anna@pve%0Alab=net vms=pc%3A10000:10000,10001,:::\n',
      'acl:1:/pool/anna:anna@pve:PVEVMAdmin:\n',
    ].join('');
    expect(Math.abs(userConfigSize(snapshot, []) - file.length)).toBeLessThan(4);
  });

  test('counts what a plan writes: user, pool, claim with its hashes, member, access', () => {
    const steps = plan(pc, [user('anna')], have()).steps;
    const grown = userConfigSize(have(), steps) - userConfigSize(have(), []);
    const written = [
      'user:anna@pve:1:0000000000::::deploy-stand since=2026-11-21T08%3A00%3A00Z::\n',
      `pool:anna:deploy-stand user=anna@pve%0Alab=net vms=pc%3A10000?${'0'.repeat(24)} node=pve1 since=2026-11-21T08%3A00%3A00Z:10000:::\n`,
      'acl:1:/pool/anna:anna@pve:PVEVMAdmin:\n',
    ].join('');
    expect(Math.abs(grown - written.length)).toBeLessThan(20);
  });

  test('is never smaller than the text of its comments', () =>
    fc.assert(
      fc.property(fc.array(fc.string({ unit: anyCharacter }), { maxLength: 5 }), (comments) => {
        const pools = comments.map((comment, at) => pool(`p${at}`, comment));
        const size = userConfigSize(have({ pools }), []);
        const bytes = comments.reduce((sum, comment) => sum + Buffer.byteLength(comment), 0);
        expect(size).toBeGreaterThanOrEqual(bytes);
      }),
      runs(20, 2000),
    ));
});

describe('a plan', () => {
  const warned = (snapshot: Inventory) =>
    plan(pc, [user('anna'), user('boris')], snapshot).warnings.filter((text) => text.includes('user.cfg'));

  test('that leaves room says nothing', () => {
    expect(warned(have())).toEqual([]);
    expect(warned(filled(BIG - 4096))).toEqual([]);
  });

  test('that goes beyond 600 KiB says it once, with the number and the way out', () => {
    const [text, ...more] = warned(filled(700 * 1024));
    expect(more).toEqual([]);
    expect(text).toMatch(/about 70[01] KiB after this plan; PVE takes 1024 KiB at most/);
    expect(text).toContain('deploy-stand cleanup --expired');
  });

  test('that adds nothing to a large file says nothing', () => {
    expect(userConfigWarnings(filled(700 * 1024), [])).toEqual([]);
  });
});
