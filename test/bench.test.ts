/** The benchmarks are run by hand, on what was built: that they name modules and exports that are there is looked at here. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const IMPORT = /import\s*\{([^}]*)\}\s*from\s*'\.\.\/dist\/([^']+)\.js'/g;

test('every import of a benchmark from dist/ is an export of a source file', () => {
  const benches = readdirSync('bench').filter((name) => name.endsWith('.mjs'));
  const imports = benches.flatMap((bench) =>
    [...readFileSync(`bench/${bench}`, 'utf8').matchAll(IMPORT)].flatMap(([, names = '', path = '']) =>
      names
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '')
        .map((name) => ({ bench, name, file: `src/${path}.ts` })),
    ),
  );
  expect(imports.length).toBeGreaterThan(20);
  const isThere = ({ name, file }: (typeof imports)[number]): boolean =>
    existsSync(file) &&
    new RegExp(`^export (async )?(function|class|const) ${name}\\b`, 'm').test(readFileSync(file, 'utf8'));
  expect(imports.filter((one) => !isThere(one))).toEqual([]);
});
