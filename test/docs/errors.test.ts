import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCodes, errorTable } from './error-codes.ts';

const FILE = new URL('../../docs/errors.md', import.meta.url);
const GENERATED =
  /(<!-- made by `npm run docs` -->\n<!-- prettier-ignore-start -->\n)[^]*(<!-- prettier-ignore-end -->)/;

const codes = errorCodes();

test('docs/errors.md has the codes as the code has them (`npm run docs` writes it anew)', async () => {
  const text = readFileSync(FILE, 'utf8');
  expect(text).toMatch(GENERATED);
  const fresh = text.replace(
    GENERATED,
    (_, head: string, tail: string) => `${head}\n${errorTable(codes)}\n\n${tail}`,
  );
  await expect(fresh).toMatchFileSnapshot(FILE.pathname);
});

test('thrown, super and refused codes are all found', () => {
  for (const code of [
    'CONFIG_INVALID',
    'MISSING_OPTION',
    'CANCELLED',
    'VMID_TAKEN',
    'POOL_FOREIGN',
    'NO_NESTED_POOLS',
  ])
    expect(codes.has(code), code).toBe(true);
});
