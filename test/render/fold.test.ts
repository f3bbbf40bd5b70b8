import { describe, expect, test } from 'vitest';
import { sameFor } from '../../src/lib/render/fold.ts';
import { refuseWhereNothingRemains } from '../../src/lib/plan/document/refuse.ts';
import { foldSaid } from '../../src/lib/said.ts';
import { renderPlan } from '../../src/lib/render/plan-text.ts';
import { renderSummary } from '../../src/lib/render/summary-text.ts';
import type { StandSummary } from '../../src/lib/outcome/types.ts';
import { newStand, plan, refusedStand, standSummary, summary } from './fixtures.ts';

const WIDE = { width: Infinity, color: false, wide: true };
const SHORT = { width: Infinity, color: false };
const MANY = Array.from({ length: 25 }, (_, at) => at + 1);

describe('foldSaid', () => {
  const said = (who: string, text: string, ...own: string[]) => ({ who, text, own: [who, ...own] });

  test('takes sentences for one that differ in whose they are, and no others', () => {
    const texts = [
      ...MANY.map((n) =>
        said(`s${n}@pve`, `VM ${n + 100} of s${n}@pve in pool s${n}`, `s${n}`, `${n + 100}`),
      ),
      said('x@pve', 'VM 101 of x@pve in pool y', 'x', '101'),
      ...[1, 2, 3].map((n) => said(`few${n}@pve`, `said of few${n}@pve`)),
      ...MANY.slice(0, 2).map((n) => said(`all${n}@pve`, 'said of what they share, made for all2@pve')),
    ];
    const folded = foldSaid(texts);
    expect(folded.map(({ first, others }) => [first.who, others.length])).toEqual([
      ['s1@pve', 24],
      ['x@pve', 0],
      ['few1@pve', 0],
      ['few2@pve', 0],
      ['few3@pve', 0],
      ['all1@pve', 1],
    ]);
    expect(foldSaid(texts, true)).toHaveLength(texts.length);
  });

  test('one way out for all names them all: none of these names is of one alone', () => {
    const hint = `reset ${MANY.map((n) => `--user s${n}@pve`).join(' ')}`;
    const alike = MANY.map((n) => ({ ...said(`s${n}@pve`, `VM ${n + 100} has none`, `${n + 100}`), hint }));
    const own = MANY.map((n) => ({ ...said(`s${n}@pve`, 'gone'), hint: `deploy --only s${n}@pve` }));
    const folded = foldSaid([...alike, ...own, { ...said('s1@pve', 'gone'), hint: 'another' }]);
    expect(folded.map(({ others }) => others.length)).toEqual([24, 24, 0]);
  });

  test('names a few and counts the others', () => {
    expect(sameFor(['a', 'b'].map((who) => ({ who })))).toBe('the same for 2 more: a, b');
    expect(sameFor(MANY.map((n) => ({ who: `s${n}` })))).toBe(
      'the same for 25 more: s1, s2, s3, s4, s5, s6, s7, s8 and 17 others (--wide names all)',
    );
  });
});

describe('a class of which the same is true', () => {
  const stands = (status: StandSummary['status'], more: (n: number) => Partial<StandSummary>) =>
    MANY.map((n) => standSummary(n, { status, ...more(n) }));
  const lines = (text: string, pattern: RegExp) =>
    text.split('\n').filter((line) => pattern.test(line)).length;
  const net = plan(MANY.map((n) => newStand(n)));

  test('is told so once in a summary: unchanged, left as it is, not finished', () => {
    const unchanged = summary(
      stands('unchanged', (n) => ({ notes: [`pool student${n} is old`] })),
      {
        status: 'nothing-to-do',
      },
    );
    const short = renderSummary(net, unchanged, SHORT);
    expect(short).toContain('25 stands are unchanged (--wide lists them)');
    expect(lines(short, /is old/)).toBe(1);
    const wide = renderSummary(net, unchanged, WIDE);
    expect(lines(wide, /is old/)).toBe(25);
    expect(lines(wide, /unchanged$/)).toBeGreaterThanOrEqual(25);

    const error = { code: 'INTERRUPTED', message: 'not begun', hint: 'run again' };
    const interrupted = summary(
      stands('incomplete', () => ({ error })),
      { status: 'interrupted' },
    );
    expect(lines(renderSummary(net, interrupted, SHORT), /INTERRUPTED/)).toBe(1);
    expect(lines(renderSummary(net, interrupted, WIDE), /INTERRUPTED/)).toBe(25);
  });

  const users = MANY.map((n) => `--user ${newStand(n).stand.user}`).join(' ');
  const resume = (n: number) => ({
    ...{ code: 'VM_HIBERNATED', message: `VM of ${newStand(n).stand.user} is hibernated` },
    hint: `\`deploy-stand power resume --lab net --user ${newStand(n).stand.user}\``,
  });

  test('has one way out for all of them, each by itself in full', () => {
    const held = summary(
      stands('incomplete', (n) => ({ error: resume(n) })),
      { status: 'partial' },
    );
    const resumed = new RegExp(`resume --lab net ${users}\``);
    expect(renderSummary(net, held, SHORT)).toMatch(resumed);
    expect(renderSummary(net, held, WIDE)).not.toMatch(resumed);
    const refused = MANY.map((n) => ({ stand: { ...newStand(n).stand, refused: resume(n) }, steps: [] }));
    expect(renderPlan(plan(refused), SHORT)).toMatch(resumed);
    expect(() => refuseWhereNothingRemains(refused.map(({ stand }) => stand))).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(resumed) as string }) as Error,
    );
  });

  test('is told so once in a plan', () => {
    const result = plan(MANY.map((n) => refusedStand(n)));
    expect(lines(renderPlan(result, SHORT), /POOL_FOREIGN/)).toBe(1);
    expect(lines(renderPlan(result, WIDE), /POOL_FOREIGN/)).toBe(25);
  });
});

test('a cleanup with nothing to do is one line', () => {
  const idle = summary([standSummary(1, { status: 'unchanged', notes: [] })], { status: 'nothing-to-do' });
  const { steps, stands, warnings } = plan([]);
  const cleanup = { version: 2, command: 'cleanup', lab: '', steps, stands, warnings } as const;
  expect(renderSummary(cleanup, idle, SHORT)).toBe('Nothing to remove');
});
