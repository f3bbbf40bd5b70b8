/** Decodes request parameters as pve-http-server does (AnyEvent.pm decode_urlencoded). Must not validate them. */
import type { RawParams } from '../contract/validate.ts';

/** Percent sequences of a broken UTF-8 text become replacement characters, they do not fail. */
function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  const bytes = Buffer.from(
    spaced.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => `\0${hex}`),
    'utf8',
  );
  const out: number[] = [];
  for (let i = 0; i < bytes.length; i += 1) {
    if (bytes[i] === 0) {
      out.push(parseInt(bytes.toString('latin1', i + 1, i + 3), 16));
      i += 2;
    } else out.push(bytes[i] ?? 0);
  }
  return Buffer.from(out).toString('utf8');
}

/**
 * Splits on `&` and `;`. What follows a second `=` is lost. `key=` is an empty value; only `key` alone leaves the key
 * without one, which PVE treats like a key that was not sent, except that unknown names are still refused: the value is
 * undefined here.
 */
export function decodeForm(text: string): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const pair of text.split(/[&;]/)) {
    if (pair === '') continue;
    const [rawKey = '', rawValue] = pair.split('=');
    const key = decode(rawKey);
    const value = rawValue === undefined ? undefined : decode(rawValue);
    const old = result[key];
    if (old === undefined || value === undefined) result[key] = value;
    else result[key] = Array.isArray(old) ? [...(old as unknown[]), value] : [old, value];
  }
  return result;
}

export type Body =
  | { readonly ok: true; readonly params: RawParams }
  | { readonly ok: false; readonly status: number; readonly reason: string };

/** Body parameters by content type; other types are 506 as in AnyEvent.pm. */
export function decodeBody(contentType: string | undefined, body: string): Body {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (body === '') return { ok: true, params: {} };
  if (type === undefined || type === 'application/x-www-form-urlencoded')
    return { ok: true, params: decodeForm(body) };
  if (type !== 'application/json') {
    return { ok: false, status: 506, reason: `upload 'Content-Type '${contentType ?? ''}' not implemented` };
  }
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { ok: true, params: value as Record<string, unknown> };
    }
  } catch {
    // Answered below.
  }
  return { ok: false, status: 400, reason: 'malformed JSON string' };
}
