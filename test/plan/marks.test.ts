import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatBridgeMark,
  formatPoolComment,
  formatVmMark,
  isUserMarked,
  parseBridgeMark,
  parsePoolComment,
  parseVmMark,
} from '../../src/lib/plan/marks.ts';
import { formatVmids, parseVmids } from '../../src/lib/plan/vmid-ranges.ts';

describe('VMID lists', () => {
  test.each([
    { vmids: [10201, 10202, 10203], text: '10201-10203' },
    { vmids: [7, 5, 6, 100, 102], text: '5-7,100,102' },
    { vmids: [], text: '' },
  ])('$text', ({ vmids, text }) => {
    expect(formatVmids(vmids)).toBe(text);
    expect(parseVmids(text)).toEqual([...vmids].sort((a, b) => a - b));
  });

  test('any list survives the round trip', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 100, max: 20_000 }), { maxLength: 60 });
    fc.assert(
      fc.property(ids, (vmids) => {
        expect(parseVmids(formatVmids(vmids))).toEqual([...vmids].sort((a, b) => a - b));
      }),
    );
  });

  test('a comment edited by hand cannot make us allocate a million ids', () => {
    expect(parseVmids('1-999999999,abc,5-3,,12')).toEqual([12]);
  });
});

describe('pool comments', () => {
  test('read back what was written, foreign lines kept', () => {
    const mark = {
      user: 'anna@pve',
      adopted: true,
      roles: ['PVEVMAdmin', 'PVEAuditor'],
      kept: true,
      others: ['room 5'],
      claims: [
        {
          lab: 'net',
          vmids: [1000, 1001],
          node: 'pve1',
          since: '2026-01-01T00:00:00Z',
          expires: '2026-02-01',
        },
        { lab: 'db', vmids: [1005], since: '2026-01-01T00:00:00Z' },
      ],
    };
    const text = formatPoolComment(mark);
    expect(text.split('\n')).toEqual([
      'room 5',
      'deploy-stand user=anna@pve adopted roles=PVEVMAdmin,PVEAuditor kept',
      'lab=net vmids=1000-1001 node=pve1 since=2026-01-01T00:00:00Z expires=2026-02-01',
      'lab=db vmids=1005 since=2026-01-01T00:00:00Z',
    ]);
    expect(parsePoolComment(text)).toEqual(mark);
  });

  test('without our header nothing in it is a claim', () => {
    expect(parsePoolComment('lab=net vmids=5-9 since=x')).toEqual({
      adopted: false,
      claims: [],
      others: ['lab=net vmids=5-9 since=x'],
    });
  });
});

describe('VM, bridge and user marks', () => {
  test('a VM line is found between other lines and names its own id', () => {
    const line = formatVmMark({ lab: 'net', user: 'anna@pve', machine: 'eco', vmid: 10201, spec: 'ab.cd' });
    expect(line).toBe('deploy-stand lab=net user=anna@pve machine=eco vmid=10201 spec=ab.cd');
    expect(parseVmMark(`my notes\n${line}\n`)).toEqual({
      lab: 'net',
      user: 'anna@pve',
      machine: 'eco',
      vmid: 10201,
      spec: 'ab.cd',
    });
  });

  test.each(['', 'deploy-stand', 'deploy-stand lab=x', 'deploy-stand lab=x user=u machine=m vmid=1e3'])(
    'no mark: %j',
    (text) => {
      expect(parseVmMark(text)).toBeUndefined();
    },
  );

  test('bridges: a stand’s, a reserved one, a foreign one', () => {
    const mark = { kind: 'stand', lab: 'net', user: 'anna@pve', net: 'hq' } as const;
    const since = '2026-01-01T00:00:00Z';
    const text = formatBridgeMark('vmbr1000', mark, since);
    expect(text).toBe(`deploy-stand bridge=vmbr1000 lab=net user=anna@pve net=hq since=${since}`);
    expect(parseBridgeMark('vmbr1000', text)).toEqual(mark);
    const reserved = formatBridgeMark('vmbr5', { kind: 'reserved' }, since);
    expect(reserved).toBe(`deploy-stand bridge=vmbr5 reserved since=${since}`);
    expect(parseBridgeMark('vmbr5', reserved)).toEqual({ kind: 'reserved' });
    expect(parseBridgeMark('vmbr1', 'uplink of deploy-stand')).toBeUndefined();
  });

  test('bridges: the marks of 0.1.0 name none; one that names another bridge was copied', () => {
    const old = 'deploy-stand lab=net user=anna@pve net=hq since=2026-01-01T00:00:00Z';
    expect(parseBridgeMark('vmbr1000', old)).toMatchObject({ kind: 'stand', net: 'hq' });
    expect(parseBridgeMark('vmbr5', 'deploy-stand reserved since=x')).toEqual({ kind: 'reserved' });
    expect(parseBridgeMark('vmbr1001', old.replace('lab=', 'bridge=vmbr1000 lab='))).toBeUndefined();
    expect(parseBridgeMark('vmbr6', 'deploy-stand bridge=vmbr5 reserved since=x')).toBeUndefined();
  });

  test('a user is ours by the beginning of its comment only', () => {
    expect(isUserMarked('deploy-stand since=2026-01-01T00:00:00Z')).toBe(true);
    expect(isUserMarked('the deploy-stand since=ever account')).toBe(false);
  });
});
