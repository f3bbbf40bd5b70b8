/** `access.pool` of a lab: what the pools of its stands are called where the users file names none. Judges the pattern. */
import { legalPoolName, poolNameProblem } from '../../pve-values/pool-name.ts';
import type { Issues } from '../input/issues.ts';
import { readYaml } from '../input/read-yaml.ts';
import { textKeysOf } from '../input/schema.ts';
import { mapping, text } from '../input/written.ts';
import { USER } from '../users/rules.ts';
import type { LabView } from './written-lab.ts';

function patternIn(value: unknown): string | undefined {
  return text(mapping(mapping(value)['access'])['pool']);
}

const sampleOf = (pattern: string): string => pattern.replaceAll(USER, 'anna');

/** Undefined also where no pool can come of it, which the lab's rules report once. Throws for what is no YAML. */
export function readPoolPattern(content: string, file: string): string | undefined {
  // Only an escape could write it in other letters; most labs say nothing, and are read once.
  if (!content.includes(USER) && !content.includes('\\')) return undefined;
  const pattern = patternIn(readYaml(content, file, { textKeys: textKeysOf('lab') }).value);
  return pattern?.includes(USER) && poolNameProblem(sampleOf(pattern)) === undefined ? pattern : undefined;
}

/** Whether the pools that come of it are legal is asked of each user. */
export function poolPatternIsLegal({ raw }: LabView, issues: Issues): void {
  const pattern = patternIn(raw);
  if (pattern === undefined) return;
  const sample = sampleOf(pattern);
  const better = legalPoolName(sample).replace(/anna(?!.*anna)/, USER);
  const add = (message: string): void => {
    issues.add(['access', 'pool'], message, {
      value: pattern,
      hint: `for example: ${better.includes(USER) ? better : `class10/${USER}`}`,
    });
  };
  if (!pattern.includes(USER)) add(`each stand has a pool of its own, so ${USER} has to be in it`);
  else if (poolNameProblem(sample) !== undefined)
    add('PVE takes Latin letters, digits and . _ - in names of pools, and "/" between at most three');
}
