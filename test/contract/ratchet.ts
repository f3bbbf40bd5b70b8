/** Compares what the simulator models of the official contract with what it modelled before. Knows no PVE behaviour. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { contractOf } from '../../src/lib/simulator/contract/contract.ts';
import { specOf } from '../../src/lib/simulator/contract/validate.ts';
import { versions, type Version } from '../../src/lib/simulator/version.ts';
import type { Reply } from '../simulator/harness.ts';
import { recordAnswers } from './answers.ts';
import { isContractAtHand, officialEndpoints, type OfficialEndpoint } from './official.ts';
import { writeOfficialPaths } from './official-paths.ts';
import { hasField, requiredFields } from './returns.ts';

const kinds = ['endpoint', 'parameter', 'answer field'] as const;

/** One thing that the official contract of a version holds. */
export interface Fact {
  /** `GET /pools`; with a blank and the name: a parameter; with ` > ` and the place: a required field of its answer. */
  readonly key: string;
  readonly kind: (typeof kinds)[number];
  readonly modelled: boolean;
}

/** The major versions by fact, such as `"GET /pools": "789"`. */
export type Modelled = Readonly<Record<string, string>>;

const recordFile = fileURLToPath(new URL('modelled.json', import.meta.url));

function factsOfEndpoint(
  version: Version,
  key: string,
  official: OfficialEndpoint,
  answer: Reply | undefined,
): Fact[] {
  const own = contractOf(version).endpoints.get(key);
  const fields = key.startsWith('GET ') ? requiredFields(official.returns) : [];
  return [
    { key, kind: 'endpoint', modelled: own !== undefined },
    ...Object.keys(official.parameters ?? {}).map((name) => ({
      key: `${key} ${name}`,
      kind: 'parameter' as const,
      modelled: own !== undefined && specOf(own.params, name.replace('[n]', '0')) !== undefined,
    })),
    ...fields.map((field) => ({
      key: `${key} > ${field.place}`,
      kind: 'answer field' as const,
      modelled: answer?.status === 200 && hasField(answer.data, field),
    })),
  ];
}

async function factsOf(version: Version): Promise<Fact[]> {
  const answers = await recordAnswers(version);
  return Object.entries(officialEndpoints(version)).flatMap(([key, official]) =>
    factsOfEndpoint(version, key, official, answers.get(key)),
  );
}

export function modelledOf(byVersion: ReadonlyMap<Version, readonly Fact[]>): Modelled {
  const found = new Map<string, string>();
  for (const [version, facts] of byVersion) {
    for (const { key, modelled } of facts) {
      if (modelled) found.set(key, (found.get(key) ?? '') + version.slice(0, 1));
    }
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What was modelled and is no more, as `7: GET /pools`. */
export function lostSince(before: Modelled, now: Modelled): string[] {
  return Object.entries(before).flatMap(([key, majors]) =>
    Array.from(majors)
      .filter((major) => now[key]?.includes(major) !== true)
      .map((major) => `${major}: ${key}`),
  );
}

function share(facts: readonly Fact[]): string {
  const count = facts.filter((one) => one.modelled).length;
  const percent = facts.length === 0 ? 100 : Math.floor((count / facts.length) * 100);
  return `${count}/${facts.length} ${percent}%`;
}

/** Columns: all endpoints; parameters and required answer fields of those that are modelled. */
function table(byVersion: ReadonlyMap<Version, readonly Fact[]>): string[] {
  const rows = [...byVersion].map(([version, facts]) => {
    const own = contractOf(version).endpoints;
    const cell = (kind: Fact['kind']): string =>
      share(
        facts.filter((one) => one.kind === kind && (kind === 'endpoint' || own.has(endpointOf(one.key)))),
      );
    return [version, ...kinds.map(cell)];
  });
  return [['', 'endpoints', 'their parameters', 'their answer fields'], ...rows].map((row) =>
    row
      .map((cell, i) => cell.padEnd(i === 0 ? 5 : 20))
      .join('')
      .trimEnd(),
  );
}

const endpointOf = (key: string): string => key.split(' ', 2).join(' ');

/** Answer fields that a modelled endpoint owes. */
function missing(byVersion: ReadonlyMap<Version, readonly Fact[]>): string[] {
  return [...byVersion].flatMap(([version, facts]) =>
    facts
      .filter((one) => !one.modelled && one.kind !== 'endpoint')
      .filter((one) => contractOf(version).endpoints.has(endpointOf(one.key)))
      .map((one) => `${version}: ${one.key}`),
  );
}

const list = (byVersion: ReadonlyMap<Version, readonly Fact[]>): string[] =>
  [...byVersion].flatMap(([version, facts]) =>
    facts.map((one) => `${version} ${one.modelled ? 'yes' : 'no '} ${one.key}`),
  );

export function readRecord(): Modelled {
  if (!existsSync(recordFile)) return {};
  // Written below.
  return JSON.parse(readFileSync(recordFile, 'utf8')) as Modelled;
}

/** The exit code. `record`: what was modelled so far. */
export async function main(
  args: readonly string[],
  print: (line: string) => void,
  record: Modelled = readRecord(),
): Promise<number> {
  if (!isContractAtHand) {
    print('The official contract is not beside this checkout (../shared/pve-api): nothing to compare with.');
    return 0;
  }
  const byVersion = new Map<Version, Fact[]>();
  for (const version of versions) byVersion.set(version, await factsOf(version));
  if (args.includes('--list')) list(byVersion).forEach(print);
  table(byVersion).forEach(print);
  for (const line of missing(byVersion)) print(`missing  ${line}`);
  const now = modelledOf(byVersion);
  if (args.includes('--update')) {
    writeOfficialPaths();
    writeFileSync(recordFile, `${JSON.stringify(now, null, 2)}\n`);
    return 0;
  }
  const lost = lostSince(record, now);
  for (const line of lost) print(`LOST     ${line}`);
  // What the record does not name could be lost unnoticed.
  const unnamed = lostSince(now, record);
  for (const line of unnamed) print(`NEW      ${line}  (--update records it)`);
  return lost.length + unnamed.length === 0 ? 0 : 1;
}
