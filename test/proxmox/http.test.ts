import nock from 'nock';
import { describe, expect, test } from 'vitest';
import { AnswerLostError, AuthError, PveError, UnreachableError } from '../../src/lib/proxmox/errors.ts';
import { isAlreadyExists, isNotFound, isNotImplemented } from '../../src/lib/proxmox/words.ts';
import type { RequestEvent } from '../../src/lib/proxmox/types.ts';
import { failure, fakeClock, ORIGIN, password, TOKEN, transport } from './support.ts';
import { useNock } from './use-nock.ts';

useNock();

const api = (): nock.Scope => nock(ORIGIN);
/** An answer with a reason phrase of its own, as PVE gives them. */
const reply = (scope: nock.Interceptor, [status, reason]: [number, string], body = ''): nock.Scope =>
  scope.reply(function () {
    Object.assign((this.req as unknown as { response: object }).response, { statusMessage: reason });
    return [status, body];
  });

describe('requests', () => {
  test('a token goes into the header, GET parameters into the query, and nothing into the body', async () => {
    nock(ORIGIN, {
      reqheaders: { authorization: `PVEAPIToken=${TOKEN}=cafe-babe`, accept: 'application/json' },
      badheaders: ['cookie', 'csrfpreventiontoken', 'content-type'],
    })
      .get('/api2/json/nodes/pve1/tasks?source=all&vmid=100', '')
      .reply(200, { data: [] });
    const answer = await transport().get('/nodes/pve1/tasks', { source: 'all', vmid: 100 });
    expect(answer.data).toEqual([]);
  });

  test('POST sends a form, with ; and = encoded', async () => {
    nock(ORIGIN, { reqheaders: { 'content-type': 'application/x-www-form-urlencoded' } })
      .post('/api2/json/x', () => true)
      .reply(200, function (_uri, body) {
        return { data: body };
      });
    const answer = await transport().post('/x', { full: true, tags: 'a;b', net0: 'virtio=AA,tag=2' });
    expect(answer.data).toBe('full=1&tags=a%3Bb&net0=virtio%3DAA%2Ctag%3D2');
  });

  test('DELETE has its parameters in the query', async () => {
    api().delete('/api2/json/pools?poolid=anna', '').reply(200, { data: null });
    expect((await transport().delete('/pools', { poolid: 'anna' })).data).toBeNull();
  });

  test('what stands beside data is kept', async () => {
    api().get('/api2/json/nodes/pve1/network').reply(200, { data: [], changes: '--- a' });
    expect((await transport().get('/nodes/pve1/network')).document['changes']).toBe('--- a');
  });

  test('the server clock follows the Date header and ours', async () => {
    const clock = fakeClock();
    const http = transport({}, { clock });
    expect(http.serverTime().getTime()).toBe(clock.now());
    api().get('/api2/json/version').reply(200, { data: {} }, { Date: 'Sun, 01 Mar 2026 10:00:00 GMT' });
    await http.get('/version');
    clock.advance(1500);
    expect(http.serverTime().toISOString()).toBe('2026-03-01T10:00:01.500Z');
  });

  test('an aborted signal ends the request with its own reason, and nothing is sent', async () => {
    const error = await failure(transport().get('/version', {}, AbortSignal.abort(new Error('enough'))));
    expect(error.message).toBe('enough');
  });

  test('onRequest hears of every exchange, without secrets', async () => {
    const events: RequestEvent[] = [];
    api().post('/api2/json/access/users').reply(500, { data: null, message: 'no\n' });
    const http = transport({}, { onRequest: (event) => events.push(event) });
    await failure(http.post('/access/users', { userid: 'anna@pve', password: 'hunter2' }));
    expect(events).toEqual([
      {
        method: 'POST',
        path: '/access/users',
        host: 'pve.test:8006',
        params: { userid: 'anna@pve', password: '***' },
        status: 500,
        durationMs: 0,
      },
    ]);
  });
});

describe('refusals', () => {
  test('400 tells which parameter and why', async () => {
    api()
      .post('/api2/json/x')
      .reply(400, { data: null, message: 'Parameter verification failed.\n', errors: { vmid: 'too low\n' } });
    const error = await failure(transport().post('/x', { vmid: 1 }));
    expect(error).toBeInstanceOf(PveError);
    expect(error).toMatchObject({ status: 400, fields: { vmid: 'too low' }, exitCode: 4, code: 'PVE_ERROR' });
    expect(error.message).toBe('POST /x: Parameter verification failed.; vmid: too low');
  });

  test('500 of 8.4 has its text in the body', async () => {
    const body = { data: null, message: "create pool failed: pool 'anna' already exists\n" };
    api().post('/api2/json/pools').reply(500, body);
    const error = await failure(transport().post('/pools', { poolid: 'anna' }));
    expect(error.message).toBe("POST /pools: create pool failed: pool 'anna' already exists");
    expect(isAlreadyExists(error)).toBe(true);
  });

  test('a secret that PVE echoes is masked in text and fields', async () => {
    api()
      .post('/api2/json/access/users')
      .reply(400, { data: null, message: 'bad hunter"2', errors: { password: 'value hunter"2 is bad' } });
    const error = await failure(transport().post('/access/users', { password: 'hunter"2' }));
    expect(error.message).toBe('POST /access/users: bad ***; password: value *** is bad');
    expect(JSON.stringify(error)).not.toContain('hunter');
  });

  test('403 names the privilege and its path', async () => {
    api()
      .post('/api2/json/pools')
      .reply(403, { data: null, message: 'Permission check failed (/pool/anna, Pool.Allocate)\n' });
    const error = await failure(transport().post('/pools', { poolid: 'anna' }));
    expect(error).toBeInstanceOf(AuthError);
    expect(error).toMatchObject({
      code: 'PERMISSION_DENIED',
      exitCode: 4,
      aclPath: '/pool/anna',
      privilege: 'Pool.Allocate',
    });
    expect(error).toHaveProperty(
      'hint',
      `give lab@pve a role with Pool.Allocate on /pool/anna, and ${TOKEN} as well if it has privilege separation`,
    );
  });

  test('any-of privileges are spelled out', async () => {
    api().get('/api2/json/x').reply(403, {
      data: null,
      message: 'Permission check failed (/storage/a, Datastore.Audit|Datastore.AllocateSpace)',
    });
    const error = await failure(transport().get('/x'));
    expect(error).toHaveProperty(
      'hint',
      expect.stringContaining('Datastore.Audit or Datastore.AllocateSpace on /storage/a'),
    );
  });

  test('403 without details is an AuthError as well', async () => {
    api().get('/api2/json/x').reply(403, { data: null, message: 'Permission check failed\n' });
    expect(await failure(transport().get('/x'))).toMatchObject({
      code: 'PERMISSION_DENIED',
      privilege: undefined,
    });
  });

  test('a 403 inside a 500 of the user.cfg lock is an AuthError', async () => {
    const message = 'update pools failed: 403 Permission check failed (/vms/101, VM.Allocate)\n';
    api().put('/api2/json/pools').reply(500, { data: null, message });
    const error = await failure(transport().put('/pools', { poolid: 'anna' }));
    expect(error).toBeInstanceOf(AuthError);
    expect(error).toMatchObject({ status: 500, aclPath: '/vms/101', privilege: 'VM.Allocate' });
  });

  test('a missing pool is a 403 that means "not found"', async () => {
    api()
      .put('/api2/json/pools')
      .reply(403, { data: null, message: "Permission check failed (pool 'anna' does not exist)\n" });
    const error = await failure(transport().put('/pools', { poolid: 'anna' }));
    expect(error).not.toBeInstanceOf(AuthError);
    expect(isNotFound(error)).toBe(true);
  });

  test('501 means that this version has no such endpoint', async () => {
    api().put('/api2/json/pools').reply(501, { data: null, message: "Method 'PUT /pools' not implemented" });
    expect(isNotImplemented(await failure(transport().put('/pools')))).toBe(true);
  });

  test('a redirect is not followed: the login would go along', async () => {
    api().get('/api2/json/version').reply(301, '', { Location: 'https://elsewhere.test/?password=hunter2' });
    const error = await failure(transport().get('/version'));
    expect(error.message).toBe(
      'GET /version: redirected to https://elsewhere.test/?password=***; not followed, because the login would go there too',
    );
  });
});

describe('reason phrases', () => {
  test('7.4 has the text of a 500 only there', async () => {
    reply(api().get('/api2/json/x'), [500, "user 'anna@pve' does not exist"], '{"data":null}');
    const error = await failure(transport().get('/x'));
    expect(error.message).toBe("GET /x: user 'anna@pve' does not exist");
    expect(isNotFound(error)).toBe(true);
  });

  test('401 has an empty body', async () => {
    reply(api().get('/api2/json/x'), [401, 'invalid token value!']);
    const error = await failure(transport().get('/x'));
    expect(error).toBeInstanceOf(AuthError);
    expect(error).toMatchObject({
      code: 'AUTH_FAILED',
      status: 401,
      message: 'GET /x: invalid token value!',
    });
    expect(error).toHaveProperty('hint', expect.stringContaining(TOKEN));
    expect(error).toHaveProperty('hint', expect.not.stringContaining('cafe-babe'));
  });
});

describe('no usable answer', () => {
  test.each([596, 597, 599, 502, 504])('%i: a read is tried three times', async (status) => {
    const clock = fakeClock();
    api().get('/api2/json/x').times(3).reply(status, '');
    const error = await failure(transport({}, { clock }).get('/x'));
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error).toMatchObject({ code: 'PVE_UNREACHABLE', exitCode: 4 });
    expect(clock.sleeps).toEqual([500, 1500]);
  });

  test.each([596, 597, 599, 502, 504])(
    '%i: a write is not repeated, its outcome is unknown',
    async (status) => {
      const clock = fakeClock();
      api().post('/api2/json/x').once().reply(status, '');
      const error = await failure(transport({}, { clock }).post('/x'));
      expect(error).toBeInstanceOf(AnswerLostError);
      expect(error).toMatchObject({ code: 'ANSWER_LOST', exitCode: 4 });
      expect(error.message).toContain('POST /x');
      expect(clock.sleeps).toEqual([]);
    },
  );

  test('a read succeeds when a later try does', async () => {
    api().get('/api2/json/x').reply(596, '');
    api().get('/api2/json/x').reply(200, { data: 1 });
    expect((await transport().get('/x')).data).toBe(1);
  });

  test('595: the node was never reached, so even a write is tried again', async () => {
    api().post('/api2/json/x').times(2).reply(595, '');
    api().post('/api2/json/x').reply(200, { data: 'done' });
    expect((await transport().post('/x')).data).toBe('done');
  });

  test('595 for good is an UnreachableError with the reason', async () => {
    const put = api().put('/api2/json/x').times(3);
    reply(put, [595, 'No route to host']);
    const error = await failure(transport().put('/x'));
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toBe('PUT /x: status 595 No route to host');
  });

  test('the lock of the task list proves nothing about the task', async () => {
    const message = "can't lock file '/var/log/pve/tasks/.active.lock' - got timeout\n";
    api().post('/api2/json/x').reply(500, { data: null, message });
    expect(await failure(transport().post('/x'))).toBeInstanceOf(AnswerLostError);
  });

  test.each([
    ['<html>login</html>', 'text/html'],
    ['{"data":', 'application/json'],
    ['[1]', 'application/json'],
    ['{"success":1}', 'application/json'],
    ['', 'application/json'],
  ])('200 with %j: a read fails plainly, a write is in doubt', async (body, type) => {
    api().get('/api2/json/x').reply(200, body, { 'Content-Type': type });
    api().post('/api2/json/x').reply(200, body, { 'Content-Type': type });
    const read = await failure(transport().get('/x'));
    expect(read).toBeInstanceOf(PveError);
    expect(read.message).toContain("not PVE's JSON");
    expect(await failure(transport().post('/x'))).toBeInstanceOf(AnswerLostError);
  });

  test('a page of HTML with a 500 is not PVE speaking, and is not shown', async () => {
    api().post('/api2/json/x').reply(500, '<html>oops</html>');
    const error = await failure(transport().post('/x'));
    expect(error).toBeInstanceOf(AnswerLostError);
    expect(error.message).not.toContain('<html>');
  });

  test.each(['ECONNRESET', 'ETIMEDOUT', 'EPIPE'])('%s: a write is in doubt', async (code) => {
    api()
      .post('/api2/json/x')
      .replyWithError(Object.assign(new Error(`read ${code}`), { code }));
    expect(await failure(transport().post('/x'))).toBeInstanceOf(AnswerLostError);
  });

  test('an error never carries the login, whatever is logged of it', async () => {
    api()
      .post('/api2/json/x')
      .replyWithError(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    const error = await failure(transport().post('/x', { password: 'hunter2' }));
    const chain = [error, error.cause].map(
      (link) => JSON.stringify(link) + String(link) + Object.keys(link ?? {}).join(),
    );
    expect(chain.join()).not.toMatch(/cafe-babe|hunter2|config/);
  });

  test('an answer beyond the limit is refused', async () => {
    const body = JSON.stringify({ data: 'x'.repeat(3000) });
    api().get('/api2/json/x').reply(200, body);
    api().post('/api2/json/x').reply(200, body);
    const read = await failure(transport({}, { maxAnswerBytes: 1000 }).get('/x'));
    expect(read).toBeInstanceOf(PveError);
    expect(read.message).toContain('1000 exceeded');
    expect(await failure(transport({}, { maxAnswerBytes: 1000 }).post('/x'))).toBeInstanceOf(AnswerLostError);
  });

  test('keys that reach a prototype stay harmless', async () => {
    const body =
      '{"data":null,"message":"no","errors":{"__proto__":"x","constructor":"y"},"__proto__":{"data":1}}';
    api().get('/api2/json/x').reply(400, body);
    const error = await failure(transport().get('/x'));
    expect(error instanceof PveError && Object.keys(error.fields)).toEqual(['constructor']);
    expect(({} as Record<string, unknown>)['data']).toBeUndefined();
  });
});

describe('tickets', () => {
  const ticket = 'PVE:lab@pve:66AABBCC::s+g/n==';
  const session = { ticket, CSRFPreventionToken: '66AABBCC:csrf' };
  const login = (secret: string): nock.Interceptor =>
    api().post('/api2/json/access/ticket', { username: 'lab@pve', password: secret });
  const cookie = `PVEAuthCookie=${encodeURIComponent(ticket)}`;

  test('one login serves many requests; writes carry the CSRF token, reads do not', async () => {
    login('pa;ss=word').once().reply(200, { data: session });
    nock(ORIGIN, { reqheaders: { cookie }, badheaders: ['csrfpreventiontoken', 'authorization'] })
      .get('/api2/json/x')
      .times(2)
      .reply(200, { data: 1 });
    nock(ORIGIN, { reqheaders: { cookie, csrfpreventiontoken: '66AABBCC:csrf' } })
      .delete('/api2/json/x')
      .reply(200, { data: 2 });
    const http = transport(password);
    await Promise.all([http.get('/x'), http.get('/x')]);
    expect((await http.delete('/x')).data).toBe(2);
  });

  test('after an hour the old ticket buys a new one', async () => {
    const clock = fakeClock();
    login('pa;ss=word').once().reply(200, { data: session });
    login(ticket)
      .once()
      .reply(200, { data: { ...session, ticket: 'PVE:lab@pve:66AABBDD::new' } });
    api().get('/api2/json/x').times(2).reply(200, { data: 1 });
    nock(ORIGIN, { reqheaders: { cookie: 'PVEAuthCookie=PVE%3Alab%40pve%3A66AABBDD%3A%3Anew' } })
      .get('/api2/json/y')
      .reply(200, { data: 1 });
    const http = transport(password, { clock });
    await http.get('/x');
    clock.advance(59 * 60_000);
    await http.get('/x');
    clock.advance(2 * 60_000);
    await http.get('/y');
  });

  test('a renewal that is refused falls back to the password', async () => {
    const clock = fakeClock();
    login('pa;ss=word').times(2).reply(200, { data: session });
    login(ticket).once().reply(401, '');
    api().get('/api2/json/x').times(2).reply(200, { data: 1 });
    const http = transport(password, { clock });
    await http.get('/x');
    clock.advance(61 * 60_000);
    await http.get('/x');
  });

  test('a renewal without an answer goes on with the ticket that still holds', async () => {
    const clock = fakeClock();
    login('pa;ss=word').once().reply(200, { data: session });
    login(ticket).once().reply(596, '');
    nock(ORIGIN, { reqheaders: { cookie } }).get('/api2/json/x').times(2).reply(200, { data: 1 });
    const http = transport(password, { clock });
    await http.get('/x');
    clock.advance(61 * 60_000);
    await http.get('/x');
  });

  test('a ticket older than its life is not offered any more', async () => {
    const clock = fakeClock();
    login('pa;ss=word').times(2).reply(200, { data: session });
    api().get('/api2/json/x').times(2).reply(200, { data: 1 });
    const http = transport(password, { clock });
    await http.get('/x');
    clock.advance(3 * 60 * 60_000);
    await http.get('/x');
  });

  test('a refused ticket is replaced once, for a write too', async () => {
    login('pa;ss=word').times(2).reply(200, { data: session });
    api().post('/api2/json/x').reply(401, '');
    api().post('/api2/json/x').reply(200, { data: 'done' });
    expect((await transport(password).post('/x')).data).toBe('done');
  });

  test('refused twice is an AuthError', async () => {
    login('pa;ss=word').times(2).reply(200, { data: session });
    api().get('/api2/json/x').times(2).reply(401, '');
    expect(await failure(transport(password).get('/x'))).toMatchObject({ code: 'AUTH_FAILED' });
  });

  test('a wrong password is an AuthError that does not show it', async () => {
    login('pa;ss=word').reply(401, { data: null, message: 'authentication failure\n' });
    const error = await failure(transport(password).get('/x'));
    expect(error).toMatchObject({
      code: 'AUTH_FAILED',
      message: 'POST /access/ticket: authentication failure',
    });
    expect(error).toHaveProperty('hint', expect.stringContaining('lab@pve'));
    expect(JSON.stringify(error)).not.toContain('pa;ss=word');
  });

  test('a second factor asks for an API token instead', async () => {
    login('pa;ss=word').reply(200, { data: { ...session, ticket: 'PVE:!tfa!x', NeedTFA: 1 } });
    const error = await failure(transport(password).get('/x'));
    expect(error).toBeInstanceOf(AuthError);
    expect(error).toHaveProperty('hint', expect.stringContaining('API token'));
  });

  test('a login without an answer is repeated, for it changes nothing', async () => {
    login('pa;ss=word').once().reply(596, '');
    login('pa;ss=word').once().reply(200, { data: session });
    api().get('/api2/json/x').reply(200, { data: 1 });
    expect((await transport(password).get('/x')).data).toBe(1);
    login('pa;ss=word').times(3).reply(596, '');
    const error: unknown = await transport(password)
      .get('/x')
      .catch((thrown: unknown) => thrown);
    expect(error).toHaveProperty('message', 'POST /access/ticket: no answer (status 596 unknown)');
  });
});
