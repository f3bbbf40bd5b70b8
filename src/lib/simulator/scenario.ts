/** Reads scenario files: YAML, schema, then rules. Reports every problem at once; builds nothing. */
import { Ajv } from 'ajv';
import { Issues, printable } from '../config/input/issues.ts';
import { readYaml, type YamlFile } from '../config/input/read-yaml.ts';
import { ConfigError, type ConfigIssue } from '../errors.ts';
import { QUICKLY_COMPILED, readPackageFile } from '../files/package.ts';
import { schemaErrorPath, schemaErrorText } from '../schema.ts';
import { nodesOf } from './build/scenario-nodes.ts';
import { roleBook } from './access/roles.ts';
import type { RequestFault } from './faults.ts';
import { nowhere } from './fault-targets.ts';
import type { Scenario, ScenarioFault } from './scenario-types.ts';
import { usualVersion, versionFacts } from './version.ts';

const NO_TEXT_KEYS: ReadonlySet<string> = new Set();

const readSchema = (): object => JSON.parse(readPackageFile('schemas/cluster.schema.json')) as object;

let validator: ReturnType<Ajv['compile']> | undefined;

function schemaCheck(): ReturnType<Ajv['compile']> {
  validator ??= new Ajv({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    verbose: true,
    ...QUICKLY_COMPILED,
  }).compile(readSchema());
  return validator;
}

const none = (what: string, name: string): string => `there is no ${what} "${printable(name)}"`;

/** References that the schema cannot see. */
function checkReferences(scenario: Scenario, found: Issues): void {
  const nodes = new Set(nodesOf(scenario).map((node) => node.name));
  const storages = new Set(scenario.storages.map((storage) => storage.id));
  const pools = new Set((scenario.pools ?? []).map((pool) => pool.pool));
  const roles = new Set([
    ...roleBook(versionFacts(scenario.version ?? usualVersion).major).builtIn.keys(),
    ...Object.keys(scenario.roles ?? {}),
  ]);
  const vmids = new Set<number>();
  for (const key of ['templates', 'guests'] as const) {
    (scenario[key] ?? []).forEach((machine, i) => {
      if (!nodes.has(machine.node)) found.add([key, i, 'node'], none('node', machine.node));
      if (machine.storage !== undefined && !storages.has(machine.storage)) {
        found.add([key, i, 'storage'], none('storage', machine.storage));
      }
      if (machine.pool !== undefined && !pools.has(machine.pool)) {
        found.add([key, i, 'pool'], none('pool', machine.pool));
      }
      if (vmids.has(machine.vmid)) found.add([key, i, 'vmid'], `VMID ${machine.vmid} is used twice`);
      vmids.add(machine.vmid);
    });
  }
  (scenario.snippets ?? []).forEach(({ volid }, i) => {
    const storage = volid.slice(0, volid.indexOf(':'));
    if (!storages.has(storage)) found.add(['snippets', i, 'volid'], `there is no storage "${storage}"`);
  });
  (scenario.acl ?? []).forEach((entry, i) => {
    if (!roles.has(entry.role)) found.add(['acl', i, 'role'], none('role', entry.role));
  });
  (scenario.faults ?? []).forEach((fault, i) => {
    const problem = nowhere(fault, scenario);
    if (problem) found.add(['faults', i, problem.key], problem.message, { hint: problem.hint });
  });
  (scenario.foreign_guests?.nodes ?? []).forEach((name, i) => {
    if (!nodes.has(name)) found.add(['foreign_guests', 'nodes', i], none('node', name));
  });
}

function fail(file: string, issues: readonly ConfigIssue[]): never {
  throw new ConfigError('SCENARIO_INVALID', `${file} is not a usable cluster scenario`, { issues });
}

function read(text: string, file: string): YamlFile {
  try {
    return readYaml(text, file, { textKeys: NO_TEXT_KEYS });
  } catch (error) {
    if (error instanceof ConfigError) fail(file, error.issues);
    throw error;
  }
}

/** Throws ConfigError with every problem of the file. */
export function loadScenario(text: string, file: string): Scenario {
  const yaml = read(text, file);
  const found = new Issues(yaml, () => false);
  const { value } = yaml;
  // `version: 8.4` is a number in YAML; what is meant is clear.
  if (isRecord(value) && typeof value['version'] === 'number') value['version'] = String(value['version']);
  const check = schemaCheck();
  if (!check(value)) {
    for (const error of check.errors ?? []) {
      if (error.keyword !== 'if' && error.keyword !== 'anyOf')
        found.add(schemaErrorPath(error), schemaErrorText(error));
    }
    fail(file, found.errors);
  }
  // The schema has just been checked.
  const scenario = value as Scenario;
  checkReferences(scenario, found);
  if (found.errors.length > 0) fail(file, found.errors);
  return scenario;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

let threeNodes: Scenario | undefined;

/** Three nodes, shared Ceph storage and four templates: examples/clusters/three-nodes.yml. */
export function defaultScenario(): Scenario {
  const file = 'examples/clusters/three-nodes.yml';
  threeNodes ??= loadScenario(readPackageFile(file), file);
  return structuredClone(threeNodes);
}

function toFault(fault: ScenarioFault): RequestFault {
  const { method, path, nth, every, once } = fault;
  const timing = {
    match: { path, ...(method === undefined ? {} : { method }) },
    ...(nth === undefined ? {} : { nth }),
    ...(every === undefined ? {} : { every }),
    ...(once === undefined ? {} : { once }),
  };
  switch (fault.action) {
    case 'fail':
      return {
        ...timing,
        action: 'fail',
        status: fault.status ?? 500,
        text: fault.text ?? 'simulated failure',
      };
    case 'task-fail':
      return { ...timing, action: 'task-fail', exitstatus: fault.exitstatus ?? 'simulated failure' };
    case 'slow':
      return { ...timing, action: 'slow', ms: fault.ms ?? 5_000 };
    default:
      return { ...timing, action: fault.action };
  }
}

export function scenarioFaults(scenario: Scenario): RequestFault[] {
  return (scenario.faults ?? []).map(toFault);
}

export type { Scenario } from './scenario-types.ts';
