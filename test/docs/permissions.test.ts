import { test } from 'vitest';
import { expectFresh } from './generated.ts';
import { permissionsTables } from './permissions-tables.ts';

test('docs/permissions.md has the privilege table as the code has it (`npm run docs` writes it anew)', async () => {
  await expectFresh('permissions.md', permissionsTables());
});
