/** The parts of a connection that need reading: hosts, fingerprints, certificates, secrets. Never shows a secret. */
import { readTextFile } from '../input/read-text.ts';
import type { Platform } from '../types.ts';
import { PLATFORMS } from './platform.ts';

export type Parsed<T> = { readonly value: T } | { readonly problem: string; readonly hint?: string };

function splitHost(text: string): { host: string; port?: string } | undefined {
  const bracketed = /^(\[[0-9a-fA-F:.]+\])(?::(\d+))?$/.exec(text);
  const named = /^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(?::(\d+))?$/.exec(text);
  if (bracketed)
    return { host: bracketed[1] ?? '', ...(bracketed[2] === undefined ? {} : { port: bracketed[2] }) };
  if (named) return { host: named[1] ?? '', ...(named[3] === undefined ? {} : { port: named[3] }) };
  // A bare IPv6 address: several colons, no port.
  return /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text) ? { host: `[${text}]` } : undefined;
}

/** `host`, `host:port`, or what a browser's address line holds → `host:port`. */
export function parseHost(written: string, platform: Platform): Parsed<string> {
  const { product, port: usual } = PLATFORMS[platform].listener;
  const text = written.trim();
  if (/^http:/i.test(text))
    return { problem: `${product} is reached by HTTPS only`, hint: 'write host or host:port' };
  const bare = text.replace(/^https:\/\//i, '').replace(/\/.*$/, '');
  const parts = splitHost(bare);
  if (!parts)
    return { problem: 'is no host', hint: `write host or host:port, for example 192.0.2.10:${usual}` };
  const port = Number(parts.port ?? usual);
  if (port < 1 || port > 65535)
    return { problem: `port ${port} is outside 1–65535`, hint: `${product} listens on ${usual}` };
  return { value: `${parts.host}:${port}` };
}

/** Several hosts of one cluster: a list, or one text with commas. */
export function hostTexts(written: unknown): string[] {
  const parts = Array.isArray(written) ? written.map(String) : String(written).split(',');
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function parseFingerprint(written: string): Parsed<string> {
  const digits = written.replaceAll(':', '').toUpperCase();
  if (/^[0-9A-F]{64}$/.test(digits)) return { value: (digits.match(/../g) ?? []).join(':') };
  const hint = 'take the SHA-256 fingerprint that "pvenode cert info" shows: 32 pairs of hex digits';
  const isSha1 = /^[0-9A-F]{40}$/.test(digits);
  return { problem: isSha1 ? 'this is a SHA-1 fingerprint' : 'is no SHA-256 fingerprint', hint };
}

/**
 * SHA-256 in any usual spelling → upper case with colons. Each node has a certificate of its own, so several may be
 * trusted; they come back separated by commas.
 */
export function parseFingerprints(written: readonly string[]): Parsed<string> {
  // openssl prints "sha256 Fingerprint=AB:CD:…"
  const bare = written.map((text) => text.replace(/^\s*sha-?256[\s_]*(fingerprint)?\s*[:=]?\s*/i, ''));
  const parts = bare.flatMap((text) => text.split(/[\s,]+/)).filter((text) => text !== '');
  const parsed = (parts.length === 0 ? [''] : parts).map(parseFingerprint);
  const bad = parsed.find((part) => 'problem' in part);
  if (bad) return bad;
  return { value: parsed.flatMap((part) => ('value' in part ? [part.value] : [])).join(',') };
}

/** Ciphertext of the older Python tool: Fernet tokens start with a version byte 0x80, in base64 `gAAAA`. */
export function isFernet(secret: string): boolean {
  return /^gAAAA[\w=-]{20,}$/.test(secret);
}

/** Certificates of an authority; undefined: the file holds none. */
export function readAuthority(file: string): string | undefined {
  const { text } = readTextFile(file);
  return /-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(text) ? text : undefined;
}
