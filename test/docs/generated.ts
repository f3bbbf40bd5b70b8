/** Parts of documents that are made from the code: `npm run docs` writes them anew, the tests compare. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

const GENERATED =
  /(<!-- made by `npm run docs` -->\n<!-- prettier-ignore-start -->\n)[^]*(<!-- prettier-ignore-end -->)/;

/** `name`: of a file in docs/. */
export async function expectFresh(name: string, part: string): Promise<void> {
  const file = new URL(`../../docs/${name}`, import.meta.url);
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(GENERATED);
  const fresh = text.replace(GENERATED, (_, head: string, tail: string) => `${head}\n${part}\n\n${tail}`);
  await expect(fresh).toMatchFileSnapshot(file.pathname);
}
