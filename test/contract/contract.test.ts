/** Holds every endpoint of the simulator against the official contract, per version. */
import { describe, expect, test } from 'vitest';
import { handlers } from '../../src/lib/simulator/api/handlers.ts';
import { contractOf, officialEndpointsOf } from '../../src/lib/simulator/contract/contract.ts';
import { hasFormat } from '../../src/lib/simulator/contract/formats.ts';
import type { EndpointSpec, ParamSpec } from '../../src/lib/simulator/contract/parse-tables.ts';
import { versions, type Version } from '../../src/lib/simulator/version.ts';
import {
  isContractAtHand,
  officialEndpoints,
  violations,
  type OfficialEndpoint,
  type OfficialParam,
} from './official.ts';

const types = { str: 'string', int: 'integer', num: 'number', bool: 'boolean', array: 'array' } as const;

/** Perl's `(?^:…)` and `(?^i:…)` groups, in our spelling. */
const toOurs = (pattern: string | undefined): string | undefined => pattern?.replaceAll(/\(\?\^i?:/g, '(?:');

function paramFacts(name: string, one: OfficialParam): Record<string, unknown> {
  const { format } = one;
  return {
    type: one.type ?? 'string',
    optional: Boolean(one.optional) || one.alias !== undefined,
    format: typeof format === 'object' ? `$${name.replace(/\[n\]|\d+$/g, '')}` : format,
    min: one.minimum,
    max: one.maximum,
    minLength: one.min_length ?? one.minLength,
    maxLength: one.max_length ?? one.maxLength,
    choices: one.enum?.map(String),
    pattern: toOurs(one.pattern),
    requires: one.requires,
    alias: one.alias,
    keyAlias: one.keyAlias,
    defaultKey: Boolean(one.default_key),
  };
}

function ourFacts(spec: ParamSpec): Record<string, unknown> {
  const { optional, format, min, max, minLength, maxLength, pattern, requires, alias, keyAlias, defaultKey } =
    spec;
  return {
    type: types[spec.type],
    optional,
    format,
    min,
    max,
    minLength,
    maxLength,
    choices: spec.choices === undefined ? undefined : [...spec.choices],
    pattern,
    requires,
    alias,
    keyAlias,
    defaultKey,
  };
}

const mapOfficial = (params: Readonly<Record<string, OfficialParam>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(params).map(([name, one]) => [name, paramFacts(name, one)]));

const mapOurs = (params: ReadonlyMap<string, ParamSpec>): Record<string, unknown> =>
  Object.fromEntries([...params].map(([name, spec]) => [name, ourFacts(spec)]));

function permissionFacts(endpoint: OfficialEndpoint): unknown {
  const { permissions } = endpoint;
  if (!permissions) return 'root';
  return permissions.user ?? permissions.expression?.check;
}

function endpointFacts(spec: EndpointSpec): Record<string, unknown> {
  return { protected: spec.protected, onNode: spec.onNode, permission: spec.permission };
}

/** Every object-valued `format` met in the endpoints we have, by the name that our tables give it. */
function officialFormats(version: Version): Map<string, Readonly<Record<string, OfficialParam>>> {
  const found = new Map<string, Readonly<Record<string, OfficialParam>>>();
  for (const key of contractOf(version).endpoints.keys()) {
    for (const [name, one] of Object.entries(officialEndpoints(version)[key]?.parameters ?? {})) {
      if (typeof one.format === 'object') found.set(`$${name.replace(/\[n\]|\d+$/g, '')}`, one.format);
    }
  }
  return found;
}

describe.skipIf(!isContractAtHand)('against the official contract', () => {
  const cases = isContractAtHand
    ? versions.flatMap((version) =>
        [...contractOf(version).endpoints.values()].map((spec) => ({ version, spec })),
      )
    : [];

  test.each(cases.map(({ version, spec }) => [version, spec.method, spec.path, spec] as const))(
    '%s %s %s',
    (version, method, path, spec) => {
      const official = officialEndpoints(version)[`${method} ${path}`];
      if (!official) throw new Error('the contract does not know this endpoint');
      expect(mapOurs(spec.params)).toEqual(mapOfficial(official.parameters ?? {}));
      expect(endpointFacts(spec)).toEqual({
        protected: official.protected === true,
        onNode: official.proxyto === 'node',
        permission: permissionFacts(official),
      });
    },
  );

  test.each<[Version, string, string, string[], number]>([
    ['7.4', 'PUT', '/pools', ['poolid'], 1],
    ['8.4', 'PUT', '/pools', ['poolid', 'vms'], 0],
    ['8.4', 'PUT', '/pools', ['pool'], 2],
    ['8.4', 'PUT', '/nodes/{node}/qemu/{vmid}/config', ['net31', 'tags'], 0],
    ['7.4', 'PUT', '/nodes/{node}/qemu/{vmid}/config', ['ciupgrade'], 1],
  ])('%s: %s %s with %j has %i violations', (version, method, path, names, count) => {
    expect(violations(version, method, path, names)).toHaveLength(count);
  });

  test.each(versions)('%s: the paths of PVE, modelled or not', (version) => {
    const ours = officialEndpointsOf(version).map(({ method, path }) => `${method} ${path}`);
    expect(ours.sort()).toEqual(Object.keys(officialEndpoints(version)).sort());
  });

  test.each(versions)('%s: property strings', (version) => {
    for (const [name, official] of officialFormats(version)) {
      const ours = contractOf(version).formats.get(name);
      expect(mapOurs(ours ?? new Map()), name).toEqual(mapOfficial(official));
    }
  });

  test.each(versions)('%s: no endpoint of the contract that we have elsewhere is missing here', (version) => {
    const elsewhere = new Set(versions.flatMap((one) => [...contractOf(one).endpoints.keys()]));
    const missing = [...elsewhere].filter(
      (key) => key in officialEndpoints(version) && !contractOf(version).endpoints.has(key),
    );
    expect(missing).toEqual([]);
  });
});

test.each(versions)('%s: every format that a parameter names is checked', (version) => {
  const contract = contractOf(version);
  const specs = [
    ...[...contract.endpoints.values()].flatMap((one) => [...one.params.values()]),
    ...[...contract.formats.values()].flatMap((one) => [...one.values()]),
  ];
  const unchecked = specs
    .map((spec) => spec.format)
    .filter((format) => format !== undefined && !contract.formats.has(format) && !hasFormat(format));
  expect([...new Set(unchecked)]).toEqual([]);
});

test.each(versions)('%s: every endpoint has a handler, every handler an endpoint', (version) => {
  const known = [...contractOf(version).endpoints.keys()];
  expect(known.filter((key) => !(key in handlers))).toEqual([]);
  const all = new Set(versions.flatMap((one) => [...contractOf(one).endpoints.keys()]));
  expect(Object.keys(handlers).filter((key) => !all.has(key))).toEqual([]);
});
