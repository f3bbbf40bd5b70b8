/** Encrypts, decrypts and re-encrypts the secrets of a connections file where they stand. Shows no secret and no key. */
import { isDeepStrictEqual } from 'node:util';
import type { Scalar } from 'yaml';
import { encryptText, isAge, type AgeKeys, type AgeRecipient } from '../age.ts';
import { isPlainSecret, connectionNames, SECRET_PATHS, writtenAt } from '../config/connections/file.ts';
import { configError } from '../config/input/issues.ts';
import { nearest } from '../nearest.ts';
import { openAge } from '../config/connections/secret-resolve.ts';
import { isMapping, mapping, text, type Written } from '../config/input/written.ts';
import type { ConfigIssue } from '../errors.ts';
import { documentOf, placesOf, putLines, putText, scalarsBelow, splice } from './splice.ts';
import type { OpenFile } from './store.ts';

export type Work =
  | { readonly do: 'encrypt'; readonly to: () => Promise<AgeRecipient> }
  | { readonly do: 'decrypt'; readonly keys: () => AgeKeys }
  | { readonly do: 'rekey'; readonly keys: () => AgeKeys; readonly to: () => Promise<AgeRecipient> };

type Outcome =
  | 'encrypted'
  | 'decrypted'
  | 're-encrypted'
  | 'encrypted already'
  | 'plain already'
  | 'kept elsewhere'
  | 'unreadable';

interface SecretOutcome {
  readonly connection: string;
  readonly key: string;
  readonly outcome: Outcome;
}

export interface Changed {
  readonly text: string;
  /** Is this the old value with the due secrets changed, and nothing else? */
  readonly isMeant: (value: Written) => boolean;
  readonly secrets: readonly SecretOutcome[];
  readonly isChanged: boolean;
}

interface Held {
  readonly connection: string;
  readonly path: readonly string[];
  readonly written: unknown;
}

function heldIn(value: Written, names: readonly string[]): Held[] {
  return names.flatMap((connection) =>
    SECRET_PATHS.flatMap((path) => {
      const written = writtenAt(value[connection], path);
      return written === undefined ? [] : [{ connection, path, written }];
    }),
  );
}

/** The connections that were named, or all. */
export function selectNames({ file, value }: OpenFile, wanted: readonly string[]): string[] {
  const names = connectionNames(value);
  const issues = wanted
    .filter((name) => !names.includes(name))
    .map((name): ConfigIssue => {
      const near = nearest(name, names);
      const hint = near === undefined ? `there are: ${names.join(', ')}` : `did you mean ${near}?`;
      return { file, path: '', message: `there is no connection "${name}"`, hint };
    });
  if (issues.length > 0) throw configError(issues);
  return wanted.length === 0 ? names : names.filter((name) => wanted.includes(name));
}

/** What stays as it is, and why; undefined for what is to be changed. */
function leftBecause(written: unknown, work: Work['do']): Outcome | undefined {
  if (typeof written === 'string' && isAge(written))
    return work === 'encrypt' ? 'encrypted already' : undefined;
  if (isPlainSecret(written)) return work === 'encrypt' ? undefined : 'plain already';
  return typeof written === 'string' && written.startsWith('gAAAA') ? 'unreadable' : 'kept elsewhere';
}

const DONE = { encrypt: 'encrypted', decrypt: 'decrypted', rekey: 're-encrypted' } as const;

async function opened(
  held: readonly Held[],
  { issues }: OpenFile,
  keys: AgeKeys,
): Promise<Map<string, string>> {
  const plain = new Map<string, string>();
  for (const { connection, path, written } of held) {
    const armor = String(written);
    if (plain.has(armor)) continue;
    const secret = await openAge(armor, keys);
    if ('value' in secret) plain.set(armor, secret.value);
    else {
      const { problem, hint } = secret;
      issues?.add([connection, ...path], problem, { hint });
      // The next one would cost another second, and fail as well.
      if (problem.includes('passphrase')) break;
    }
  }
  if (issues && issues.errors.length > 0) throw configError(issues.errors);
  return plain;
}

/** Old text of a secret → new one. All of them, or an error. */
async function newTexts(
  held: readonly Held[],
  open: OpenFile,
  work: Work,
  workFactor?: number,
): Promise<Map<string, string>> {
  const olds = new Set(held.map(({ written }) => String(written)));
  const plain =
    work.do === 'encrypt'
      ? new Map([...olds].map((old) => [old, old]))
      : await opened(held, open, work.keys());
  if (work.do === 'decrypt') return plain;
  const to = await work.to();
  const news = new Map<string, string>();
  for (const old of olds) news.set(old, await encryptText(plain.get(old) ?? '', to, workFactor));
  return news;
}

type Paths = typeof SECRET_PATHS;

/** The mapping as it was, as far as what stands at these paths is what was to be put there. */
function restored(value: Written, old: Written, { news, paths }: { news: News; paths: Paths }): Written {
  const entries = Object.entries(value).map(([key, item]) => {
    const here = paths.filter(([head]) => head === key);
    const isSecret = here.some((path) => path.length === 1);
    if (isSecret && item === news.get(text(old[key]) ?? '')) return [key, old[key]] as const;
    const below = here.flatMap(([, ...rest]) => (rest.length === 0 ? [] : [rest]));
    const isBelow = below.length > 0 && isMapping(item);
    return [key, isBelow ? restored(item, mapping(old[key]), { news, paths: below }) : item] as const;
  });
  return Object.fromEntries(entries);
}

/** Old text of a secret → new one. */
type News = ReadonlyMap<string, string>;

function restoredFile(value: Written, old: Written, news: News): Written {
  const entries = Object.entries(value).map(
    ([name, raw]) =>
      [
        name,
        isMapping(raw) ? restored(raw, mapping(old[name]), { news, paths: SECRET_PATHS }) : raw,
      ] as const,
  );
  return Object.fromEntries(entries);
}

const asText = (node: Scalar): string => (node.type === 'PLAIN' ? (node.source ?? '') : String(node.value));

/**
 * The file's text with these connections' secrets encrypted, decrypted or encrypted anew; everything else in it stays,
 * byte by byte. Throws a ConfigError with every secret that cannot be opened. `workFactor` is for tests.
 */
export async function changeSecrets(
  open: OpenFile,
  names: readonly string[],
  { work, workFactor }: { readonly work: Work; readonly workFactor?: number },
): Promise<Changed> {
  const { file, text: old, value } = open;
  const held = heldIn(value, names);
  const due = held.filter(({ written }) => leftBecause(written, work.do) === undefined);
  const secrets = held.map(({ connection, path, written }): SecretOutcome => ({
    connection,
    key: path.join('.'),
    outcome: leftBecause(written, work.do) ?? DONE[work.do],
  }));
  if (due.length === 0) return { text: old, isMeant: () => true, secrets, isChanged: false };
  const news = await newTexts(due, open, work, workFactor);
  const document = documentOf(old, file);
  const places = placesOf(document);
  const nodes = new Set(
    names.flatMap((name) => scalarsBelow(document, document.get(name, true), SECRET_PATHS)),
  );
  const splices = [...nodes].flatMap((node) => {
    const put = news.get(asText(node));
    const place = places.get(node);
    if (put === undefined || !place) return [];
    return work.do === 'decrypt' ? putText(place, put) : putLines(old, place, put);
  });
  // An anchor may let a connection that was not named share the text: it changes with it.
  const isMeant = (now: Written): boolean =>
    due.every(
      ({ connection, path, written }) => writtenAt(now[connection], path) === news.get(String(written)),
    ) && isDeepStrictEqual(restoredFile(now, value, news), value);
  return { text: splice(old, splices), isMeant, secrets, isChanged: true };
}
