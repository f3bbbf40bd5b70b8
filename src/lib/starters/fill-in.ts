/** A shipped lab with other names in it; its comments stay. Pure. */
import { isMap, isScalar, isSeq, parseDocument, YAMLMap, type Document } from 'yaml';
import { OUTSIDE, type FoundNames } from './found-names.ts';

function textOf(map: YAMLMap, key: string): string | undefined {
  const value: unknown = map.get(key);
  return typeof value === 'string' ? value : undefined;
}

/** A value alone: what stands behind it as a comment belongs to it, and stays. */
function setValue(map: YAMLMap, key: string, value: unknown, as = key): void {
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  if (!pair || !isScalar(pair.key) || !isScalar(pair.value)) return;
  pair.key.value = as;
  pair.value.value = value;
}

function mapsIn(node: unknown): YAMLMap[] {
  return isSeq(node) ? node.items.filter((item): item is YAMLMap => isMap(item)) : [];
}

function fillMachine(machine: YAMLMap, { templates, bridge }: FoundNames): void {
  const found = templates.get(textOf(machine, 'template') ?? '');
  if (found) {
    const [[key, value] = ['template', '']] = Object.entries(found.ref);
    setValue(machine, 'template', value, key);
    if (!found.isRouter) setValue(machine, 'device_type', 'linux');
  }
  for (const network of mapsIn(machine.get('networks'))) {
    if (textOf(network, 'bridge') === OUTSIDE) setValue(network, 'bridge', bridge);
  }
}

export interface FillIn {
  readonly labName?: string | undefined;
  readonly names?: FoundNames | undefined;
}

export function fillIn(lab: string, { labName, names }: FillIn): string {
  if (labName === undefined && !names) return lab;
  const document: Document = parseDocument(lab);
  if (isMap(document.contents) && labName !== undefined) setValue(document.contents, 'name', labName);
  if (names) for (const machine of mapsIn(document.get('machines'))) fillMachine(machine, names);
  return document.toString({ lineWidth: 0 });
}

/** `student1@pve` and so on. */
export function classFile(students: number, prefix: string, realm: string): string {
  const users = Array.from({ length: students }, (_, at) => `  - ${prefix}${at + 1}@${realm}`);
  return [
    '# The class: one user per line. More about somebody goes into a mapping:',
    '#   - { userid: anna@pve, first_name: Anna, last_name: Petrova, email: anna@school.example }',
    'users:',
    ...users,
    '',
  ].join('\n');
}
