/** What is imported of packages, as Node finds it in what npm ships: vitest and esbuild find more names in CommonJS. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** `import { a, type B } from 'package'`, without what the compiler takes out. */
function importsIn(text: string): string[] {
  return [...text.matchAll(/^import (?!type\b)([^;]*?) from '([^.'][^']*)';/gm)].flatMap(
    ([, what = '', from = '']) => {
      if (from.startsWith('node:')) return [];
      const names = [...(/\{([^}]*)\}/.exec(what)?.[1] ?? '').split(',')].map((name) => name.trim());
      const values = names.filter((name) => name !== '' && !name.startsWith('type '));
      return values.map((name) => `import { ${name.replace(/ as .*/, '')} as _ } from '${from}';`);
    },
  );
}

test('each name that is imported of a package is there for Node', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const all = new Set(files.flatMap((name) => importsIn(readFileSync(join('src', name), 'utf8'))));
  const program = [...all].map((line, at) => line.replace(' as _ ', ` as _${at} `)).join('\n');
  expect(all.size).toBeGreaterThan(20);
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
});
