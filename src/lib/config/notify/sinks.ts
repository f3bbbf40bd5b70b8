/** Who may be told by a `notify:` section, and which of their keys are secrets: a further one does not compile until it is said. */
import { at, isMapping, mapping } from '../input/written.ts';
import type { NotifyConfig, NotifySecret, SinkName } from './types.ts';

/** One of them may be a mapping of several. */
type Secret = NotifySecret | Readonly<Record<string, NotifySecret>>;

type Secrecy<Value> = [Extract<Value, Secret>] extends [never] ? 'public' : 'secret';

type Keys<Of> = { readonly [Key in keyof Of]-?: Secrecy<Of[Key]> };

const KEYS: { readonly [One in SinkName]: Keys<NonNullable<NotifyConfig[One]>> } = {
  telegram: { token: 'secret', chat: 'public' },
  webhook: { url: 'secret', headers: 'secret' },
};

/** What of a sink is public is said; the rest may be a secret, e.g. under a key that is misspelt. */
export function mayBeSecret([sink, key]: readonly (string | number)[]): boolean {
  const keys = Object.entries(KEYS).find(([name]) => name === sink)?.[1];
  return keys !== undefined && !Object.entries(keys).some(([name, is]) => name === key && is === 'public');
}

type SecretPath = readonly [sink: string, key: string, ...entry: string[]];

/** Where the secrets of the section may be, written or normalised. */
export function secretPaths(notify: object): SecretPath[] {
  const own = Object.entries(KEYS).flatMap(([sink, keys]) =>
    Object.entries(keys).flatMap(([key, is]): SecretPath[] => (is === 'secret' ? [[sink, key]] : [])),
  );
  return own.flatMap((path) => [
    path,
    ...Object.keys(mapping(at(mapping(notify), path))).map((entry): SecretPath => [...path, entry]),
  ]);
}

function isPlain(value: unknown): boolean {
  return isMapping(value) && value['kind'] === ('plain' satisfies NotifySecret['kind']);
}

/** Whether a secret is written out, apart from those that `over` (a `notify:` as written) has brought. */
export function holdsSecrets(notify: NotifyConfig, over: unknown): boolean {
  return secretPaths(notify).some(
    (path) => isPlain(at(mapping(notify), path)) && at(mapping(over), path) === undefined,
  );
}

/** `telegram nor webhook`. */
export const SINK_NAMES = Object.keys(KEYS).join(' nor ');

export function tellsAnybody(notify: object): boolean {
  return Object.entries(notify).some(([key, value]) => Object.hasOwn(KEYS, key) && value !== undefined);
}
