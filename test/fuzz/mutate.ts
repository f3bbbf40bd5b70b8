/** Damages valid files and values: as texts, the way a disk, an editor or a stranger does it, and as values of a wrong kind. */
import fc from 'fast-check';
import { StandError } from '../../src/lib/errors.ts';
import { anyCharacter } from '../any-character.ts';

/** What means something to the parsers of YAML, JSON, CSV and env files, and what reaches a prototype. */
const SCRAPS = [
  ...[
    '*x',
    '&x ',
    '<<: *x\n',
    '? ',
    '- ',
    ': ',
    '!!js ',
    '!!binary ',
    '!<tag:x> ',
    '|',
    '>',
    '%YAML 9.9\n',
    '---\n',
  ],
  ...['...\n', '{', '}', '[', ']', '"', "'", ',', ';', '#', '\t', '\r', '\n', '\\', '\0', '\u00a0', '\ufeff'],
  ...['~', 'null', 'true', 'no', '.nan', '.inf', '0x1f', '1e999', '-1', '010', '2001-01-01', '1_000', '='],
  ...[
    '__proto__: {a: 1}\n',
    'constructor: 1\n',
    'toString',
    '\ud800',
    '\u202e',
    '\u2028',
    '\u001b[2J',
    '{}',
    '[[[]]]',
  ],
];

type Edit = readonly [kind: 'insert' | 'cut' | 'copy' | 'join', at: number, scrap: string, length: number];

const edit: fc.Arbitrary<Edit> = fc.tuple(
  fc.constantFrom('insert', 'insert', 'cut', 'copy', 'join'),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.oneof(fc.constantFrom(...SCRAPS), fc.string({ maxLength: 4, unit: anyCharacter })),
  fc.integer({ min: 1, max: 30 }),
);

function apply(text: string, [kind, where, scrap, length]: Edit): string {
  const at = Math.floor(where * text.length);
  const before = text.slice(0, at);
  switch (kind) {
    case 'insert':
      return before + scrap + text.slice(at);
    case 'cut':
      return before + text.slice(at + length);
    case 'copy':
      return before + text.slice(at, at + length) + text.slice(at);
    case 'join':
      return before + text.slice(at).replace(/\n\s*/, ' ');
  }
}

/** A valid text with a few edits. */
export function damaged(texts: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 4 }))
    .map(([text, edits]) => edits.reduce(apply, text));
}

const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    '',
    ' ',
    '..',
    '../../x',
    'a\0b',
    '\ud800',
  ),
  fc.constantFrom<unknown>(
    [],
    {},
    [[]],
    [null],
    [{}],
    { a: { a: {} } },
    { toString: 1 },
    { length: -1 },
    '**',
    '*',
    'x'.repeat(300),
  ),
  fc.string({ maxLength: 6 }),
  fc.jsonValue({ maxDepth: 2 }),
);

export type Change = readonly [
  where: number,
  what: 'replace' | 'drop' | 'repeat' | 'add',
  value: unknown,
  key: string,
];

export const change: fc.Arbitrary<Change> = fc.tuple(
  fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  fc.constantFrom('replace', 'replace', 'replace', 'drop', 'repeat', 'add'),
  hostile,
  fc.constantFrom('__proto__', 'constructor', 'toString', 'x', '', '0', 'name'),
);

type Container = Record<string, unknown> | unknown[];
const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

/** Every place in the value: the container and the key in it. */
function places(value: unknown): (readonly [Container, string])[] {
  if (!isContainer(value)) return [];
  return Object.keys(value).flatMap((key) => [
    [value, key] as const,
    ...places((value as Record<string, unknown>)[key]),
  ]);
}

function changeOne(root: { value: unknown }, [where, what, given, key]: Change): void {
  // A part that is put in twice must not hold itself.
  const value = structuredClone(given);
  const all = places(root);
  const place = all[Math.floor(where * all.length)];
  if (!place) return;
  const [container, at] = place;
  const target = container as Record<string, unknown>;
  if (what === 'replace') target[at] = value;
  else if (what === 'add') {
    const inner = target[at];
    if (Array.isArray(inner)) inner.push(value);
    else if (isContainer(inner))
      Object.defineProperty(inner, key, { value, enumerable: true, configurable: true, writable: true });
  } else if (Array.isArray(container)) {
    if (what === 'drop') container.splice(Number(at), 1);
    else container.splice(Number(at), 0, structuredClone(container[Number(at)]));
  } else if (what === 'drop' && container !== root) Reflect.deleteProperty(container, at);
}

/** A copy of the value with these changes. */
export function changed(value: unknown, changes: readonly Change[]): unknown {
  const root = { value: structuredClone(value) };
  for (const one of changes) changeOne(root, one);
  return root.value;
}

/** A valid value with a few of its parts changed. */
export function distorted(values: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.constantFrom(...values), fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([value, changes]) => changed(value, changes));
}

/** Runs it: true, or an error that tells a user what is wrong with a file, in lines of their own. */
export function expectWords(act: () => unknown): boolean {
  let isFine = false;
  try {
    act();
    isFine = true;
  } catch (error) {
    if (!(error instanceof StandError) || error.exitCode !== 2) throw error;
    for (const { message } of [error, ...error.issues]) {
      if (/[\n\r\u001b]/.test(message))
        throw new Error(`not one line: ${JSON.stringify(message)}`, { cause: error });
    }
  }
  if (Object.keys(Object.prototype).length > 0) throw new Error('a prototype was reached');
  return isFine;
}
