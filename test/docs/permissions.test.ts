import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { permissionsTables } from './permissions-tables.ts';

const FILE = new URL('../../docs/permissions.md', import.meta.url);
const GENERATED =
  /(<!-- made by `npm run docs` -->\n<!-- prettier-ignore-start -->\n)[^]*(<!-- prettier-ignore-end -->)/;

test('docs/permissions.md has the privilege table as the code has it (`npm run docs` writes it anew)', async () => {
  const text = readFileSync(FILE, 'utf8');
  expect(text).toMatch(GENERATED);
  const fresh = text.replace(
    GENERATED,
    (_, head: string, tail: string) => `${head}\n${permissionsTables()}\n\n${tail}`,
  );
  await expect(fresh).toMatchFileSnapshot(FILE.pathname);
});
