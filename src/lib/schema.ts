/** What a JSON schema says of a document, in words. lab.yml and its like have better ones: config/input/schema.ts. */
import type { ErrorObject } from 'ajv';

export function schemaErrorPath({ instancePath }: ErrorObject): (string | number)[] {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** Names are quoted as JSON: a document may be somebody else's. */
export function schemaErrorText({ keyword, params, message }: ErrorObject): string {
  const details = params as Readonly<Record<string, unknown>>;
  if (keyword === 'additionalProperties')
    return `unknown property ${JSON.stringify(String(details['additionalProperty']))}`;
  if (keyword === 'enum')
    return `must be one of ${(details['allowedValues'] as unknown[]).map(String).join(', ')}`;
  return message ?? 'is not valid';
}

/** `/steps/3: unknown property "pool"`: the first thing that is wrong. */
export function schemaProblem(errors: readonly ErrorObject[] | null | undefined): string {
  const [first] = errors ?? [];
  if (!first) return 'it is not as expected';
  return `${first.instancePath === '' ? '' : `${first.instancePath}: `}${schemaErrorText(first)}`;
}
