/** Reads scenario files: YAML, schema, then rules. Reports every problem at once; builds nothing. */
import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject } from 'ajv';
import { LineCounter, isNode, parseDocument, type Document } from 'yaml';
import { ConfigError, type ConfigIssue } from '../errors.ts';
import { nodesOf } from './scenario-nodes.ts';
import { roleBook } from './roles.ts';
import type { RequestFault } from './faults.ts';
import type { Scenario, ScenarioFault } from './scenario-types.ts';
import { versionFacts } from './version.ts';

// The same number of levels up from src/lib/simulator and from dist/lib/simulator.
const packageRoot = new URL('../../../', import.meta.url);

type Path = readonly (string | number)[];

const readSchema = (): object =>
  JSON.parse(readFileSync(new URL('schemas/cluster.schema.json', packageRoot), 'utf8')) as object;

let validator: ReturnType<Ajv['compile']> | undefined;

function schemaCheck(): ReturnType<Ajv['compile']> {
  validator ??= new Ajv({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true }).compile(
    readSchema(),
  );
  return validator;
}

function printPath(path: Path): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${part}`))
    .join('');
}

class Located {
  readonly issues: ConfigIssue[] = [];
  readonly #file: string;
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(file: string, document: Document, lines: LineCounter) {
    this.#file = file;
    this.#document = document;
    this.#lines = lines;
  }

  add(path: Path, message: string): void {
    const node = this.#document.getIn([...path], true);
    const offset = isNode(node) ? node.range?.[0] : undefined;
    const place = offset === undefined ? undefined : this.#lines.linePos(offset);
    const where = place ? { line: place.line, column: place.col } : {};
    this.issues.push({ file: this.#file, ...where, path: printPath(path), message });
  }
}

function pathOf(error: ErrorObject): (string | number)[] {
  return error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function messageOf(error: ErrorObject): string {
  const params = error.params as Readonly<Record<string, unknown>>;
  if (error.keyword === 'additionalProperties')
    return `unknown property "${String(params['additionalProperty'])}"`;
  if (error.keyword === 'enum')
    return `must be one of ${(params['allowedValues'] as unknown[]).map(String).join(', ')}`;
  return error.message ?? 'is not valid';
}

/** References that the schema cannot see. */
function checkReferences(scenario: Scenario, found: Located): void {
  const nodes = new Set(nodesOf(scenario).map((node) => node.name));
  const storages = new Set(scenario.storages.map((storage) => storage.id));
  const pools = new Set((scenario.pools ?? []).map((pool) => pool.pool));
  const roles = new Set([
    ...roleBook(versionFacts(scenario.version ?? '8.4').major).builtIn.keys(),
    ...Object.keys(scenario.roles ?? {}),
  ]);
  const vmids = new Set<number>();
  for (const key of ['templates', 'guests'] as const) {
    (scenario[key] ?? []).forEach((machine, i) => {
      if (!nodes.has(machine.node)) found.add([key, i, 'node'], `there is no node "${machine.node}"`);
      if (machine.storage !== undefined && !storages.has(machine.storage)) {
        found.add([key, i, 'storage'], `there is no storage "${machine.storage}"`);
      }
      if (machine.pool !== undefined && !pools.has(machine.pool)) {
        found.add([key, i, 'pool'], `there is no pool "${machine.pool}"`);
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
    if (!roles.has(entry.role)) found.add(['acl', i, 'role'], `there is no role "${entry.role}"`);
  });
  (scenario.foreign_guests?.nodes ?? []).forEach((name, i) => {
    if (!nodes.has(name)) found.add(['foreign_guests', 'nodes', i], `there is no node "${name}"`);
  });
}

function fail(file: string, issues: readonly ConfigIssue[]): never {
  throw new ConfigError('SCENARIO_INVALID', `${file} is not a usable cluster scenario`, { issues });
}

/** Throws ConfigError with every problem of the file. */
export function loadScenario(text: string, file: string): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const found = new Located(file, document, lines);
  if (document.errors.length > 0) {
    fail(
      file,
      document.errors.map((error) => {
        const place = lines.linePos(error.pos[0]);
        return { file, line: place.line, column: place.col, path: '', message: error.message };
      }),
    );
  }
  const value: unknown = document.toJS();
  // `version: 8.4` is a number in YAML; what is meant is clear.
  if (isRecord(value) && typeof value['version'] === 'number') value['version'] = String(value['version']);
  const check = schemaCheck();
  if (!check(value)) {
    for (const error of check.errors ?? []) {
      if (error.keyword !== 'if' && error.keyword !== 'anyOf') found.add(pathOf(error), messageOf(error));
    }
    fail(file, found.issues);
  }
  // The schema has just been checked.
  const scenario = value as Scenario;
  checkReferences(scenario, found);
  if (found.issues.length > 0) fail(file, found.issues);
  return scenario;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Three nodes, shared Ceph storage and four templates: examples/clusters/three-nodes.yml. */
export function defaultScenario(): Scenario {
  const file = 'examples/clusters/three-nodes.yml';
  return loadScenario(readFileSync(new URL(file, packageRoot), 'utf8'), file);
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
