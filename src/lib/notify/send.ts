/** Sends one message to Telegram or a webhook. Errors say what happened and never where to: addresses hold secrets. */
import axios, { isAxiosError } from 'axios';
import type { NotifyConfig, NotifyEvent, NotifySecret, SinkName } from '../config/notify/types.ts';
import { UsageError } from '../errors.ts';

export interface Message {
  readonly event: NotifyEvent;
  /** For people. */
  readonly text: string;
  /** For programs; plain data. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** One place to which messages go. */
export interface Sink {
  /** For warnings: `telegram`, `the webhook`. */
  readonly name: string;
  send(message: Message, signal: AbortSignal): Promise<void>;
}

/** Telegram refuses longer ones. */
const LONGEST_TEXT = 4096;
const TIMEOUT_MS = 10_000;
const TELEGRAM = 'https://api.telegram.org';

/** What went wrong, in words that hold neither address nor headers: a bot's token is a part of its path. */
export function describeFailure(error: unknown): string {
  if (!isAxiosError(error)) return 'unexpected failure';
  const { response, code } = error;
  if (response) return `it answers ${response.status}`;
  return code === 'ECONNABORTED' || code === 'ERR_CANCELED' ? 'no answer in time' : (code ?? 'no connection');
}

async function post(
  url: string,
  body: unknown,
  {
    headers = {},
    signal,
  }: { readonly headers?: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<void> {
  await axios.post(url, body, {
    signal,
    timeout: TIMEOUT_MS,
    headers: { ...headers },
    // A redirect could carry the secret to somebody else.
    maxRedirects: 0,
    maxContentLength: 1024 * 1024,
  });
}

type Env = Readonly<Record<string, string | undefined>>;

function reveal(source: NotifySecret, what: string, env: Env): string {
  if (source.kind === 'plain') return source.value;
  const value = env[source.name];
  if (value !== undefined && value !== '') return value;
  throw new UsageError(
    'NOTIFY_SECRET',
    `${what} is in the environment variable ${source.name}, which is not set`,
    {
      hint: `set ${source.name}, or take ${what} out of the file`,
    },
  );
}

function telegramSink({ token, chat }: NonNullable<NotifyConfig['telegram']>, env: Env): Sink {
  const secret = reveal(token, 'notify.telegram.token', env);
  // Somebody may run the Bot API server himself (github.com/tdlib/telegram-bot-api).
  const url = `${(env['TELEGRAM_API_URL'] ?? TELEGRAM).replace(/\/+$/, '')}/bot${secret}/sendMessage`;
  return {
    name: 'telegram',
    send: ({ text }, signal) =>
      post(
        url,
        { chat_id: chat, text: text.slice(0, LONGEST_TEXT), disable_web_page_preview: true },
        { signal },
      ),
  };
}

function webhookSink({ url, headers }: NonNullable<NotifyConfig['webhook']>, env: Env): Sink {
  const address = reveal(url, 'notify.webhook.url', env);
  const sent = Object.fromEntries(
    Object.entries(headers).map(([key, value]) => [key, reveal(value, `notify.webhook.headers.${key}`, env)]),
  );
  return {
    name: 'the webhook',
    send: ({ event, text, details }, signal) =>
      post(address, { event, text, ...details }, { headers: sent, signal }),
  };
}

/** Throws UsageError when a secret is to come from a variable that is not set. */
export function sinksOf({ telegram, webhook }: NotifyConfig, env: Env): Sink[] {
  // A further one does not compile until it is sent to.
  const sinks: { readonly [One in SinkName]: Sink | undefined } = {
    telegram: telegram && telegramSink(telegram, env),
    webhook: webhook && webhookSink(webhook, env),
  };
  return Object.values(sinks).filter((sink) => sink !== undefined);
}
