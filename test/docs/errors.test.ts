import { expect, test } from 'vitest';
import { errorCodes, errorTable } from './error-codes.ts';
import { expectFresh } from './generated.ts';

const codes = errorCodes();

test('docs/errors.md has the codes as the code has them (`npm run docs` writes it anew)', async () => {
  await expectFresh('errors.md', errorTable(codes));
});

test.each(['CONFIG_INVALID', 'MISSING_OPTION', 'CANCELLED', 'VMID_TAKEN', 'POOL_FOREIGN', 'NO_NESTED_POOLS'])(
  'thrown, super and refused codes are all found: %s',
  (code) => {
    expect(codes.has(code)).toBe(true);
  },
);
