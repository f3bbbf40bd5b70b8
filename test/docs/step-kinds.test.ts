/** CONTRIBUTING's list of what a new step kind touches is all that there is: the files that speak of a kind are in it. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const [, section = ''] = readFileSync('CONTRIBUTING.md', 'utf8').split('## How to add a step kind');
const named = [...(section.split('\n## ')[0] ?? '').matchAll(/`((?:src|schemas)\/[\w./-]+)`/g)].map(
  ([, path = '']) => path,
);
const files = ['src', 'schemas'].flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => /[.](ts|json)$/.test(name))
    .map((name) => `${root}/${name}`),
);

/** Kinds of which nothing special is known anywhere. */
test.each(['vm.reboot', 'vm.suspend', 'user.password', 'vm.unprotect'])('%s', (kind) => {
  const speaking = files.filter((file) => new RegExp(`['"]${kind}['"]`).test(readFileSync(file, 'utf8')));
  expect(speaking).toContain('src/lib/plan/document/step-traits.ts');
  expect(
    speaking.filter(
      (file) => !named.some((path) => file === path || (path.endsWith('/') && file.startsWith(path))),
    ),
  ).toEqual([]);
});
