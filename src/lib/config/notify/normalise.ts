/** `notify:` as the schema lets it through → `NotifyConfig`. Resolves no secret. */
import { compact } from '../../compact.ts';
import type { NotifyConfig, NotifyEvent, NotifySecret } from './types.ts';

export interface WrittenNotify {
  events?: NotifyEvent[];
  telegram?: { token: string; chat: string };
  webhook?: { url: string; headers?: Record<string, string> };
}

/** `env:NAME`, or the secret itself. */
function secretOf(written: string): NotifySecret {
  return written.startsWith('env:')
    ? { kind: 'env', name: written.slice(4) }
    : { kind: 'plain', value: written };
}

export function notifyOf({ events, telegram, webhook }: WrittenNotify): NotifyConfig {
  return compact({
    events: events ?? (['failure', 'summary'] as const),
    telegram: telegram && { token: secretOf(telegram.token), chat: telegram.chat },
    webhook: webhook && {
      url: secretOf(webhook.url),
      headers: Object.fromEntries(
        Object.entries(webhook.headers ?? {}).map(([key, value]) => [key, secretOf(value)]),
      ),
    },
  });
}
