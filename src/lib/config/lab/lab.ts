/** Text of lab.yml → Lab: validates and normalises, with all problems at once. Touches no file. */
import { defaultStrategy, takesNode } from './strategy-names.ts';
import { basename, extname } from 'node:path';
import type { Collected } from '../input/collect.ts';
import { digestOf } from '../input/file-digest.ts';
import { Issues, printable, type Path } from '../input/issues.ts';
import { normaliseLab, type WrittenLab } from './normalise.ts';
import { withoutTheirKeys } from './older-tools.ts';
import { labRules } from './rules.ts';
import { viewLab, type OuterBridges } from './written-lab.ts';
import { isLabName, LAB_NAME_RULE, slug } from '../input/names.ts';
import { readYaml } from '../input/read-yaml.ts';
import { checkSchema, textKeysOf } from '../input/schema.ts';
import type { Lab, Strategy } from '../types.ts';
import { isMapping, mapping, text, type Written } from '../input/written.ts';

/** What the command line says about the lab; it wins over the file. */
export interface LabOptions {
  readonly name?: string | undefined;
  readonly placement?: {
    readonly strategy?: Strategy | undefined;
    readonly node?: string | undefined;
    readonly nodes?: readonly string[] | undefined;
    readonly exclude?: readonly string[] | undefined;
  };
  /** Userids of the class, where they are known. */
  readonly users?: readonly string[];
  /** `bridge_range` of the connection: the lab's own has to be inside. */
  readonly outerBridges?: OuterBridges | undefined;
}

function isSecret(path: Path): boolean {
  return path.some((part) => part === 'password' || part === 'ssh_keys');
}

/** Given, or else what the file is called. */
function nameLab(raw: Written, file: string, wanted: string | undefined, issues: Issues): string {
  const given = wanted ?? text(raw['name']);
  if (given !== undefined) {
    if (!isLabName(given)) {
      const better = slug(given);
      const hint = better === undefined ? 'for example: router-lab' : `for example: ${better}`;
      issues.add(['name'], LAB_NAME_RULE, { value: given, hint });
    }
    return given;
  }
  const base = basename(file, extname(file));
  const named = slug(base);
  if (named === undefined && raw['name'] === undefined) {
    const isPiped = file === '-';
    const message = isPiped
      ? 'the lab has no name, and what is read from stdin has no file name to make one of'
      : `the lab has no name, and none can be made of "${printable(base)}", its file's`;
    issues.add(['name'], message, {
      hint: `add a line \`name: my-lab\` at the top${isPiped ? '' : ` of ${file}`}, or give --lab-name my-lab`,
    });
  }
  return named ?? base;
}

/** The file's placement with the command line's on top. */
function mergePlacement(raw: Written, options: LabOptions): Written {
  const flags = options.placement ?? {};
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  if (Object.keys(given).length === 0 || (raw['placement'] !== undefined && !isMapping(raw['placement'])))
    return raw;
  const placement: Record<string, unknown> = { ...mapping(raw['placement']), ...given };
  if (flags.node !== undefined && flags.strategy === undefined)
    placement['strategy'] = defaultStrategy(flags.node);
  if (flags.strategy !== undefined && !takesNode(flags.strategy) && flags.node === undefined) {
    delete placement['node'];
  }
  return { ...raw, placement };
}

function checkKind(value: unknown, issues: Issues): boolean {
  if (!isMapping(value)) {
    const hint = 'a lab starts with "machines:"; a list of users is given with -u';
    issues.add([], 'this is no lab: a mapping with "machines:" is expected', { hint });
    return false;
  }
  if (value['machines'] === undefined && value['users'] !== undefined) {
    const hint = 'give it with -u, and the lab with -c';
    issues.add([], 'this is a users file, not a lab (it has "users:" and no "machines:")', { hint });
    return false;
  }
  return true;
}

/** Reads a lab from text, with all its problems instead of an exception. */
export function readLab(content: string, file: string, options: LabOptions = {}): Collected<Lab> {
  const yaml = readYaml(content, file, { textKeys: textKeysOf('lab') });
  const issues = new Issues(yaml, isSecret);
  if (!checkKind(yaml.value, issues)) return { errors: issues.errors, warnings: [] };

  const own = withoutTheirKeys(mapping(yaml.value), issues);
  const value = mergePlacement(own, options);
  const name = nameLab(value, file, options.name, issues);
  const { users, outerBridges } = options;
  const view = {
    ...viewLab(value),
    ...(users ? { users } : {}),
    ...(outerBridges ? { outerBridges } : {}),
  };
  for (const rule of labRules) rule(view, issues);
  checkSchema('lab', value, issues);

  const { errors, warnings } = issues;
  if (errors.length > 0) return { errors, warnings };
  const written = value as unknown as WrittenLab; // the schema has just said so
  const lineOf = (machine: number): number => issues.line(['machines', machine]);
  const digest = digestOf(own);
  return { value: normaliseLab(written, { name, file, lineOf, outerBridges }), digest, errors, warnings };
}
