/** Every file that the documents name is there: files move, and nobody reads all of the documents again. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const DOCUMENTS = [
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

const PATH = /^(?:src|test|docs|bench|tools|schemas|examples)\/[\w./-]*$/;

function pathsIn(document: string): string[] {
  const text = readFileSync(document, 'utf8');
  const quoted = [...text.matchAll(/`([^`\n]+)`/g)]
    .flatMap(([, words = '']) => words.split(/[\s,]+/))
    .filter((word) => PATH.test(word));
  const linked = [...text.matchAll(/\]\(([^)#\s]+)/g)]
    .flatMap(([, to = '']) => (to.includes(':') ? [] : [to]))
    .map((to) => join(dirname(document), to));
  return [...quoted, ...linked];
}

test.each(DOCUMENTS)('%s names no file that is not there', (document) => {
  expect(pathsIn(document).filter((path) => !existsSync(path))).toEqual([]);
});

/** As GitHub and GitLab make them of a heading. */
const anchorsOf = (document: string): string[] =>
  [...readFileSync(document, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

test('links into a page lead to a heading of it', () => {
  const links = DOCUMENTS.flatMap((document) =>
    [...readFileSync(document, 'utf8').matchAll(/\]\(([^)\s:]*\.md)?#([\w-]+)\)/g)].map(
      ([, to, anchor = '']) => [to === undefined ? document : join(dirname(document), to), anchor] as const,
    ),
  );
  expect(links.length).toBeGreaterThan(2);
  expect(links.filter(([page, anchor]) => !anchorsOf(page).includes(anchor))).toEqual([]);
});

test('docs/README.md leads to every page', () => {
  const index = readFileSync('docs/README.md', 'utf8');
  const pages = readdirSync('docs').filter((name) => name.endsWith('.md') && name !== 'README.md');
  expect(pages.filter((name) => !index.includes(`](${name})`))).toEqual([]);
});

test('a file that CONTRIBUTING names beside the path of its room is somewhere', () => {
  const all = ['src', 'test'].flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }));
  const names = [...readFileSync('CONTRIBUTING.md', 'utf8').matchAll(/`([a-z/-]+\.ts)`/g)].map(
    ([, name = '']) => name,
  );
  const short = names.filter((name) => !PATH.test(name));
  expect(short.length).toBeGreaterThan(30);
  expect(short.filter((name) => !all.some((path) => `/${path}`.endsWith(`/${name}`)))).toEqual([]);
});

test('the picture of the life of a command names what is there, with a command for NAME', () => {
  const [, picture = ''] = /```mermaid\n([\s\S]*?)```/.exec(readFileSync('CONTRIBUTING.md', 'utf8')) ?? [];
  const names = picture
    .replaceAll('NAME', 'deploy')
    .split(/[\s"[\]{}]|<br>/)
    .map((word) => word.replace(/[,:]$/, ''))
    .filter((word) => /^[a-z-]+\/|[.]ts$/.test(word));
  expect(names.length).toBeGreaterThan(10);
  const all = readdirSync('src', { recursive: true, encoding: 'utf8' });
  const isThere = (name: string): boolean =>
    all.some((path) =>
      name.endsWith('/') ? `/${path}/`.endsWith(`/${name}`) : `/${path}`.endsWith(`/${name}`),
    );
  expect(names.filter((name) => !isThere(name))).toEqual([]);
});

test('there is something to look at', () => {
  expect(DOCUMENTS.flatMap(pathsIn).length).toBeGreaterThan(100);
});
