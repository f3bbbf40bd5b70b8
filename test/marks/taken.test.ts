/** What a freeze keeps: it survives the comment as it is, and nothing that was ever kept is lost. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPoolComment, frozenSince, parsePoolComment } from '../../src/lib/marks/pool.ts';
import { formatTaken, mergeTaken, parseTaken, type TakenRight } from '../../src/lib/marks/taken.ts';
import { runs } from '../runs.ts';

const right = fc.record(
  {
    vmid: fc.integer({ min: 100, max: 999_999_999 }),
    role: fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/),
    propagate: fc.boolean(),
  },
  { requiredKeys: ['role', 'propagate'] },
) as fc.Arbitrary<TakenRight>;
const rights = fc.array(right, { maxLength: 6 }).map((list) => mergeTaken([], list));

describe('rights that were taken', () => {
  test('are written and read as they are, in one order', () => {
    fc.assert(
      fc.property(rights, (list) => {
        expect(parseTaken(formatTaken(list))).toEqual(list);
        expect(formatTaken([...list].reverse())).toBe(formatTaken(list));
      }),
      runs(100, 20_000),
    );
  });

  test('are never lost by a merge', () => {
    fc.assert(
      fc.property(rights, rights, (kept, now) => {
        const keys = mergeTaken(kept, now).map(({ vmid, role }) => `${vmid ?? ''} ${role}`);
        for (const { vmid, role } of [...kept, ...now]) expect(keys).toContain(`${vmid ?? ''} ${role}`);
        expect(mergeTaken(mergeTaken(kept, now), now)).toEqual(mergeTaken(kept, now));
      }),
      runs(100, 20_000),
    );
  });

  test('stay in the header as long as a claim is frozen, and no longer', () => {
    const claim = 'lab=net vms=pc:1000 since=2026-01-01T00:00:00Z';
    const text = `deploy-stand user=anna@pve taken=PVEVMAdmin,1000:PVEVMUser!\n${claim} frozen=2026-02-01T00:00:00Z`;
    const mark = { ...parsePoolComment(text), user: 'anna@pve' };
    expect(frozenSince(mark)).toBe('2026-02-01T00:00:00Z');
    expect(formatPoolComment(mark)).toBe(text);
    const claims = parsePoolComment(text.replace(/ frozen=\S+/, '')).claims;
    expect(formatPoolComment({ ...mark, claims })).toBe(`deploy-stand user=anna@pve\n${claim}`);
  });

  test.each(['', 'a b', ',,', '0:PVEVMAdmin', ':x', '12:', 'x!!'])('%j is none', (text) => {
    expect(parseTaken(text)).toEqual([]);
  });
});
