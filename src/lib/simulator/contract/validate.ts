/** Checks raw parameters against the contract, with PVE's own texts. Must never be more lenient than PVE. */
import type { Contract, ParamSpec } from './parse-tables.ts';
import { cpuProblem } from './cpu-models.ts';
import { checkFormat, hasFormat } from './formats.ts';
import { splitProperties } from './property-string.ts';
import { Params, type ParamValue } from './params.ts';
import { paramError } from '../pve-error.ts';

/** As they came off the wire: repeated keys are arrays, JSON bodies may hold other types. */
export type RawParams = Readonly<Record<string, unknown>>;

const unknownProperty =
  'property is not defined in schema and the schema does not allow additional properties';
const missingProperty = 'property is missing and it is not optional';

/** The highest index of `name[n]` parameters (QemuServer.pm constants). */
const lastIndex: Readonly<Record<string, number>> = {
  net: 31,
  ipconfig: 31,
  scsi: 30,
  virtio: 15,
  sata: 5,
  ide: 3,
  usb: 13,
  hostpci: 15,
  serial: 3,
  parallel: 2,
  numa: 7,
  unused: 255,
  virtiofs: 9,
};

/** The spec of a parameter, indexed ones included. */
export function specOf(params: ReadonlyMap<string, ParamSpec>, name: string): ParamSpec | undefined {
  const direct = params.get(name);
  if (direct) return name.includes('[') ? undefined : direct;
  const match = /^([a-z]+)(0|[1-9]\d*)$/.exec(name);
  const [, base = '', index = ''] = match ?? [];
  if (!match || Number(index) > (lastIndex[base] ?? -1)) return undefined;
  return params.get(`${base}[n]`);
}

interface Context {
  readonly contract: Contract;
  readonly major: number;
}

function typeProblem(spec: ParamSpec, text: string): string | undefined {
  const fail = (type: string): string => `type check ('${type}') failed - got '${text}'`;
  if (spec.type === 'bool') return text === '1' || text === '0' ? undefined : fail('boolean');
  if (spec.type === 'int') return /^[+-]?\d+$/.test(text) ? undefined : fail('integer');
  if (spec.type === 'num') {
    return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? undefined : fail('number');
  }
  return undefined;
}

function boundsProblem(spec: ParamSpec, text: string): string | undefined {
  if (spec.type === 'int' || spec.type === 'num') {
    const number = Number(text);
    if (spec.min !== undefined && number < spec.min) return `value must have a minimum value of ${spec.min}`;
    if (spec.max !== undefined && number > spec.max) return `value must have a maximum value of ${spec.max}`;
    return undefined;
  }
  const { length } = text;
  if (spec.maxLength !== undefined && length > spec.maxLength) {
    return `value may only be ${spec.maxLength} characters long`;
  }
  if (spec.minLength !== undefined && length < spec.minLength) {
    return `value must be at least ${spec.minLength} characters long`;
  }
  return undefined;
}

/** Worded anew in pve-common 9.0 (JSONSchema.pm check_object). */
function companionMissing(name: string, major: number): string {
  return major >= 9
    ? `missing property required by '${name}'`
    : `missing property - '${name}' requires this property`;
}

function propertyProblem(format: string, name: string, text: string, context: Context): string | undefined {
  const properties = context.contract.formats.get(format);
  if (!properties) return undefined;
  const parsed = splitProperties(text, properties);
  if (!parsed.ok) return `invalid format - ${parsed.problem}`;
  const problems: string[] = [];
  for (const [key, value] of Object.entries(parsed.values)) {
    const spec = properties.get(key);
    const problem = spec && valueProblem(spec, `${name}.${key}`, value, context);
    if (problem !== undefined) problems.push(`${name}.${key}: ${problem}`);
    if (spec?.requires !== undefined && parsed.values[spec.requires] === undefined) {
      problems.push(`${name}.${spec.requires}: ${companionMissing(`${name}.${key}`, context.major)}`);
    }
  }
  for (const spec of properties.values()) {
    if (!spec.optional && parsed.values[spec.name] === undefined)
      problems.push(`${name}.${spec.name}: ${missingProperty}`);
  }
  if (problems.length > 0) return `invalid format - format error\n${problems.join('\n')}`;
  const beyondSyntax = format === 'pve-vm-cpu-conf' ? cpuProblem(parsed.values, context.major) : undefined;
  return beyondSyntax === undefined ? undefined : `invalid format - ${beyondSyntax}`;
}

function valueProblem(spec: ParamSpec, name: string, text: string, context: Context): string | undefined {
  const wrongType = typeProblem(spec, text);
  if (wrongType !== undefined) return wrongType;
  if (spec.format !== undefined && !(spec.type === 'str' && text === '' && spec.format.endsWith('-list'))) {
    if (context.contract.formats.has(spec.format)) {
      const problem = propertyProblem(spec.format, name, text, context);
      if (problem !== undefined) return problem;
    } else if (hasFormat(spec.format)) {
      const problem = checkFormat(spec.format, text, context.major);
      if (problem !== undefined) return `invalid format - ${problem}`;
    }
  }
  if (spec.regexp && !spec.regexp.test(text)) return 'value does not match the regex pattern';
  const outOfBounds = boundsProblem(spec, text);
  if (outOfBounds !== undefined) return outOfBounds;
  if (spec.choices && !spec.choices.includes(text)) {
    return `value '${text}' does not have a value in the enumeration '${spec.choices.join(', ')}'`;
  }
  return undefined;
}

/** 7.4 joins repeated keys with NUL; 8+ keeps arrays, which only arrays and lists accept. JSON booleans exist on 8+ only. */
function toText(value: unknown, spec: ParamSpec, major: number): string | { readonly problem: string } {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') {
    if (major >= 8 && spec.type === 'bool') return value ? '1' : '0';
    return { problem: `type check ('${spec.type}') failed - got JSON::PP::Boolean` };
  }
  const takesSeveral = spec.type === 'array' || (spec.format ?? '').endsWith('-list');
  if (Array.isArray(value) && (major === 7 || takesSeveral)) return value.map(String).join('\0');
  return { problem: `type check ('string') failed - got ${Array.isArray(value) ? 'ARRAY' : 'HASH'}` };
}

function convert(spec: ParamSpec, text: string): ParamValue {
  if (spec.type === 'bool') return text === '1';
  if (spec.type === 'int' || spec.type === 'num') return Number(text);
  return text;
}

function missingProblems(
  params: ReadonlyMap<string, ParamSpec>,
  raw: RawParams,
  errors: Record<string, string>,
  major: number,
): void {
  for (const spec of params.values()) {
    if (!spec.optional && raw[spec.name] === undefined) errors[spec.name] = missingProperty;
    if (spec.requires !== undefined && raw[spec.name] !== undefined && raw[spec.requires] === undefined) {
      errors[spec.requires] = companionMissing(spec.name, major);
    }
  }
}

/** Throws PVE's 400 with one entry per bad parameter. */
export function validateParams(
  params: ReadonlyMap<string, ParamSpec>,
  raw: RawParams,
  context: Context,
): Params {
  const errors: Record<string, string> = {};
  const values = new Map<string, ParamValue>();
  for (const [name, value] of Object.entries(raw)) {
    const spec = specOf(params, name);
    if (!spec) {
      errors[name] = unknownProperty;
      continue;
    }
    if (value === undefined) continue;
    const text = toText(value, spec, context.major);
    const problem = typeof text === 'string' ? valueProblem(spec, name, text, context) : text.problem;
    if (problem !== undefined) errors[name] = problem;
    else if (typeof text === 'string') values.set(name, convert(spec, text));
  }
  missingProblems(params, raw, errors, context.major);
  if (Object.keys(errors).length > 0) throw paramError(errors);
  return new Params(values);
}
