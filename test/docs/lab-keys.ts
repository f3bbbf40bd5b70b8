/** The table of all keys of lab.yml of docs/lab.md, made from its schema. */
import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';

interface Node {
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Node>>;
}
interface Schema extends Node {
  readonly definitions: Readonly<Record<string, Node>>;
}

const schema = JSON.parse(
  readFileSync(new URL('../../schemas/lab.schema.json', import.meta.url), 'utf8'),
) as Schema;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('*', '\\*').trim();

/** On one line, as it stands behind the key. */
function example(value: unknown): string {
  const text = stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
  return `\`${text.replaceAll('|', '\\|')}\``;
}

function row(path: string, { description = '', examples = [] }: Node): string {
  const [meaning = '', rest] = description.split(/ ?Default: /);
  const end = rest?.search(/\.( |$)/) ?? -1;
  const byDefault = rest === undefined ? '' : rest.slice(0, end < 0 ? undefined : end);
  const more = rest === undefined || end < 0 ? '' : rest.slice(end + 1);
  return `| \`${path}\` | ${cell(`${meaning}${more}`)} | ${cell(byDefault)} | ${example(examples[0])} |`;
}

function rows(node: Node, prefix: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, one]) => [
    row(`${prefix}${key}`, one),
    ...rows(one, `${prefix}${key}.`),
  ]);
}

function table(title: string, node: Node, prefix = ''): string {
  return [
    `### ${title}`,
    '',
    '| key | meaning | default | example |',
    '|---|---|---|---|',
    ...rows(node, prefix),
  ].join('\n');
}

export function labTables(): string {
  const { machine = {}, network = {}, check = {} } = schema.definitions;
  return [
    table('Of the lab', schema),
    table('Of a machine (`machines`)', machine),
    table('Of a NIC (`networks` of a machine)', network),
    table('Of a check (`checks`)', check),
  ].join('\n\n');
}
