/** What is packed hangs together: links of the documents in it lead to what is in it, and there are no maps of absent sources. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

interface PackageFile {
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, unknown>>;
}
const { files, exports } = JSON.parse(readFileSync('package.json', 'utf8')) as PackageFile;

/** npm packs these whatever is said. */
const packed = [...files, 'README.md', 'package.json', 'LICENSE'];

const isPacked = (path: string): boolean =>
  packed.some((name) => path === name || path === `${name}/` || path.startsWith(`${name}/`));

const documents = packed.flatMap((name) => {
  if (!existsSync(name) || name === 'dist') return [];
  if (!statSync(name).isDirectory()) return name.endsWith('.md') ? [name] : [];
  return readdirSync(name, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(name, file));
});

test.each(documents)('links of %s', (document) => {
  const links = [...readFileSync(document, 'utf8').matchAll(/\]\(([^)#\s]+)/g)]
    .map(([, to = '']) => to)
    .filter((to) => !to.includes(':'))
    .map((to) => normalize(join(dirname(document), to)));
  expect(links.filter((to) => !isPacked(to))).toEqual([]);
});

test('package.json is exported, and no map is built', () => {
  expect(exports['./package.json']).toBe('./package.json');
  const build = readFileSync('tsconfig.build.json', 'utf8');
  expect(build).not.toMatch(/sourceMap|declarationMap/);
});
