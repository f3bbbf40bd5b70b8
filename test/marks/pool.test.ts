import { describe, expect, test } from 'vitest';
import { formatPoolComment, parsePoolComment } from '../../src/lib/marks/pool.ts';

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
