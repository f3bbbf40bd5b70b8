/** Writes parameters the way every PVE version reads them. Must not know any endpoint. */
import { ConnectionError } from '../errors.ts';

/** An array (PVE 8 and newer; 7.4 joins them with NUL): its key once for each. */
interface Repeated {
  readonly each: readonly string[];
}

type ParamValue = string | number | boolean | readonly (string | number)[] | Repeated | undefined;
export type Params = Readonly<Record<string, ParamValue>>;
/** As they are sent. */
export type SentParams = Readonly<Record<string, string | readonly string[]>>;

/** Parameters as PVE's text: booleans `1`/`0` (the word `true` is refused), lists joined, absent ones left out. */
export function plainParams(params: Params): SentParams {
  const sent: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined)
      sent[name] = typeof value === 'object' && 'each' in value ? value.each : plain(value);
  }
  return sent;
}

function plain(value: Exclude<ParamValue, undefined | Repeated>): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'object' ? value.join(',') : String(value);
}

/**
 * `application/x-www-form-urlencoded`. PVE's decoder splits on `;` as well as `&` and drops what follows a second
 * `=`, so both must be percent-encoded inside values (pve-http-server AnyEvent.pm, decode_urlencoded).
 */
export function encodeForm(params: SentParams): string {
  return Object.entries(params)
    .flatMap(([name, value]) => [value].flat().map((one) => `${encode(name)}=${encode(one)}`))
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
