import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseLab } from '../../src/lib/config/load.ts';
import { expectFresh } from './generated.ts';
import { labTables } from './lab-keys.ts';

test('docs/lab.md has the keys as the schema has them (`npm run docs` writes it anew)', async () => {
  await expectFresh('lab.md', labTables());
});

const text = readFileSync(new URL('../../docs/lab.md', import.meta.url), 'utf8');
const labs = [...text.matchAll(/```yaml\n([^]*?)```/g)].map(([, lab = '']) => lab);

describe('the labs of docs/lab.md are valid', () => {
  test.each(labs)('%s', (lab) => {
    expect(parseLab(lab, 'lab.yml').warnings).toEqual([]);
  });
});
