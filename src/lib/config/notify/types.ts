/** The `notify:` section, normalised: who is told of what. The one place where secrets of notifications live. */

export type NotifyEvent = 'start' | 'move' | 'failure' | 'summary';

export interface NotifyConfig {
  readonly events: readonly NotifyEvent[];
  readonly telegram?: { readonly token: NotifySecret; readonly chat: string };
  readonly webhook?: { readonly url: NotifySecret; readonly headers: Readonly<Record<string, NotifySecret>> };
}

/** Who may be told. */
export type SinkName = Exclude<keyof NotifyConfig, 'events'>;

/** A secret as written, or the name of the environment variable that holds it (`env:NAME`). */
export type NotifySecret =
  { readonly kind: 'plain'; readonly value: string } | { readonly kind: 'env'; readonly name: string };
