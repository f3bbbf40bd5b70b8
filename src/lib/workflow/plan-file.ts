/** Saves a plan for review and reads it back. A plan holds no secret. */
import { Ajv, type ValidateFunction } from 'ajv';
import { readTextFile } from '../config/input/read-text.ts';
import { ConfigError, PlanRefusedError } from '../errors.ts';
import { QUICKLY_COMPILED, readPackageFile } from '../files/package.ts';
import { FileProblem } from '../files/problem.ts';
import { assertReplaceable, replaceFile } from '../files/replace.ts';
import { planText } from '../plan/document/text.ts';
import { assertSound } from '../plan/document/graph.ts';
import type { Plan } from '../plan/document/plan.ts';
import { schemaErrorText } from '../schema.ts';
import { shellWord } from '../shell.ts';

/** Some 20 times the plan of 500 users with 5 machines each. */
const MAX_BYTES = 100 * 1024 * 1024;

const MOST_ISSUES = 20;

const HOW_TO_MAKE = 'make one with --dry-run --out FILE';

/** As `planText` begins, and did in 0.1.0. */
const isPlan = (head: string): boolean => /^\{\s*"version":\s*\d+,\s*"command":/.test(head);

/** Throws before anything is planned when the file could not be written in the end. */
export async function assertPlanFile(file: string): Promise<void> {
  try {
    await assertReplaceable(file, { isOurs: isPlan });
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw new ConfigError('PLAN_FILE', `the plan cannot be written to ${file}: ${error.message}`, {
      hint: 'name another file, in a folder that you may write to',
      cause: error,
    });
  }
}

/** On disk when it resolves. Throws before the first write to the cluster, for whoever asks for it then. */
export async function savePlan(plan: Plan, file: string): Promise<void> {
  try {
    await replaceFile(file, planText(plan), { isOurs: isPlan });
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw new PlanRefusedError(
      'PLAN_FILE',
      `the plan cannot be written to ${file}: ${error.message}; nothing was changed`,
      { hint: 'make room for it, or name another file with --out', cause: error },
    );
  }
}

function readJson(file: string): unknown {
  const hint = HOW_TO_MAKE;
  let text: string;
  try {
    ({ text } = readTextFile(file, MAX_BYTES));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [reason] = error.issues;
    throw new ConfigError('PLAN_FILE', `plan ${file} cannot be read: ${reason?.message ?? error.message}`, {
      hint,
      cause: error,
    });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // The parser's own words quote the file.
    throw new ConfigError('PLAN_FILE', `plan ${file} cannot be read: it is not JSON`, { hint, cause: error });
  }
}

let check: ValidateFunction<Plan> | undefined;

function planCheck(): ValidateFunction<Plan> {
  check ??= new Ajv({
    allErrors: true,
    strict: false,
    discriminator: true,
    ...QUICKLY_COMPILED,
  }).compile<Plan>(JSON.parse(readPackageFile('schemas/plan.schema.json')) as object);
  return check;
}

/** Throws ConfigError unless the file is a sound plan of a version we know. */
export function loadPlan(file: string): Plan {
  const value = readJson(file);
  if (typeof value !== 'object' || value === null || !('version' in value))
    throw new ConfigError('PLAN_FILE', `${file} is no plan of deploy-stand`, { hint: HOW_TO_MAKE });
  const { version } = value;
  if (version !== 2) {
    throw new ConfigError(
      'PLAN_VERSION',
      `plan ${file} has version ${JSON.stringify(version)}, this program knows 2`,
      {
        hint: `plan again: the same command with --dry-run --out ${shellWord(file)} in place of --plan`,
      },
    );
  }
  const validate = planCheck();
  if (!validate(value)) {
    const issues = (validate.errors ?? []).slice(0, MOST_ISSUES).map((error) => ({
      file,
      path: error.instancePath,
      message: schemaErrorText(error),
    }));
    throw new ConfigError('PLAN_FILE', `plan ${file} was damaged or edited`, {
      issues,
      hint: 'make a new plan with --dry-run --out',
    });
  }
  try {
    assertSound(value.steps);
  } catch (error) {
    throw new ConfigError('PLAN_FILE', `plan ${file} was damaged or edited: ${(error as Error).message}`, {
      hint: 'make a new plan with --dry-run --out',
      cause: error,
    });
  }
  return value;
}
