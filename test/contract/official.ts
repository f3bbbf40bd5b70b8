/** The official PVE API contract, when it is at hand: checks requests and the simulator's tables against it. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Simulator } from '../../src/lib/simulator/simulator.ts';
import type { Version } from '../../src/lib/simulator/version.ts';
import type { OfficialReturn } from './returns.ts';

export interface OfficialParam {
  readonly type?: string;
  readonly optional?: boolean | number;
  readonly format?: string | Readonly<Record<string, OfficialParam>>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly min_length?: number;
  readonly max_length?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly enum?: readonly (string | number)[];
  readonly pattern?: string;
  readonly requires?: string;
  readonly alias?: string;
  readonly keyAlias?: string;
  readonly default_key?: number;
}

export interface OfficialEndpoint {
  readonly parameters?: Readonly<Record<string, OfficialParam>>;
  readonly permissions?: {
    readonly user?: string;
    readonly expression?: { readonly check?: readonly unknown[] };
  } | null;
  readonly protected?: boolean;
  readonly proxyto?: string;
  readonly returns?: OfficialReturn;
}

type Endpoints = Readonly<Record<string, OfficialEndpoint>>;

const folder = fileURLToPath(new URL('../../../shared/pve-api/', import.meta.url));
const loaded = new Map<Version, Endpoints>();

export const isContractAtHand = existsSync(`${folder}pve-8.4.json`);

export function officialEndpoints(version: Version): Endpoints {
  const known = loaded.get(version);
  if (known) return known;
  const text = readFileSync(`${folder}pve-${version}.json`, 'utf8');
  const { endpoints } = JSON.parse(text) as { endpoints: Endpoints };
  loaded.set(version, endpoints);
  return endpoints;
}

/** What the contract says against a request; `path` is the template, such as `/nodes/{node}/network`. */
export function violations(
  version: Version,
  method: string,
  path: string,
  names: readonly string[],
): string[] {
  const endpoint = officialEndpoints(version)[`${method} ${path}`];
  if (!endpoint) return [`${method} ${path} does not exist in ${version}`];
  const parameters = endpoint.parameters ?? {};
  const isKnown = (name: string): boolean =>
    name in parameters || name.replace(/\d+$/, '[n]') in parameters || path.includes(`{${name}}`);
  const unknown = names.filter((name) => !isKnown(name));
  const missing = Object.entries(parameters).filter(
    ([name, one]) => !one.optional && !path.includes(`{${name}}`) && !names.includes(name),
  );
  return [
    ...unknown.map((name) => `${method} ${path} has no parameter "${name}" in ${version}`),
    ...missing.map(([name]) => `${method} ${path} lacks "${name}", which ${version} requires`),
  ];
}

/** Throws when a client sent anything that the contract does not know. Says nothing when there is no contract. */
export function assertOfficial(simulator: Pick<Simulator, 'requests' | 'version'>): void {
  if (!isContractAtHand) return;
  const found = new Set(
    simulator.requests.flatMap(({ method, path, params }) =>
      violations(simulator.version, method, path, Object.keys(params)),
    ),
  );
  if (found.size > 0) throw new Error(`requests against the official contract:\n${[...found].join('\n')}`);
}
