import { describe, expect, test } from 'vitest';
import { AuthError, PveError, UnreachableError } from '../../src/lib/proxmox/errors.ts';
import { PveHttp } from '../../src/lib/proxmox/http.ts';
import type { RawAnswer } from '../../src/lib/proxmox/answer.ts';
import { NotSent, type Connect } from '../../src/lib/proxmox/transports/types.ts';
import { onAbort } from '../../src/lib/abort.ts';
import { failure, fakeClock, password, TOKEN } from './support.ts';

const token = { auth: { kind: 'token', tokenId: TOKEN, secret: 'cafe-babe' } } as const;
const TICKET = { data: { ticket: 'PVE:lab@pve:1::abc', CSRFPreventionToken: 'x' } };

type Reply = RawAnswer | Error;
const answer = (status: number, data: unknown = null): RawAnswer => ({
  status,
  reason: '',
  body: JSON.stringify(data !== null && typeof data === 'object' ? data : { data }),
});

/** A server whose answers the test gives, one after another; it shows what has arrived. */
function stage(login: typeof token | typeof password) {
  const arrived: string[] = [];
  const waiting: ((reply: Reply) => void)[] = [];
  const connect: Connect = (host) => ({
    host,
    close: () => undefined,
    send: ({ path }, signal) =>
      new Promise((resolve, reject) => {
        arrived.push(path);
        if (signal) onAbort(signal, () => reject(signal.reason as Error));
        waiting.push((reply) => (reply instanceof Error ? reject(reply) : resolve(reply)));
      }),
  });
  const http = new PveHttp({
    connection: { name: 'test', hosts: ['pve.test'], tls: { verify: true }, timeout: 5000, ...login },
    clock: fakeClock(),
    connect,
  });
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const give = async (...replies: Reply[]): Promise<void> => {
    for (const reply of replies) {
      await settle();
      waiting.shift()?.(reply);
    }
    await settle();
  };
  return { http, arrived, give, settle };
}

const FIVE = ['/a', '/b', '/c', '/d', '/e'];

describe.each([
  ['token', token],
  ['password', password],
] as const)('of a login by %s', (kind, login) => {
  const first = kind === 'token' ? '/a' : '/access/ticket';

  test('one request goes first; refused, it is the only one, and all fail with its error', async () => {
    const { http, arrived, give } = stage(login);
    const failures = FIVE.map((path) => failure(http.get(path)));
    await give(answer(401));
    const errors = await Promise.all(failures);
    expect(arrived).toEqual([first]);
    expect(errors[0]).toBeInstanceOf(AuthError);
    expect(new Set(errors).size).toBe(1);
    // Who comes later tries once more, alone again.
    const later = FIVE.map((path) => failure(http.get(path)));
    await give(answer(401));
    await Promise.all(later);
    expect(arrived).toEqual([first, first]);
  });

  test('a lacking privilege proves it as well as a good answer', async () => {
    const { http, arrived, give } = stage(login);
    const results = FIVE.map((path) => http.get(path).catch((error: unknown) => error));
    await give(...(kind === 'token' ? [] : [answer(200, TICKET)]), answer(403));
    expect(arrived.slice(kind === 'token' ? 0 : 1)).toEqual(FIVE);
    await give(...FIVE.slice(1).map(() => answer(200, 1)));
    expect((await Promise.all(results))[0]).toBeInstanceOf(PveError);
  });

  test('closing ends those that wait: nothing is sent any more', async () => {
    const { http, arrived, give, settle } = stage(login);
    const failures = FIVE.map((path) => failure(http.get(path)));
    await settle();
    http.close();
    const codes = await Promise.all(
      failures.slice(1).map(async (error) => (await error) as { code?: string }),
    );
    expect(codes.map(({ code }) => code)).toEqual(Array(4).fill('CONNECTION_CLOSED'));
    await give(answer(403));
    await failures[0];
    expect(await failure(http.get('/late'))).toMatchObject({ code: 'CONNECTION_CLOSED' });
    expect(arrived).toEqual([first]);
  });
});

test('an abort ends one that waits; given to the first one, the next one goes first', async () => {
  const { http, arrived, give } = stage(token);
  const [one, two] = [new AbortController(), new AbortController()];
  const results = [
    failure(http.get('/a', {}, one.signal)),
    failure(http.get('/b', {}, two.signal)),
    failure(http.get('/c')),
    failure(http.get('/d')),
  ];
  two.abort(new Error('two'));
  expect((await results[1])?.message).toBe('two');
  one.abort(new Error('one'));
  expect((await results[0])?.message).toBe('one');
  await give(answer(401), answer(401));
  expect(await results[2]).toBe(await results[3]);
  expect(arrived).toEqual(['/a', '/c']);
});

test('a host that cannot be reached is found out by all at once', async () => {
  const { http, arrived, give } = stage(token);
  const failures = FIVE.map((path) => failure(http.get(path)));
  const down = (): Error => new NotSent([{ kind: 'said', words: 'connect ECONNREFUSED' }]);
  while (arrived.length < 3) await give(down());
  await give();
  while (arrived.length < 15) await give(down());
  await give(down(), down(), down(), down(), down());
  for (const error of await Promise.all(failures)) expect(error).toBeInstanceOf(UnreachableError);
  expect(arrived).toHaveLength(15);
});
