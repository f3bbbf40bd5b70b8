/** Reads scenario files of VMmanager 6: YAML, schema, then references. Reports every problem at once. */
import { Ajv } from 'ajv';
import { Issues } from '../config/input/issues.ts';
import { readYaml } from '../config/input/read-yaml.ts';
import { ConfigError } from '../errors.ts';
import { QUICKLY_COMPILED, readPackageFile } from '../files/package.ts';
import { schemaErrorPath, schemaErrorText } from '../schema.ts';
import type { RequestFault } from '../simulator/faults.ts';
import { nowhere } from './scenario-faults.ts';
import type { Scenario, ScenarioFault } from './scenario-types.ts';

let validator: ReturnType<Ajv['compile']> | undefined;

function schemaCheck(): ReturnType<Ajv['compile']> {
  validator ??= new Ajv({ allErrors: true, strict: true, verbose: true, ...QUICKLY_COMPILED }).compile(
    JSON.parse(readPackageFile('schemas/vmmanager.schema.json')) as object,
  );
  return validator;
}

function checkReferences(scenario: Scenario, found: Issues): void {
  const { clusters, nodes, guests = [], faults = [] } = scenario;
  const numbers = (key: string, rows: readonly { readonly id: number }[]): ReadonlySet<number> => {
    const seen = new Set<number>();
    rows.forEach(({ id }, at) => {
      if (seen.has(id)) found.add([key, at, 'id'], `the number ${id} is used twice`);
      seen.add(id);
    });
    return seen;
  };
  const known = { cluster: numbers('clusters', clusters), node: numbers('nodes', nodes) };
  numbers('guests', guests);
  nodes.forEach(({ cluster }, at) => {
    if (!known.cluster.has(cluster)) found.add(['nodes', at, 'cluster'], `there is no cluster ${cluster}`);
  });
  guests.forEach(({ node }, at) => {
    if (!known.node.has(node)) found.add(['guests', at, 'node'], `there is no node ${node}`);
  });
  faults.forEach((fault, at) => {
    const problem = nowhere(fault, scenario);
    if (problem) found.add(['faults', at, problem.key], problem.message, { hint: problem.hint });
  });
}

/** Does this file describe an installation of VMmanager 6, and not a cluster of Proxmox VE? */
export function isVmmanagerScenario(text: string, file: string): boolean {
  try {
    const { value } = readYaml(text, file, { textKeys: new Set() });
    return (value as { readonly platform?: unknown } | null)?.platform === 'vmmanager6';
  } catch (error) {
    // What is wrong with it is told by whoever reads it.
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

/** Throws ConfigError with every problem of the file. */
export function loadVmmanagerScenario(text: string, file: string): Scenario {
  const yaml = readYaml(text, file, { textKeys: new Set() });
  const found = new Issues(yaml, () => false);
  const check = schemaCheck();
  if (!check(yaml.value))
    for (const error of check.errors ?? []) found.add(schemaErrorPath(error), schemaErrorText(error));
  // The schema has just been checked.
  const scenario = yaml.value as Scenario;
  if (found.errors.length === 0) checkReferences(scenario, found);
  if (found.errors.length > 0)
    throw new ConfigError('SCENARIO_INVALID', `${file} is not a usable scenario of VMmanager 6`, {
      issues: found.errors,
    });
  return scenario;
}

/** One that a request meets. */
export function faultOf(fault: ScenarioFault): RequestFault {
  const { method, path, nth, every, once } = fault;
  const timing = {
    match: { path, ...(method === undefined ? {} : { method }) },
    ...(nth === undefined ? {} : { nth }),
    ...(every === undefined ? {} : { every }),
    ...(once === undefined ? {} : { once }),
  };
  const { status = 500, text = 'simulated failure', ms = 5000 } = fault;
  switch (fault.action) {
    case 'fail':
      return { ...timing, action: 'fail', status, text };
    case 'task-fail':
      return { ...timing, action: 'task-fail', exitstatus: text };
    case 'slow':
      return { ...timing, action: 'slow', ms };
    default:
      return { ...timing, action: fault.action };
  }
}
