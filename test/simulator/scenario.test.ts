/** Scenario files: what is accepted, what is reported, and the ones that ship. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ConfigError, type ConfigIssue } from '../../src/lib/errors.ts';
import { buildState } from '../../src/lib/simulator/build/build-state.ts';
import { defaultScenario, loadScenario } from '../../src/lib/simulator/scenario.ts';
import { loadVmmanagerScenario } from '../../src/lib/vmmanager-stand-in/scenario.ts';

const minimal = `nodes: [{ name: pve1 }]\nstorages: [{ id: ceph, type: rbd }]\n`;

function issuesOf(text: string): string[] {
  try {
    loadScenario(text, 'c.yml');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.code).toBe('SCENARIO_INVALID');
    return error.issues.map((one) => `${one.line ?? '?'} ${one.path}: ${one.message}`);
  }
  return [];
}

test.each<[string, string, string[]]>([
  ['the least there can be', minimal, []],
  ['a version as a number', `version: 8.4\n${minimal}`, []],
  ['broken YAML', 'nodes: [', ['1 : the indentation does not fit the lines above']],
  [
    'an alias of nothing',
    'nodes: *nowhere\nstorages: []\n',
    ['1 nodes: a "*" at the start of a value is YAML syntax'],
  ],
  ['an unknown version', `version: "8.1"\n${minimal}`, ['1 version: must be one of 7.4, 8.4, 9.2']],
  ['an unknown property', `speed: 3\n${minimal}`, ['1 : unknown property "speed"']],
  [
    'nothing',
    '{}',
    ["1 : must have required property 'nodes'", "1 : must have required property 'storages'"],
  ],
  [
    'references into the void, all at once',
    `${minimal}templates:\n  - { vmid: 100, name: a, node: pve2 }\n  - { vmid: 100, name: b, node: pve1, storage: nfs, pool: p }\nacl: [{ path: /, role: Nope, user: a@pve }]\n`,
    [
      '4 templates[0].node: there is no node "pve2"',
      '5 templates[1].storage: there is no storage "nfs"',
      '5 templates[1].pool: there is no pool "p"',
      '5 templates[1].vmid: VMID 100 is used twice',
      '6 acl[0].role: there is no role "Nope"',
    ],
  ],
])('%s', (_, text, issues) => {
  expect(issuesOf(text)).toEqual(issues);
});

test.each<[string, string[]]>([
  ['{ path: /pools }', []],
  ['{ path: "/nodes/{node}/qemu/{vmid}/clone", method: POST }', []],
  ['{ path: /nodes/pve1/qemu/100/clone, method: POST }', []],
  ['{ path: /nodes/pve1/hardware/pci, method: GET }', []],
  ['{ path: "/nodes/{node}/qemu/{id}/clone" }', ['path → did you mean /nodes/{node}/qemu/{vmid}/clone?']],
  ['{ path: "/nodes/{node}/qemu/{vmid}/clon" }', ['path → did you mean /nodes/{node}/qemu/{vmid}/clone?']],
  ['{ path: /api2/json/access/users }', ['path → did you mean /access/users?']],
  ['{ path: /nodes/pve9/qemu }', ['path → there are: pve1']],
  ['{ path: clone }', ['path → for example /nodes/{node}/qemu, or /nodes/pve1/qemu']],
  ['{ path: "/nodes/{node}/qemu", method: DELETE }', ['method → it has GET, POST']],
  ['{ path: "/nodes/{node}/qemu", action: task-fail }', []],
  ['{ path: /nodes/pve1/qemu/100/resize, action: task-fail }', []],
  [
    '{ path: "/nodes/{node}/qemu", method: GET, action: task-fail }',
    ['action → one begins with POST /nodes/{node}/qemu; `action: fail` strikes any request'],
  ],
  ...['/pools', '/nodes/pve1/vzdump'].map((path): [string, string[]] => [
    `{ path: ${path}, action: no-worker }`,
    [
      'action → one begins with POST /nodes/{node}/qemu/{vmid}/clone, for example; `action: fail` strikes any request',
    ],
  ]),
])('a failure that could never strike is refused: %s', (fault, expected) => {
  const whole = fault.includes('action:') ? fault : fault.replace(' }', ', action: fail }');
  const text = `${minimal}faults: [${whole}]\n`;
  const found = (): readonly ConfigIssue[] => {
    try {
      loadScenario(text, 'cluster.yml');
    } catch (error) {
      if (error instanceof ConfigError) return error.issues;
      throw error;
    }
    return [];
  };
  expect(found().map(({ path, hint }) => `${path.replace('faults[0].', '')} → ${hint}`)).toEqual(expected);
});

test.each<[string, string[]]>([
  ['{ path: /vm/v3/node, action: fail }', []],
  ['{ path: /auth/v4/public/token, method: POST, action: fail }', []],
  ['{ path: /vm/v3/host/7/migrate, method: POST, action: task-fail }', []],
  ['{ path: /vm/v3/task/12, action: slow }', []],
  ['{ path: "/vm/v3/host/{id}/migrat", action: fail }', ['path → did you mean /vm/v3/host/{id}/migrate?']],
  ['{ path: /vm/v3/host/8/migrate, action: fail }', ['path → /vm/v3/host/{id}/migrate strikes every guest']],
  ['{ path: /vm/v3/node, method: POST, action: fail }', ['method → it has GET']],
  ['{ path: /vm/v3/node, action: task-fail }', ['action → one begins with POST /vm/v3/host/{id}/migrate']],
])('the same on VMmanager 6: %s', (fault, expected) => {
  const text = `platform: vmmanager6
clusters: [{ id: 1, name: main }]
nodes: [{ id: 2, name: n1, cluster: 1, cpus: 8, memory_gib: 64 }]
guests: [{ id: 7, name: g, node: 2, cores: 1, memory_mib: 512 }]
faults: [${fault}]
`;
  const found = (): readonly ConfigIssue[] => {
    try {
      loadVmmanagerScenario(text, 'v.yml');
    } catch (error) {
      if (error instanceof ConfigError) return error.issues;
      throw error;
    }
    return [];
  };
  expect(found().map(({ path, hint }) => `${path.replace('faults[0].', '')} → ${hint}`)).toEqual(expected);
});

const folder = new URL('../../examples/clusters/', import.meta.url);

// The other platform's has a schema of its own.
const names = readdirSync(folder).filter((name) => name !== 'vmmanager.yml');

test.each(names)('examples/clusters/%s is a usable cluster', (name) => {
  const scenario = loadScenario(readFileSync(new URL(name, folder), 'utf8'), name);
  const state = buildState(scenario);
  expect(state.nodes.length).toBeGreaterThan(0);
  expect(buildState(scenario)).toEqual(state);
});

test('the default cluster is the one that the labs expect', () => {
  const state = buildState(defaultScenario());
  expect(state.version).toBe('8.4');
  expect(state.nodes.map((node) => node.name)).toEqual(['pve1', 'pve2', 'pve3']);
  const templates = state.guests.filter((guest) => guest.config['template'] === '1');
  expect(templates.map((guest) => [guest.vmid, guest.node])).toEqual([
    [100, 'pve1'],
    [101, 'pve1'],
    [102, 'pve1'],
    [200, 'pve1'],
  ]);
});

test('many nodes and many guests of others, spread out', () => {
  const state = buildState({
    nodes: { count: 20, prefix: 'n' },
    storages: [{ id: 'ceph', type: 'rbd' }],
    foreign_guests: { count: 5000, nodes: ['n1', 'n20'] },
  });
  expect(state.nodes.at(-1)?.name).toBe('n20');
  expect(state.guests).toHaveLength(5000);
  expect(new Set(state.guests.map((guest) => guest.node))).toEqual(new Set(['n1', 'n20']));
  expect(new Set(state.guests.map((guest) => guest.vmid)).size).toBe(5000);
});

interface SchemaNode {
  readonly description?: string;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly then?: SchemaNode;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
}

describe('schema', () => {
  test('every property has a description', () => {
    const missing: string[] = [];
    const visit = (node: SchemaNode, path: string): void => {
      for (const [name, child] of Object.entries({ ...node.properties, ...node.$defs })) {
        if (child.description === undefined && child.$ref === undefined) missing.push(`${path}/${name}`);
        visit(child, `${path}/${name}`);
      }
      if (node.items) visit(node.items, `${path}/items`);
      if (typeof node.additionalProperties === 'object') visit(node.additionalProperties, `${path}/*`);
    };
    visit(
      JSON.parse(readFileSync(new URL('../../schemas/cluster.schema.json', import.meta.url), 'utf8')),
      '',
    );
    expect(missing).toEqual([]);
  });
});
