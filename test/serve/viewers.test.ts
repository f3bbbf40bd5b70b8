/** Those who look: each gets what he lacks; who does not take it in costs nothing. */
import { expect, test } from 'vitest';
import { changesBetween, type Changes, type Parts } from '../../src/lib/render/parts.ts';
import { Viewers } from '../../src/lib/serve/viewers.ts';

const parts = (rows: Readonly<Record<string, string>>): Parts => ({
  head: [{ key: 'time', html: '<p>now</p>' }],
  rows: Object.entries(rows).map(([key, html]) => ({ key, html })),
});
const state = (at: number, rows: Readonly<Record<string, string>>) => ({
  version: `v-${at}`,
  parts: parts(rows),
});

test.each([
  ['nothing', { a: '1', b: '2' }, { a: '1', b: '2' }, {}],
  ['one row', { a: '1', b: '2' }, { a: '1', b: '3' }, { rows: { html: { b: '3' } } }],
  ['a row more', { a: '1' }, { a: '1', b: '2' }, { rows: { keys: ['a', 'b'], html: { b: '2' } } }],
  ['a row less', { a: '1', b: '2' }, { b: '2' }, { rows: { keys: ['b'], html: {} } }],
  ['another order', { a: '1', b: '2' }, { b: '2', a: '1' }, { rows: { keys: ['b', 'a'], html: {} } }],
])('%s changed', (_, before, after, expected) => {
  expect(
    changesBetween(parts(before as Record<string, string>), parts(after as Record<string, string>)),
  ).toEqual(expected);
});

async function next(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<{ id: string; changes: Changes }> {
  for (;;) {
    const { value } = await reader.read();
    const [, id, data] =
      /^id: (\S+)\nevent: parts\ndata: (.*)\n\n$/.exec(new TextDecoder().decode(value)) ?? [];
    if (id !== undefined && data !== undefined) return { id, changes: JSON.parse(data) as Changes };
  }
}

test('who follows gets steps, who comes or was away gets all; of what nobody reads one event is kept', async () => {
  const viewers = new Viewers(state(0, { a: '0' }));
  const [follows, stranger, sleeps] = ['v-0', 'other-7', 'v-0'].map((since) =>
    viewers.join(since).getReader(),
  );
  expect((await next(stranger!)).changes).toEqual({
    head: { keys: ['time'], html: { time: '<p>now</p>' } },
    rows: { keys: ['a'], html: { a: '0' } },
  });
  for (let at = 1; at <= 1000; at += 1) {
    viewers.show(state(at, { a: String(at) }));
    viewers.beat();
    expect(await next(follows!)).toEqual({
      id: `v-${at}`,
      changes: { rows: { html: { a: String(at) } } },
    });
  }
  // He has slept through all of it: what was on its way, and then the present.
  expect((await next(sleeps!)).id).toBe('v-1000');
  expect(viewers.count).toBe(3);
  await sleeps!.cancel();
  expect(viewers.count).toBe(2);
  viewers.close();
  await follows!.closed;
  expect(viewers.count).toBe(0);
});
