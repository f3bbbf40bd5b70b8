/** `.dependency-cruiser.cjs` allows what rooms import, and nothing that they do not any more. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { posix } from 'node:path';
import { expect, test } from 'vitest';

interface Rule {
  readonly name: string;
  readonly from: { readonly path: string };
  readonly to: { readonly pathNot: readonly string[] };
}
const { forbidden } = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as {
  readonly forbidden: readonly Rule[];
};
const rooms = forbidden.filter(({ name }) => name.endsWith('-may-only-import'));

function imported(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/(?:\bfrom |\bimport\()'([^']+)'/g)].map(([, name = '']) => {
    if (name.startsWith('.')) return posix.join(posix.dirname(file), name);
    return name.startsWith('node:') ? name : `node_modules/${name}/`;
  });
}
const imports = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `src/${name}`)
  .map((file) => ({ file, to: imported(file) }));

/** Every row has it. */
const [leaves = ''] = (rooms[0]?.to.pathNot ?? []).filter((path) =>
  rooms.every(({ to }) => to.pathNot.includes(path)),
);

test('every row is about imports that there are', () => {
  const idle = rooms.flatMap(({ name, from, to }) => {
    const inside = new RegExp(from.path);
    const outside = imports.filter(({ file }) => inside.test(file)).flatMap((one) => one.to);
    return to.pathNot
      .filter((allowed) => !outside.some((path) => new RegExp(allowed).test(path) && !inside.test(path)))
      .filter((allowed) => allowed !== from.path && allowed !== leaves)
      .map((allowed) => `${name}: ${allowed}`);
  });
  expect(rooms.length).toBeGreaterThan(30);
  expect(idle).toEqual([]);
});

test('what everybody may import, several rooms do', () => {
  const files = imports.map(({ file }) => file).filter((file) => new RegExp(leaves).test(file));
  expect(files.length).toBeGreaterThan(10);
  const lonely = files.filter((leaf) => {
    const users = imports.filter(({ to }) => to.includes(leaf));
    return rooms.filter(({ from }) => users.some(({ file }) => new RegExp(from.path).test(file))).length < 2;
  });
  expect(lonely).toEqual([]);
});
