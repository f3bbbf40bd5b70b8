/**
 * Holds the published schemas against the types of what is printed: the same fields, the same ones required, the same
 * words. Bounds, patterns and descriptions are the schemas' own (docs/adr/0009-schemas-beside-types.md).
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Each schema and the type that it describes. `below`: where in the schema; `more`: fields that the type lacks, added when
 * it is printed or read on its own; `told`: what is printed in words; `input`: the schema may allow fewer words than the type takes.
 */
const DOCUMENTS = [
  { schema: 'plan', file: 'src/lib/plan/document/plan.ts', type: 'Plan' },
  {
    schema: 'result',
    below: 'definitions/summary',
    file: 'src/lib/outcome/types.ts',
    type: 'Summary',
    more: ['result.requests'],
  },
  {
    schema: 'status',
    file: 'src/lib/plan/views/status-types.ts',
    type: 'StatusReport',
    more: ['status.problems[].hint', 'status.problems[].message'],
    told: ['status.notes[]'],
  },
  {
    schema: 'check-results',
    file: 'src/lib/plan/views/checks-types.ts',
    type: 'ChecksReport',
    more: ['check-results.kind'],
  },
  { schema: 'doctor', file: 'src/lib/privileges/report.ts', type: 'DoctorReport' },
  { schema: 'snapshots', file: 'src/lib/plan/day-two/snapshot-list.ts', type: 'SnapshotReport' },
  {
    schema: 'lab',
    file: 'src/lib/config/lab/normalise.ts',
    type: 'WrittenLab',
    more: ['lab.name'],
    input: true,
  },
  { schema: 'balance', file: 'src/lib/config/balance/normalise.ts', type: 'WrittenBalance', input: true },
  { schema: 'cluster', file: 'src/lib/simulator/scenario-types.ts', type: 'Scenario', input: true },
];

const options = ts.getParsedCommandLineOfConfigFile(
  `${ROOT}tsconfig.json`,
  {},
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (problem) => {
      throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, '\n'));
    },
  },
).options;
const program = ts.createProgram(
  DOCUMENTS.map(({ file }) => ROOT + file),
  { ...options, noEmit: true },
);
const checker = program.getTypeChecker();

/** One form for both sides: words and primitive types, objects by field, what lists and maps hold. */
const none = () => ({ words: new Set(), objects: [], items: [], values: [] });

function shapeOfType(type) {
  const shape = none();
  for (const part of type.isUnion() ? type.types : [type]) {
    if (part.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Unknown)) continue;
    if (part.isStringLiteral() || part.isNumberLiteral()) shape.words.add(JSON.stringify(part.value));
    else if (part.flags & ts.TypeFlags.StringLike) shape.words.add('string');
    else if (part.flags & ts.TypeFlags.NumberLike) shape.words.add('number');
    else if (part.flags & ts.TypeFlags.BooleanLiteral) shape.words.add(checker.typeToString(part));
    else if (part.flags & ts.TypeFlags.Null) shape.words.add('null');
    else if (checker.isArrayLikeType(part))
      shape.items.push(checker.getTypeArguments(part).map(shapeOfTypeLater));
    else addObject(shape, part);
  }
  return withBoolean(shape);
}
function withBoolean(shape) {
  if (shape.words.has('true') && shape.words.has('false')) {
    shape.words.delete('true');
    shape.words.delete('false');
    shape.words.add('boolean');
  }
  return shape;
}
const shapeOfTypeLater = (type) => () => shapeOfType(type);

function addObject(shape, type) {
  const values = type.getStringIndexType();
  if (values) shape.values.push(shapeOfTypeLater(values));
  const fields = type.getProperties().map((field) => [
    field.name,
    {
      isRequired: (field.flags & ts.SymbolFlags.Optional) === 0,
      shapes: [shapeOfTypeLater(checker.getTypeOfSymbol(field))],
    },
  ]);
  if (fields.length > 0) shape.objects.push(new Map(fields));
}

function resolve(schema, root) {
  const { $ref } = schema;
  if ($ref === undefined) return { schema, root };
  const [file, pointer] = $ref.split('#/');
  const target = file === '' || file === root.$id ? root : read(file.replace('.schema.json', ''));
  return resolve(at(target, pointer), target);
}
const at = (schema, pointer) =>
  pointer === '' ? schema : pointer.split('/').reduce((node, key) => node[key], schema);
const read = (name) => JSON.parse(readFileSync(`${ROOT}schemas/${name}.schema.json`, 'utf8'));

function shapeOfSchema(written, from, shape = none()) {
  const { schema, root } = resolve(written, from);
  for (const part of schema.oneOf ?? schema.anyOf ?? []) shapeOfSchema(part, root, shape);
  const words = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  for (const word of words ?? []) shape.words.add(word === null ? 'null' : JSON.stringify(word));
  const later = (part) => () => shapeOfSchema(part, root);
  for (const type of words ? [] : [schema.type ?? []].flat()) {
    if (type === 'array') shape.items.push([schema.items ?? {}].flat().map(later));
    else if (type !== 'object') shape.words.add(type === 'integer' ? 'number' : type);
    else if (schema.properties) {
      const fields = Object.entries(schema.properties).map(([name, part]) => [
        name,
        { isRequired: (schema.required ?? []).includes(name), shapes: [later(part)] },
      ]);
      shape.objects.push(new Map(fields));
    }
  }
  if (typeof schema.additionalProperties === 'object') shape.values.push(later(schema.additionalProperties));
  return shape;
}

const problems = [];

/** What both say of one place in the document. */
function compare(run, path, typed, published, depth = 0) {
  if (run.told.includes(path)) return;
  if (depth > 12 || isAnything(typed) || isAnything(published)) return;
  const words = (shape) => [...shape.words].sort().join(' | ');
  const [ours, theirs] = [words(typed), words(published)];
  const isNarrower = run.input && typed.words.has('string') && published.words.size > 0;
  if (ours !== theirs && !isNarrower)
    run.found.push(`${path}: the type says ${ours || 'nothing'}, the schema ${theirs || 'nothing'}`);
  for (const [name, type, schema] of paired(typed.objects, published.objects))
    compareFields(run, `${path}${name}`, type, schema, depth);
  compareParts(run, `${path}[]`, typed.items.flat(), published.items.flat(), depth);
  compareParts(run, `${path}.*`, typed.values, published.values, depth);
}
const isAnything = ({ words, objects, items, values }) =>
  words.size + objects.length + items.length + values.length === 0;

const joined = (shapes) =>
  shapes.reduce((all, make) => {
    const { words, objects, items, values } = make();
    return {
      words: new Set([...all.words, ...words]),
      objects: [...all.objects, ...objects],
      items: [...all.items, ...items],
      values: [...all.values, ...values],
    };
  }, none());

function compareParts(run, path, types, schemas, depth) {
  if (types.length > 0 && schemas.length > 0) compare(run, path, joined(types), joined(schemas), depth + 1);
}

/** The word by which objects are told apart, where there is one on both sides; else each side as one object. */
function paired(types, schemas) {
  if (types.length === 0 || schemas.length === 0) return [];
  const all = [...types, ...schemas];
  const key = [...all[0].keys()].find((name) => all.every((object) => wordsOf(object, name).length > 0));
  if (types.length === 1 || schemas.length === 1 || key === undefined)
    return [['', merged(types), merged(schemas)]];
  const names = new Set(all.flatMap((object) => wordsOf(object, key)));
  const of = (objects, word) => objects.filter((object) => wordsOf(object, key).includes(word));
  return [...names].map((word) => [
    `(${word})`,
    merged(of(types, word), key),
    merged(of(schemas, word), key),
  ]);
}
function wordsOf(object, name) {
  const field = object.get(name);
  const words = field?.isRequired ? [...joined(field.shapes).words] : [];
  return words.every((word) => word.startsWith('"')) ? words : [];
}

/** A field is required where all have it and require it. */
function merged(objects, key) {
  const names = new Set(objects.flatMap((object) => [...object.keys()]));
  names.delete(key);
  return new Map(
    [...names].map((name) => {
      const fields = objects.map((object) => object.get(name));
      return [
        name,
        {
          isRequired: fields.every((field) => field?.isRequired === true),
          shapes: fields.flatMap((field) => field?.shapes ?? []),
        },
      ];
    }),
  );
}

function compareFields(run, path, type, schema, depth) {
  for (const name of new Set([...type.keys(), ...schema.keys()])) {
    const [ours, theirs] = [type.get(name), schema.get(name)];
    const where = `${path}.${name}`;
    if (!ours || !theirs) {
      if (!ours && run.more.includes(where)) continue;
      run.found.push(`${where} is in the ${ours ? 'type' : 'schema'} only`);
      continue;
    }
    if (ours.isRequired !== theirs.isRequired)
      run.found.push(`${where} is required by the ${ours.isRequired ? 'type' : 'schema'} only`);
    compare(run, where, joined(ours.shapes), joined(theirs.shapes), depth + 1);
  }
}

for (const { schema, below = '', file, type, more = [], told = [], input = false } of DOCUMENTS) {
  const source = program.getSourceFile(ROOT + file);
  const symbol = checker
    .getExportsOfModule(checker.getSymbolAtLocation(source))
    .find((one) => one.name === type);
  if (!symbol) throw new Error(`${file} exports no ${type}`);
  const root = read(schema);
  const published = shapeOfSchema(at(root, below), root);
  const found = [];
  compare(
    { found, more, told, input },
    schema,
    shapeOfType(checker.getDeclaredTypeOfSymbol(symbol)),
    published,
  );
  problems.push(...found);
}
const said = [...new Set(problems)].sort();
if (said.length > 0) {
  process.stderr.write(`${said.join('\n')}\n${said.length} places where a schema and its type differ\n`);
  process.exitCode = 1;
}
