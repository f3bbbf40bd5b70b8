/** The ratchet of `npm run contract`: what counts as modelled, and what as lost. */
import { describe, expect, test } from 'vitest';
import { isContractAtHand } from './official.ts';
import { lostSince, main, modelledOf, readRecord } from './ratchet.ts';
import { hasField, requiredFields, type OfficialReturn } from './returns.ts';

const rows: OfficialReturn = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      size: { type: 'integer', optional: 1 },
      ha: { type: 'object', properties: { managed: { type: 'boolean' } } },
    },
  },
};

const unproven = (answer: unknown): string[] =>
  requiredFields(rows)
    .filter((field) => !hasField(answer, field))
    .map(({ place }) => place);

describe('required fields of an answer', () => {
  test('are those that are not optional, at any depth', () => {
    expect(requiredFields(rows).map(({ place }) => place)).toEqual([
      '.',
      '[].name',
      '[].ha',
      '[].ha.managed',
    ]);
  });

  test.each<[string, unknown, string[]]>([
    ['complete', [{ name: 'a', ha: { managed: 1 } }], []],
    ['an empty list proves nothing of its rows', [], ['[].name', '[].ha', '[].ha.managed']],
    [
      'one row lacks it',
      [
        { name: 'a', ha: { managed: 0 } },
        { name: 'b', ha: {} },
      ],
      ['[].ha.managed'],
    ],
    ['another type', [{ name: ['a'], ha: { managed: 'yes' } }], ['[].name', '[].ha.managed']],
    ['an object where a list is due', { name: 'a' }, ['.', '[].name', '[].ha', '[].ha.managed']],
  ])('%s', (_, answer, expected) => {
    expect(unproven(answer)).toEqual(expected);
  });
});

test('one line per fact, with the versions that have it', () => {
  const fact = (key: string, modelled: boolean) => ({ key, kind: 'endpoint' as const, modelled });
  const byVersion = new Map([
    ['7.4' as const, [fact('GET /b', true), fact('GET /a', true)]],
    ['9.2' as const, [fact('GET /a', true), fact('GET /b', false)]],
  ]);
  const now = modelledOf(byVersion);
  expect(Object.entries(now)).toEqual([
    ['GET /a', '79'],
    ['GET /b', '7'],
  ]);
  expect(lostSince({ 'GET /a': '79', 'GET /b': '79', 'GET /c': '8' }, now)).toEqual([
    '9: GET /b',
    '8: GET /c',
  ]);
  expect(lostSince({}, now)).toEqual([]);
});

test.skipIf(!isContractAtHand)(
  'fails for what is lost and for what is not recorded: the record is exactly what is modelled',
  async () => {
    const lines: string[] = [];
    const { 'GET /version': gained = '', ...others } = readRecord();
    const record = { ...others, 'GET /nodes/{node}/lost': '79', 'GET /version lost': '8' };
    const code = await main([], (line) => lines.push(line), record);
    expect(lines.filter((line) => /^(LOST|NEW)/.test(line)).sort()).toEqual([
      'LOST     7: GET /nodes/{node}/lost',
      'LOST     8: GET /version lost',
      'LOST     9: GET /nodes/{node}/lost',
      ...Array.from(gained, (major) => `NEW      ${major}: GET /version  (--update records it)`),
    ]);
    expect([gained, code]).toEqual(['789', 1]);
  },
);
