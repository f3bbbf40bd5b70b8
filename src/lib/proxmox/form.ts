/** Writes parameters the way every PVE version reads them. Must not know any endpoint. */
import { ConnectionError } from '../errors.ts';

type ParamValue = string | number | boolean | readonly (string | number)[] | undefined;
export type Params = Readonly<Record<string, ParamValue>>;

/** Parameters as PVE's text: booleans `1`/`0` (the word `true` is refused), lists joined, absent ones left out. */
export function plainParams(params: Params): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) if (value !== undefined) sent[name] = plain(value);
  return sent;
}

function plain(value: Exclude<ParamValue, undefined>): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'object' ? value.join(',') : String(value);
}

/**
 * `application/x-www-form-urlencoded`. PVE's decoder splits on `;` as well as `&` and drops what follows a second
 * `=`, so both must be percent-encoded inside values (pve-http-server AnyEvent.pm, decode_urlencoded).
 */
export function encodeForm(params: Readonly<Record<string, string>>): string {
  return Object.entries(params)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');
}

function encode(text: string): string {
  // Through a Buffer, because encodeURIComponent throws on half a surrogate pair.
  return encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));
}

/**
 * Builds a path with every inserted value percent-encoded. Throws for a value that would make it another path: names
 * may come from a server, and `.` and `..` are resolved away by every URL parser, percent-encoded or not.
 */
export function path(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return String.raw({ raw: parts }, ...values.map((value) => segment(String(value))));
}

function segment(value: string): string {
  if (!/^\.{0,2}$/.test(value)) return encode(value);
  throw new ConnectionError('NAME_UNUSABLE', `"${value}" cannot be the name of anything on a cluster`, {
    hint: 'nothing was sent; find out where this name comes from',
  });
}
