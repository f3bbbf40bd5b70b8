import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

interface Node {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly definitions?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: unknown;
}

const read = (name: string): Node => JSON.parse(readFileSync(`schemas/${name}.schema.json`, 'utf8')) as Node;

/** All subschemas that describe a value, with their place. */
function nodesOf(node: Node, place: string): { place: string; node: Node; isProperty: boolean }[] {
  const properties = Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
    { place: `${place}.${key}`, node: child, isProperty: true },
    ...nodesOf(child, `${place}.${key}`),
  ]);
  const definitions = Object.entries(node.definitions ?? {}).flatMap(([key, child]) => [
    { place: `${place}#${key}`, node: child, isProperty: true },
    ...nodesOf(child, `${place}#${key}`),
  ]);
  return [...properties, ...definitions];
}

test.each(readdirSync('schemas').flatMap((file) => /^(.*)\.schema\.json$/.exec(file)?.slice(1) ?? []))(
  '%s.schema.json is draft-07',
  (name) => {
    const schema = read(name);
    expect(schema['$schema']).toBe('http://json-schema.org/draft-07/schema#');
    const ajv = new Ajv();
    expect([ajv.validateSchema(schema), ajv.errors]).toEqual([true, null]);
  },
);

describe.each(['lab', 'users', 'connections', 'doctor', 'balance'])('%s.schema.json', (name) => {
  const schema = read(name);
  const nodes = nodesOf(schema, name);

  test('every property has a description and examples', () => {
    const silent = nodes.filter(({ node }) => {
      const { description, examples } = node;
      return (
        typeof description !== 'string' ||
        description.length < 5 ||
        !Array.isArray(examples) ||
        examples.length === 0
      );
    });
    expect(silent.map(({ place }) => place)).toEqual([]);
  });

  test('every mapping of fixed keys refuses others', () => {
    const open = [{ place: name, node: schema }, ...nodes].filter(
      ({ node }) => node.properties !== undefined && node.additionalProperties === undefined,
    );
    expect(open.map(({ place }) => place)).toEqual([]);
  });

  test('every example fits its own property', () => {
    const lax = new Ajv({ strict: false, allErrors: true });
    for (const { place, node } of nodes) {
      const validate = lax.compile({
        ...node,
        definitions: schema.definitions,
      });
      for (const example of node['examples'] as unknown[]) {
        expect([place, example, validate(example) ? [] : validate.errors]).toEqual([place, example, []]);
      }
    }
  });
});

test.each([
  ['lab', 'examples/router-lab/lab.yml'],
  ['users', 'examples/router-lab/users.yml'],
  ['connections', 'examples/connections.yml'],
  ['balance', 'examples/balance.yml'],
])('the %s schema alone accepts %s', (name, file) => {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true });
  expect(ajv.validate(read(name), parse(readFileSync(file, 'utf8')))).toBe(true);
});
