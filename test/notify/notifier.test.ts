import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import type { NotifyConfig } from '../../src/lib/config/notify/types.ts';
import { createNotifier } from '../../src/lib/notify/notifier.ts';

const TOKEN = '123456:AAtop-secret-top-secret-top-secret';
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Heard {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Answers with the status, or never: then time is up when it has been asked. */
async function listen(status: number | 'never'): Promise<{ readonly url: string; readonly heard: Heard[] }> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      heard.push({
        path: request.url ?? '',
        headers: request.headers,
        body: JSON.parse(text) as Heard['body'],
      });
      if (status === 'never') vi.advanceTimersByTime(15_000);
      else response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end('{}');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
}

const telegram = { token: { kind: 'plain', value: TOKEN }, chat: '-100' } as const;

function webhook(url: string): NonNullable<NotifyConfig['webhook']> {
  return { url: { kind: 'plain', value: url }, headers: { 'X-Key': { kind: 'env', name: 'HOOK_KEY' } } };
}

const message = (event: 'start' | 'move' | 'failure' | 'summary', text = 'hello') => ({
  event,
  text,
  details: { connection: 'a' },
});

test('only the events that were asked for, in their order; Telegram in its own form, the webhook with all details', async () => {
  const { url, heard } = await listen(200);
  const warnings: string[] = [];
  const notifier = createNotifier({
    config: { events: ['move', 'summary'], telegram, webhook: webhook(`${url}/hook?k=1`) },
    env: { TELEGRAM_API_URL: `${url}/`, HOOK_KEY: 'key' },
    warn: (text) => warnings.push(text),
  });
  notifier.notify(message('start'));
  notifier.notify(message('move', 'x'.repeat(5000)));
  notifier.notify(message('summary', 'end'));
  await notifier.flush();
  const bot = heard.filter(({ path }) => path === `/bot${TOKEN}/sendMessage`).map(({ body }) => body);
  expect(bot).toEqual([
    { chat_id: '-100', text: 'x'.repeat(4096), disable_web_page_preview: true },
    { chat_id: '-100', text: 'end', disable_web_page_preview: true },
  ]);
  const hook = heard.filter(({ path }) => path === '/hook?k=1');
  expect(hook.map(({ body }) => [body['event'], body['connection']])).toEqual([
    ['move', 'a'],
    ['summary', 'a'],
  ]);
  expect([hook[0]?.headers['x-key'], warnings]).toEqual(['key', []]);
});

test.each([
  ['a refusal', 401, /answers 401/],
  ['a redirect, which is not followed', 302, /answers 302/],
  ['no answer', 'never', /no answer in time/],
] as const)('%s: one warning without the secret, nothing else', async (_, status, words) => {
  const { url, heard } = await listen(status);
  const warnings: string[] = [];
  const notifier = createNotifier({
    config: { events: ['move'], telegram },
    env: { TELEGRAM_API_URL: url },
    warn: (text) => warnings.push(text),
  });
  for (let i = 0; i < 300; i += 1) notifier.notify(message('move'));
  await notifier.flush();
  expect([heard.length, warnings]).toEqual([1, [expect.stringMatching(words)]]);
  expect(warnings.join()).not.toContain('secret');
  notifier.notify(message('move'));
  await notifier.flush();
  expect(heard).toHaveLength(1);
});

test('nobody listens: one warning per endpoint', async () => {
  const warnings: string[] = [];
  const notifier = createNotifier({
    config: { events: ['failure'], telegram, webhook: webhook('http://127.0.0.1:1/secret') },
    env: { TELEGRAM_API_URL: 'http://127.0.0.1:1', HOOK_KEY: 'k' },
    warn: (text) => warnings.push(text),
  });
  notifier.notify(message('failure'));
  notifier.notify(message('failure'));
  await notifier.flush();
  expect(warnings.sort()).toEqual([
    'telegram was not notified: ECONNREFUSED',
    'the webhook was not notified: ECONNREFUSED',
  ]);
});

test('a secret in a variable that is not set is refused, by the name of the variable', () => {
  const config: NotifyConfig = {
    events: ['move'],
    telegram: { token: { kind: 'env', name: 'BOT' }, chat: '1' },
  };
  expect(() => createNotifier({ config, env: {}, warn: () => undefined })).toThrow(
    /variable BOT, which is not set/,
  );
});
