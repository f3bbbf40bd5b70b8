/** PVE's property strings (`virtio=…,bridge=vmbr0`): parse, check, print. See pve-common JSONSchema.pm. */
import type { ParamSpec } from './parse-tables.ts';

export type Properties = Record<string, string>;
export type PropertyFormat = ReadonlyMap<string, ParamSpec>;

export type ParsedProperties =
  { readonly ok: true; readonly values: Properties } | { readonly ok: false; readonly problem: string };

function toBoolean(text: string): string {
  if (/^(?:1|on|yes|true)$/i.test(text)) return '1';
  if (/^(?:0|off|no|false)$/i.test(text)) return '0';
  return text;
}

function takePair(key: string, value: string, format: PropertyFormat, into: Properties): string | undefined {
  let spec = format.get(key);
  if (spec?.alias !== undefined) {
    if (spec.keyAlias !== undefined) {
      if (into[spec.keyAlias] !== undefined) return `key alias '${spec.keyAlias}' is already defined`;
      into[spec.keyAlias] = key;
    }
    spec = format.get(spec.alias);
  }
  if (!spec) return `invalid key in comma-separated list property: ${key}`;
  if (into[spec.name] !== undefined) return `duplicate key in comma-separated list property: ${key}`;
  into[spec.name] = spec.type === 'bool' ? toBoolean(value) : value;
  return undefined;
}

/** Splits only; the values themselves are checked by the caller with the specs of `format`. */
export function splitProperties(text: string, format: PropertyFormat): ParsedProperties {
  const values: Properties = {};
  const defaultKey = [...format.values()].find((spec) => spec.defaultKey)?.name;
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const at = part.indexOf('=');
    if (at === 0 || at === part.length - 1) {
      return { ok: false, problem: 'missing key in comma-separated list property' };
    }
    if (at < 0 && defaultKey === undefined) {
      return { ok: false, problem: 'value without key, but schema does not define a default key' };
    }
    const key = at < 0 ? (defaultKey ?? '') : part.slice(0, at);
    const problem = takePair(key, at < 0 ? part : part.slice(at + 1), format, values);
    if (problem !== undefined) return { ok: false, problem };
  }
  return { ok: true, values };
}

/** Prints in the given key order; the default key goes bare and first. */
export function printProperties(
  values: Readonly<Properties>,
  order: readonly string[],
  bare?: string,
): string {
  const first = bare !== undefined && values[bare] !== undefined ? [values[bare]] : [];
  const rest = order
    .filter((key) => key !== bare && values[key] !== undefined)
    .map((key) => `${key}=${values[key] ?? ''}`);
  return [...first, ...rest].join(',');
}
