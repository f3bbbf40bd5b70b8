/** Who may be told by a `notify:` section, and which of their keys are secrets: a further one does not compile until it is said. */
import type { NotifyConfig, NotifySecret } from './types.ts';

type Sink = Exclude<keyof NotifyConfig, 'events'>;

type SecretKey<Of> = {
  [Key in keyof Of]: Of[Key] extends NotifySecret | Readonly<Record<string, NotifySecret>> ? Key : never;
}[keyof Of];

const SECRETS: {
  readonly [One in Sink]-?: Readonly<Record<SecretKey<NonNullable<NotifyConfig[One]>>, true>>;
} = { telegram: { token: true }, webhook: { url: true, headers: true } };

/** Where they are in the section; one of them may be a list of several. */
export const secretKeys = Object.entries(SECRETS).flatMap(([sink, keys]) =>
  Object.keys(keys).map((key) => [sink, key] as const),
);

const SINKS = Object.keys(SECRETS);

/** `telegram nor webhook`. */
export const SINK_NAMES = SINKS.join(' nor ');

export function tellsAnybody(notify: object): boolean {
  return Object.entries(notify).some(([key, value]) => SINKS.includes(key) && value !== undefined);
}
