/** Saves a plan for review and reads it back. A plan holds no secret. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Ajv } from 'ajv';
import writeFileAtomic from 'write-file-atomic';
import { ConfigError } from '../errors.ts';
import { planText } from '../plan/document/text.ts';
import { assertSound } from '../plan/document/graph.ts';
import type { Plan } from '../plan/document/plan.ts';

const SCHEMA = new URL('../../../schemas/plan.schema.json', import.meta.url);

/** Throws before anything is planned when the file could not be written in the end. */
export function assertPlanFile(file: string): void {
  try {
    const present = statSync(file, { throwIfNoEntry: false });
    if (present && !present.isFile()) throw new Error(`${file} is not a file`);
    accessSync(present ? file : dirname(file), constants.W_OK);
  } catch (error) {
    throw new ConfigError('PLAN_FILE', `the plan cannot be written to ${file}: ${(error as Error).message}`, {
      hint: 'name a file in a folder that you may write to',
      cause: error,
    });
  }
}

export async function savePlan(plan: Plan, file: string): Promise<void> {
  await writeFileAtomic(file, planText(plan));
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (error) {
    throw new ConfigError('PLAN_FILE', `plan ${file} cannot be read: ${(error as Error).message}`, {
      hint: 'make one with `deploy --dry-run --out FILE`',
      cause: error,
    });
  }
}

/** Throws ConfigError unless the file is a sound plan of a version we know. */
export function loadPlan(file: string): Plan {
  const value = readJson(file);
  const version =
    typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  if (version !== 1) {
    throw new ConfigError(
      'PLAN_VERSION',
      `plan ${file} has version ${JSON.stringify(version)}, this program knows 1`,
      {
        hint: 'make a new plan with this version of deploy-stand',
      },
    );
  }
  const ajv = new Ajv({ allErrors: true, strict: false, discriminator: true });
  const validate = ajv.compile<Plan>(JSON.parse(readFileSync(SCHEMA, 'utf8')) as object);
  if (!validate(value)) {
    const issues = (validate.errors ?? []).slice(0, 20).map((error) => ({
      file,
      path: error.instancePath,
      message: error.message ?? 'is not valid',
    }));
    throw new ConfigError('PLAN_FILE', `plan ${file} was damaged or edited`, { issues });
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
