/** Holds a value against a JSON Schema of the package and says in plain words what does not fit. Knows no semantics. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { stringify } from 'yaml';
import { QUICKLY_COMPILED, readPackageFile } from '../../files/package.ts';
import { type Issues, type Path } from './issues.ts';
import { nearest } from '../../nearest.ts';

export type SchemaName = 'lab' | 'users' | 'connections' | 'balance' | 'checks';

interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly definitions?: Readonly<Record<string, SchemaNode>>;
  readonly examples?: readonly unknown[];
  readonly $ref?: string;
}

interface Loaded {
  readonly schema: SchemaNode;
  readonly textKeys: ReadonlySet<string>;
  readonly validate: ValidateFunction;
}

const loaded = new Map<SchemaName, Loaded>();

function load(name: SchemaName): Loaded {
  const known = loaded.get(name);
  if (known) return known;
  const schema = JSON.parse(readPackageFile(`schemas/${name}.schema.json`)) as SchemaNode; // our own file; ajv checks it
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    verbose: true,
    ...QUICKLY_COMPILED,
  });
  const entry = { schema, textKeys: textKeysIn(schema), validate: ajv.compile(schema) };
  loaded.set(name, entry);
  return entry;
}

/** Names of the properties that hold text and nothing else, at whatever depth. */
export function textKeysOf(name: SchemaName): ReadonlySet<string> {
  return load(name).textKeys;
}

function textKeysIn(schema: SchemaNode): ReadonlySet<string> {
  const keys = new Set<string>();
  const visit = (node: SchemaNode): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      if (isTextual(child, schema)) keys.add(key);
      visit(child);
    }
    for (const child of Object.values(node.definitions ?? {})) visit(child);
  };
  visit(schema);
  return keys;
}

function isTextual(node: SchemaNode, root: SchemaNode): boolean {
  const definition = node.$ref?.split('/').at(-1);
  const resolved = definition === undefined ? node : root.definitions?.[definition];
  const types = [resolved?.type ?? []].flat();
  const items = (resolved as { items?: SchemaNode } | undefined)?.items;
  const isFlat = types.every((type) => type === 'string' || type === 'array');
  if (types.length === 0 || !isFlat) return false;
  return !types.includes('array') || (items !== undefined && isTextual(items, root));
}

function pathOf(pointer: string, root: unknown): Path {
  const path: (string | number)[] = [];
  let current = root;
  for (const raw of pointer.split('/').slice(1)) {
    const part = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(current) ? Number(part) : part);
    current = (current as Record<string, unknown> | undefined)?.[part]; // ajv has walked this way
  }
  return path;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping (key: value)',
};

/** YAML's `.nan` and `.inf`, which JSON has no numbers for. */
function oddNumber(value: number): string {
  return Number.isNaN(value) ? 'no number' : 'infinite';
}

function wordOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : oddNumber(value);
  if (typeof value === 'boolean') return 'true or false';
  return typeof value === 'string' ? 'text' : 'a mapping (key: value)';
}

interface Words {
  readonly message: string;
  readonly hint?: string | undefined;
}

/** On one line, as somebody would write it in the file. */
function inYaml(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
}

function example(error: ErrorObject): string | undefined {
  const [first] = (error.parentSchema as SchemaNode | undefined)?.examples ?? [];
  return first === undefined ? undefined : `for example: ${inYaml(first)}`;
}

function typeWords(error: ErrorObject): Words {
  const wanted = [(error.params as { type: string | string[] }).type]
    .flat()
    .filter((type) => type !== 'null');
  const words = wanted.map((type) => TYPE_WORDS[type] ?? type).join(' or ');
  const isYesNo = typeof error.data === 'string' && /^(yes|no|on|off|y|n)$/i.test(error.data);
  if (wanted.includes('boolean') && isYesNo) {
    return { message: 'must be true or false', hint: 'YAML reads yes, no, on and off as text' };
  }
  const isFraction = wanted.includes('integer') && Number.isFinite(error.data);
  const found = isFraction ? 'a fraction' : wordOf(error.data);
  if (found === 'empty')
    return { message: `is empty; expected ${words}`, hint: 'give a value, or remove the line' };
  return { message: `must be ${words}, but is ${found}`, hint: example(error) };
}

function enumWords(error: ErrorObject): Words {
  const allowed = (error.params as { allowedValues: string[] }).allowedValues;
  const near = typeof error.data === 'string' ? nearest(error.data, allowed) : undefined;
  const message = `is not one of ${allowed.join(', ')}`;
  return { message, hint: near === undefined ? undefined : `did you mean ${near}?` };
}

/** Plain words per keyword; `undefined` for errors that only repeat others. */
function wordsOf(error: ErrorObject): Words | undefined {
  const limit = String((error.params as { limit?: number }).limit);
  switch (error.keyword) {
    case 'type':
      return typeWords(error);
    case 'enum':
      return enumWords(error);
    case 'minimum':
      return { message: `is too small; the least is ${limit}` };
    case 'maximum':
      return { message: `is too large; the most is ${limit}` };
    case 'minItems':
    case 'minProperties':
      return limit === '1'
        ? { message: 'the list is empty', hint: 'add at least one entry' }
        : { message: `the list has fewer than ${limit} entries` };
    case 'maxItems':
      return { message: `the list has more than ${limit} entries` };
    case 'minLength':
      return {
        message: error.data === '' ? 'is empty' : `is shorter than ${limit} characters`,
        hint: example(error),
      };
    case 'maxLength':
      return { message: `is longer than ${limit} characters` };
    case 'pattern':
      return { message: 'does not have the expected form', hint: example(error) };
    default:
      return undefined;
  }
}

/** Where keys belong: `tag` → `machines[].networks[]`. */
function homesOf(schema: SchemaNode): Map<string, string> {
  const homes = new Map<string, string>();
  const visit = (node: SchemaNode, home: string): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      if (!homes.has(key)) homes.set(key, home === '' ? 'the top level' : home);
      visit(child, home === '' ? key : `${home}.${key}`);
    }
  };
  visit(schema, '');
  const { machine, network } = schema.definitions ?? {};
  if (machine) visit(machine, 'machines[]');
  if (network) visit(network, 'machines[].networks[]');
  return homes;
}

function unknownKeyHint(key: string, error: ErrorObject, schema: SchemaNode): string {
  const known = Object.keys((error.parentSchema as SchemaNode | undefined)?.properties ?? {});
  const near = nearest(key, known);
  const home = homesOf(schema).get(key);
  const ideas = [
    ...(home === undefined ? [] : [`it belongs in ${home}`]),
    ...(near === undefined ? [] : [`did you mean ${near}?`]),
  ];
  if (ideas.length > 0) return ideas.join('; ');
  return `known here: ${known.join(', ')}`;
}

function report(error: ErrorObject, path: Path, issues: Issues, schema: SchemaNode): void {
  if (error.keyword === 'additionalProperties') {
    const key = (error.params as { additionalProperty: string }).additionalProperty;
    const hint = unknownKeyHint(key, error, schema);
    issues.add([...path, key], 'unknown key', { at: 'key', hint });
    return;
  }
  if (error.keyword === 'required') {
    const key = (error.params as { missingProperty: string }).missingProperty;
    if (issues.has([...path, key])) return;
    const [first] = (error.parentSchema as SchemaNode | undefined)?.properties?.[key]?.examples ?? [];
    const hint = first === undefined ? `add ${key}:` : `add ${key}: for example ${inYaml(first)}`;
    issues.add([...path, key], 'is missing', { hint });
    return;
  }
  if (error.keyword === 'propertyNames') {
    const key = (error.params as { propertyName: string }).propertyName;
    issues.add([...path, key], 'is not a NIC number (0 to 31)', { at: 'key' });
    return;
  }
  const words = wordsOf(error);
  if (words && error.propertyName === undefined)
    issues.add(path, words.message, { value: error.data, hint: words.hint });
}

/**
 * Adds what the schema finds, except at places where a rule has spoken already: its words are better.
 * Call it after the rules.
 */
export function checkSchema(name: SchemaName, value: unknown, issues: Issues): void {
  const { schema, validate } = load(name);
  if (validate(value)) return;
  for (const error of validate.errors ?? []) {
    const path = pathOf(error.instancePath, value);
    if (!issues.has(path) || error.keyword === 'required' || error.keyword === 'additionalProperties') {
      report(error, path, issues, schema);
    }
  }
}
