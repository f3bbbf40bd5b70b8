/** Text of a checks file → Check[]: validates and normalises, with all problems at once. Touches no file. */
import { networkName } from '../lab/networks.ts';
import type { Collected } from '../input/collect.ts';
import { Issues } from '../input/issues.ts';
import { readYaml } from '../input/read-yaml.ts';
import { checkSchema, textKeysOf } from '../input/schema.ts';
import { isMapping, list } from '../input/written.ts';
import type { Lab } from '../types.ts';
import { normaliseCheck, type WrittenCheck } from './normalise.ts';
import { judgeChecks, type KnownMachines } from './rules.ts';
import type { Check } from './types.ts';

function machinesOf({ machines }: Lab): KnownMachines {
  return new Map(machines.map(({ name, networks }) => [name, networks.map(networkName)]));
}

/** `lab`: of which the checks are, where its file was given. */
export function readChecks(content: string, file: string, lab: Lab | undefined): Collected<readonly Check[]> {
  const yaml = readYaml(content, file, { textKeys: textKeysOf('checks'), wrapListAs: 'checks' });
  const issues = new Issues(yaml, () => false);
  const { value } = yaml;
  if (!isMapping(value)) {
    issues.add([], 'this is no list of checks', { hint: 'write "checks:" and below it "- name: …"' });
    return { errors: issues.errors, warnings: [] };
  }
  judgeChecks(list(value['checks']), ['checks'], lab && machinesOf(lab), issues);
  checkSchema('checks', value, issues);
  const { errors, warnings } = issues;
  if (errors.length > 0) return { errors, warnings };
  const { checks } = value as unknown as { checks: WrittenCheck[] }; // the schema has just said so
  return { value: checks.map(normaliseCheck), errors, warnings };
}
