import { Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { AnswerLostError, UnreachableError } from '../../src/lib/proxmox/errors.ts';
import type { PveHttp } from '../../src/lib/proxmox/http.ts';
import type { ConnectionSettings } from '../../src/lib/proxmox/types.ts';
import { newCertificate } from '../certificate.ts';
import {
  closedPort,
  failure,
  fakeClock,
  json,
  password,
  serve,
  transport,
  type TestServer,
} from './support.ts';

const open: { close(): unknown }[] = [];

async function server(...args: Parameters<typeof serve>): Promise<TestServer> {
  const started = await serve(...args);
  open.push(started);
  return started;
}

function connect(
  hosts: readonly string[],
  over: Partial<ConnectionSettings> = {},
  maxConcurrent = 32,
): PveHttp {
  const http = transport({ hosts, ...over }, { maxConcurrent, clock: fakeClock() });
  open.push(http);
  return http;
}

/** Turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const loopback = ({ port }: { readonly port: number }): string => `http://127.0.0.1:${port}`;

afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

describe('on the wire', () => {
  test('a write without parameters has length 0 and is not chunked', async () => {
    const pve = await server((response) => json(response, null));
    await connect([loopback(pve)]).put('/nodes/pve1/network');
    expect(pve.heard[0]).toMatchObject({ method: 'PUT', url: '/api2/json/nodes/pve1/network', body: '' });
    expect(pve.heard[0]?.headers).toMatchObject({ 'content-length': '0' });
    expect(pve.heard[0]?.headers).not.toHaveProperty('transfer-encoding');
  });

  test('a DELETE has neither body nor length', async () => {
    const pve = await server((response) => json(response, null));
    await connect([loopback(pve)]).delete('/pools', { poolid: 'a/b' });
    expect(pve.heard[0]).toMatchObject({ url: '/api2/json/pools?poolid=a%2Fb', body: '' });
    expect(pve.heard[0]?.headers).not.toHaveProperty('content-length');
    expect(pve.heard[0]?.headers).not.toHaveProperty('content-type');
  });

  test('a form is sent with its length', async () => {
    const pve = await server((response) => json(response, null));
    await connect([loopback(pve)]).post('/access/users', { userid: 'anna@pve', comment: 'a;b=c' });
    expect(pve.heard[0]?.body).toBe('userid=anna%40pve&comment=a%3Bb%3Dc');
    expect(pve.heard[0]?.headers['content-length']).toBe('35');
  });

  test('a proxy of the environment is not used: it would see the login', async () => {
    const proxy = await server((response) => json(response, 'proxy'));
    const pve = await server((response) => json(response, 'pve'));
    vi.stubEnv('http_proxy', loopback(proxy));
    vi.stubEnv('no_proxy', '');
    vi.stubEnv('NO_PROXY', '');
    try {
      expect((await connect([loopback(pve)]).get('/version')).data).toBe('pve');
    } finally {
      vi.unstubAllEnvs();
    }
    expect(pve.heard[0]?.url).toBe('/api2/json/version');
    expect(proxy.heard).toEqual([]);
  });

  test('what is written is sent at once', async () => {
    const atOnce = vi.spyOn(Socket.prototype, 'setNoDelay');
    const pve = await server((response) => json(response, 1));
    await connect([loopback(pve)]).get('/version');
    expect(atOnce).toHaveBeenCalledTimes(1);
  });

  test('connections are kept and used again', async () => {
    const pve = await server((response) => json(response, 1));
    const http = connect([loopback(pve)]);
    for (let i = 0; i < 5; i += 1) await http.get('/version');
    expect(pve.connections()).toBe(1);
  });

  test('a connection that has been idle for over 4 s is not used again', async () => {
    const pve = await server((response) => json(response, 1));
    const http = connect([loopback(pve)]);
    await http.get('/version');
    // The process was busy all the time: no timer had a chance.
    vi.advanceTimersByTime(4100);
    await http.post('/x');
    expect(pve.connections()).toBe(2);
  });

  test('at most so many requests are under way at once, and all are served', async () => {
    let running = 0;
    let most = 0;
    const pve = await server((response) => {
      running += 1;
      most = Math.max(most, running);
      // Whatever else was sent comes first.
      void turns(50).then(() => {
        running -= 1;
        json(response, 1);
      });
    });
    const http = connect([loopback(pve)], {}, 4);
    const answers = await Promise.all(Array.from({ length: 20 }, () => http.get('/version')));
    expect(answers).toHaveLength(20);
    expect(most).toBe(4);
    expect(pve.connections()).toBeLessThanOrEqual(4);
  });

  test('a request that waits for its turn can be aborted, and its place is not lost', async () => {
    const releases: (() => void)[] = [];
    const pve = await server((response) => releases.push(() => json(response, 1)));
    const http = connect([loopback(pve)], {}, 1);
    const first = http.get('/a');
    const controller = new AbortController();
    const second = failure(http.get('/b', {}, controller.signal));
    controller.abort(new Error('no longer wanted'));
    expect((await second).message).toBe('no longer wanted');
    const third = http.get('/c');
    await pve.hears(1);
    releases.shift()?.();
    await pve.hears(2);
    releases.shift()?.();
    await Promise.all([first, third]);
    expect(pve.heard.map((heard) => heard.url)).toEqual(['/api2/json/a', '/api2/json/c']);
  });
});

describe('lost answers', () => {
  test('the connection breaks after a write was received: in doubt, and not repeated', async () => {
    const pve = await server((_response, _heard, request) => request.socket.destroy());
    const error = await failure(connect([loopback(pve)]).post('/x'));
    expect(error).toBeInstanceOf(AnswerLostError);
    expect(pve.heard).toHaveLength(1);
  });

  test('the same on a connection that was used before', async () => {
    let first = true;
    const pve = await server((response, _heard, request) => {
      if (!first) request.socket.destroy();
      else json(response, 1);
      first = false;
    });
    const http = connect([loopback(pve)]);
    await http.get('/version');
    expect(await failure(http.post('/x'))).toBeInstanceOf(AnswerLostError);
    expect(pve.heard).toHaveLength(2);
  });

  test('the connection breaks in the middle of the answer', async () => {
    const pve = await server((response, _heard, request) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"data":', () => request.socket.destroy());
    });
    expect(await failure(connect([loopback(pve)]).post('/x'))).toBeInstanceOf(AnswerLostError);
  });

  test('a read is repeated', async () => {
    let count = 0;
    const pve = await server((response, _heard, request) => {
      count += 1;
      if (count < 3) request.socket.destroy();
      else json(response, 'third');
    });
    expect((await connect([loopback(pve)]).get('/x')).data).toBe('third');
  });

  test('no answer in time: a write is in doubt, a read is repeated', async () => {
    const pve = await server(() => vi.advanceTimersByTime(30_000));
    const http = connect([loopback(pve)], { timeout: 30_000 });
    const write = await failure(http.post('/x'));
    expect(write).toBeInstanceOf(AnswerLostError);
    expect(write.message).toContain('no answer within 30 s');
    const read = await failure(http.get('/y'));
    expect(read).toBeInstanceOf(UnreachableError);
    expect(pve.heard.map((heard) => heard.url)).toEqual(['/api2/json/x', ...Array(3).fill('/api2/json/y')]);
  });

  test('an abort in flight ends the request with the reason given', async () => {
    const pve = await server(() => undefined);
    const controller = new AbortController();
    const work = failure(connect([loopback(pve)]).post('/x', {}, controller.signal));
    await pve.hears(1);
    controller.abort(new Error('stop'));
    expect((await work).message).toBe('stop');
  });

  test('an abort ends the wait for a shared login, too', async () => {
    const pve = await server(() => undefined);
    const controller = new AbortController();
    const work = failure(connect([loopback(pve)], password).get('/x', {}, controller.signal));
    await pve.hears(1);
    controller.abort(new Error('stop'));
    expect((await work).message).toBe('stop');
  });
});

describe('several hosts', () => {
  test('the next host is taken when the first refuses, and kept', async () => {
    const dead = await closedPort();
    const alive = await server((response) => json(response, 'second'));
    const http = connect([`http://127.0.0.1:${dead}`, loopback(alive)]);
    expect((await http.post('/x')).data).toBe('second');
    expect(http.host).toBe(`127.0.0.1:${alive.port}`);
    const reborn = await server((response) => json(response, 'first'), undefined, dead);
    expect((await http.get('/x')).data).toBe('second');
    expect(reborn.heard).toEqual([]);
  });

  test('it goes round: from the last back to the first', async () => {
    const first = await server((response) => json(response, 'first'));
    const second = await server((response) => json(response, 'second'));
    const deadFirst = first.port;
    await first.close();
    const http = connect([`http://127.0.0.1:${deadFirst}`, loopback(second)]);
    expect((await http.get('/x')).data).toBe('second');
    await server((response) => json(response, 'first again'), undefined, deadFirst);
    await second.close();
    expect((await http.get('/x')).data).toBe('first again');
  });

  test('none can be reached: proven not done, naming every host', async () => {
    const ports = [await closedPort(), await closedPort()];
    const error = await failure(
      connect(ports.map((port) => `http://127.0.0.1:${port}`)).post('/pools', { poolid: 'a' }),
    );
    expect(error).toBeInstanceOf(UnreachableError);
    for (const port of ports) expect(error.message).toContain(`127.0.0.1:${port}: connect ECONNREFUSED`);
    expect(error.message).toMatch(/^POST \/pools: /);
  });

  test('a write whose answer was lost does not go to the next host', async () => {
    const first = await server((_response, _heard, request) => request.socket.destroy());
    const second = await server((response) => json(response, 1));
    expect(await failure(connect([loopback(first), loopback(second)]).post('/x'))).toBeInstanceOf(
      AnswerLostError,
    );
    expect(second.heard).toEqual([]);
  });

  test('a host that comes back within the tries is reached', async () => {
    const port = await closedPort();
    let pve: TestServer | undefined;
    const clock = fakeClock();
    const http = transport(
      { hosts: [`http://127.0.0.1:${port}`] },
      {
        clock: {
          ...clock,
          sleep: async (ms) => {
            pve ??= await server((response) => json(response, 'back'), undefined, port);
            await clock.sleep(ms);
          },
        },
      },
    );
    expect((await http.put('/x')).data).toBe('back');
    expect(pve?.heard).toHaveLength(1);
  });
});

describe('TLS', () => {
  interface Identity {
    readonly key: string;
    readonly cert: string;
    readonly fingerprint: string;
  }
  let ours: Identity;
  let other: Identity;

  const identity = async (ip: string): Promise<Identity> => {
    const pem = await newCertificate('pve1', {
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 7, ip }] },
      ],
    });
    const { X509Certificate } = await import('node:crypto');
    return { ...pem, fingerprint: new X509Certificate(pem.cert).fingerprint256 };
  };
  beforeAll(async () => {
    [ours, other] = await Promise.all([identity('127.0.0.1'), identity('10.9.9.9')]);
  });

  const tlsServer = (who: Identity): Promise<TestServer> => server((response) => json(response, 'ok'), who);
  const over = (pve: TestServer, tls: ConnectionSettings['tls']): PveHttp =>
    connect([`127.0.0.1:${pve.port}`], { tls });

  test('verified by default: a self-signed certificate is refused before anything is sent', async () => {
    const pve = await tlsServer(ours);
    const error = await failure(over(pve, { verify: true }).post('/x', { password: 'hunter2' }));
    expect(error).toMatchObject({ code: 'TLS_UNTRUSTED', exitCode: 4 });
    expect(error.message).toContain(`127.0.0.1:${pve.port} is not trusted: DEPTH_ZERO_SELF_SIGNED_CERT`);
    expect(error).toHaveProperty('hint', expect.stringContaining(ours.fingerprint));
    expect(pve.heard).toEqual([]);
  });

  test('the CA makes it trusted, and what is written is sent at once', async () => {
    const atOnce = vi.spyOn(Socket.prototype, 'setNoDelay');
    const pve = await tlsServer(ours);
    expect((await over(pve, { verify: true, ca: ours.cert }).get('/x')).data).toBe('ok');
    expect(atOnce).toHaveBeenCalled();
  });

  test('a good chain for another host is refused', async () => {
    const pve = await tlsServer(other);
    const error = await failure(over(pve, { verify: true, ca: other.cert }).get('/x'));
    expect(error).toMatchObject({ code: 'TLS_UNTRUSTED' });
    expect(error.message).toContain('ALTNAME_INVALID');
    expect(pve.heard).toEqual([]);
  });

  test('verify: false takes any certificate', async () => {
    const pve = await tlsServer(other);
    expect((await over(pve, { verify: false }).get('/x')).data).toBe('ok');
  });

  test.each([
    ['as PVE prints it', (f: string) => f],
    ['in lower case without colons', (f: string) => f.replaceAll(':', '').toLowerCase()],
    ['as one of several', (f: string) => `${other.fingerprint}, ${f}`],
  ])('a fingerprint %s makes it trusted', async (_name, write) => {
    const pve = await tlsServer(ours);
    expect((await over(pve, { verify: true, fingerprint: write(ours.fingerprint) }).get('/x')).data).toBe(
      'ok',
    );
  });

  test.each([true, false])(
    'another fingerprint: both are shown, nothing is sent (verify %s)',
    async (verify) => {
      const pve = await tlsServer(ours);
      const http = over(pve, { verify, ca: ours.cert, fingerprint: other.fingerprint });
      const error = await failure(http.post('/x', { password: 'hunter2' }));
      expect(error).toMatchObject({ code: 'TLS_FINGERPRINT', exitCode: 4 });
      expect(error.message).toContain(ours.fingerprint);
      expect(error.message).toContain(other.fingerprint);
      expect(pve.heard).toEqual([]);
    },
  );

  test.each([
    ['the first half of one', (f: string) => f.slice(0, 47)],
    ['the second half of one', (f: string) => f.slice(48)],
    ['its sign for "none"', () => '(none)'],
  ])('%s is no fingerprint', async (_name, write) => {
    const pve = await tlsServer(ours);
    const http = over(pve, { verify: false, fingerprint: write(ours.fingerprint) });
    expect(await failure(http.get('/x'))).toMatchObject({ code: 'TLS_FINGERPRINT' });
    expect(pve.heard).toEqual([]);
  });

  test('each new connection is checked: the certificate changes behind a pinned host', async () => {
    const pve = await tlsServer(ours);
    const http = over(pve, { verify: true, fingerprint: ours.fingerprint });
    await http.get('/x');
    await http.get('/x');
    expect(pve.connections()).toBe(1);
    await pve.close();
    const impostor = await server((response) => json(response, 'evil'), other, pve.port);
    expect(await failure(http.get('/x'))).toMatchObject({ code: 'TLS_FINGERPRINT' });
    expect(impostor.heard).toEqual([]);
  });

  test('an untrusted host is not passed over in favour of the next', async () => {
    const bad = await tlsServer(other);
    const good = await tlsServer(ours);
    const http = connect([`127.0.0.1:${bad.port}`, `127.0.0.1:${good.port}`], {
      tls: { verify: true, fingerprint: ours.fingerprint },
    });
    expect(await failure(http.get('/x'))).toMatchObject({ code: 'TLS_FINGERPRINT' });
    expect(good.heard).toEqual([]);
  });

  test('a port that speaks no TLS was never reached', async () => {
    const plain = await server((response) => json(response, 1));
    const error = await failure(over(plain, { verify: false }).post('/x'));
    expect(error).toBeInstanceOf(UnreachableError);
  });

  test('a port that never answers the handshake was never reached', async () => {
    const { createServer } = await import('node:net');
    const silent = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => vi.advanceTimersByTime(10_000));
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const error = await failure(connect([`127.0.0.1:${port}`], { tls: { verify: false } }).post('/x'));
    silent.close();
    expect(error).toBeInstanceOf(UnreachableError);
  });
});
