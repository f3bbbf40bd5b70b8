/** Tokens, tickets, CSRF, second factor, expiry. */
import { expect, test } from 'vitest';
import type { BareSimulator } from '../../src/lib/simulator/simulator.ts';
import {
  Caller,
  encode,
  login,
  secret,
  start,
  toServer,
  userWithToken,
  type Form,
  type Reply,
  type Loose,
} from './harness.ts';

const ticket = (sim: BareSimulator, form: Form): Promise<Reply> =>
  toServer(sim)({
    method: 'POST',
    path: '/api2/json/access/ticket',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: encode(form),
  });

const withTicket = (sim: BareSimulator, text: string, csrf?: string): Caller =>
  new Caller(toServer(sim), {
    Cookie: `PVEAuthCookie=${encodeURIComponent(text)}`,
    ...(csrf === undefined ? {} : { CSRFPreventionToken: csrf }),
  });

test('401 has no body, a text in the reason phrase, and takes three seconds', async () => {
  const { sim } = await start();
  const before = sim.now();
  const reply = await toServer(sim)({ path: '/api2/json/version' });
  expect([reply.status, reply.reason, reply.text]).toEqual([401, 'No ticket', '']);
  expect(sim.now() - before).toBeGreaterThanOrEqual(3_000);
});

test.each([
  { version: '8.4', token: 'root@pam!nope=x', reason: "no such token 'nope' for user 'root@pam'" },
  { version: '8.4', token: 'root@pam!deploy-stand=wrong', reason: 'invalid token value!' },
  { version: '7.4', token: 'ghost@pve!t=x', reason: "no such user ('ghost@pve')" },
  { version: '9.2', token: 'root@pam!deploy-stand=wrong', reason: 'Authentication failed!' },
] as const)('$version: token $token → $reason', async ({ version, token, reason }) => {
  const { as } = await start({ version });
  expect(await as(token).get('/version')).toMatchObject({ status: 401, reason });
});

test('a disabled or expired user cannot use its token', async () => {
  const { as } = await start({
    users: [
      { ...userWithToken('off@pve'), enable: false },
      { ...userWithToken('old@pve'), expire: 1_600_000_000 },
      userWithToken('fine@pve'),
    ],
  });
  expect((await as(`off@pve!t=${secret}`).get('/version')).status).toBe(401);
  expect((await as(`old@pve!t=${secret}`).get('/version')).status).toBe(401);
  expect((await as(`fine@pve!t=${secret}`).get('/version')).status).toBe(200);
});

test('a ticket reads with the cookie alone and writes with the CSRF token', async () => {
  const { sim } = await start();
  const { data } = await ticket(sim, { username: 'root@pam', password: 'simulator' });
  expect(data).toMatchObject({ username: 'root@pam', clustername: 'classroom' });
  expect(data.cap.vms['VM.Allocate']).toBe(1);
  const reader = withTicket(sim, data.ticket);
  expect((await reader.get('/nodes')).status).toBe(200);
  expect(await reader.post('/pools', { poolid: 'x' })).toMatchObject({
    status: 401,
    reason: 'Permission denied - invalid csrf token',
  });
  const writer = withTicket(sim, data.ticket, data.CSRFPreventionToken);
  expect((await writer.post('/pools', { poolid: 'x' })).status).toBe(200);
});

test('username and realm may come apart', async () => {
  const { sim } = await start();
  const reply = await ticket(sim, { username: 'root', realm: 'pam', password: 'simulator' });
  expect(reply.data.username).toBe('root@pam');
});

test('a wrong password says as little as a wrong name', async () => {
  const { sim } = await start();
  for (const username of ['root@pam', 'nobody@pve']) {
    const reply = await ticket(sim, { username, password: 'wrong' });
    expect(reply).toMatchObject({ status: 401, reason: 'authentication failure' });
    expect(reply.body).toMatchObject({ data: null });
  }
});

test('tickets live two hours of simulated time and renew themselves', async () => {
  const { sim, time } = await start();
  const started = sim.now();
  const { data } = await ticket(sim, { username: 'root@pam', password: 'simulator' });
  const renewed = await ticket(sim, { username: 'root@pam', password: data.ticket });
  expect(renewed.status).toBe(200);
  const caller = withTicket(sim, data.ticket);
  await time.sleep(7_190_000);
  expect((await caller.get('/version')).status).toBe(200);
  await time.sleep(320_000);
  const reply = await caller.get('/version');
  expect(reply.reason).toBe('permission denied - invalid PVE ticket');
  expect(sim.now() - started).toBeGreaterThan(7_000_000);
  expect((await ticket(sim, { username: 'root@pam', password: data.ticket })).status).toBe(401);
});

test('a forged ticket is refused', async () => {
  const { sim } = await start();
  const { data } = await ticket(sim, { username: 'teacher@pve', password: 'teacher-secret' });
  const forged = String(data.ticket).replace('teacher@pve', 'root@pam');
  expect((await withTicket(sim, forged).get('/version')).reason).toBe(
    'permission denied - invalid PVE ticket',
  );
});

test('with a second factor the first reply is half a ticket', async () => {
  const { sim } = await start({ users: [{ userid: 'two@pve', password: 'secret-two', totp: '123456' }] });
  const { data: half } = await ticket(sim, { username: 'two@pve', password: 'secret-two' });
  expect(half.NeedTFA).toBe(1);
  expect(await withTicket(sim, half.ticket).get('/version')).toMatchObject({
    status: 401,
    reason: 'No ticket',
  });
  const finish = (password: string): Promise<Reply> =>
    ticket(sim, { username: 'two@pve', password, 'tfa-challenge': half.ticket });
  expect((await finish('totp:999999')).status).toBe(401);
  const full = await finish('totp:123456');
  expect((await withTicket(sim, full.data.ticket).get('/version')).status).toBe(200);
});

test('7.4 finishes a second factor only in the new format', async () => {
  const change = {
    version: '7.4',
    users: [{ userid: 'two@pve', password: 'secret-two', totp: '123456' }],
  } as const;
  const { sim } = await start(change);
  const finishes = async (extra: Form): Promise<number> => {
    const half = await ticket(sim, { username: 'two@pve', password: 'secret-two', ...extra });
    const form = {
      username: 'two@pve',
      password: 'totp:123456',
      'tfa-challenge': half.data.ticket,
      ...extra,
    };
    return (await ticket(sim, form)).status;
  };
  expect(await finishes({})).toBe(401);
  expect(await finishes({ 'new-format': 1 })).toBe(200);
});

test('tokens cannot create tickets nor change passwords', async () => {
  const { root } = await start();
  expect(
    await root.post('/access/ticket', { username: 'teacher@pve', password: 'teacher-secret' }),
  ).toMatchObject({
    status: 403,
    reason: "Permission check failed (URI '/access/ticket' not available with API token, need proper ticket.",
  });
  const reply = await root.put('/access/password', { userid: 'teacher@pve', password: 'new-password' });
  expect(reply).toMatchObject({
    status: 403,
    reason:
      "Permission check failed (URI '/access/password' not available with API token, need proper ticket.",
  });
});

test('root@pam changes any password by ticket, others must confirm with their own since 8.2', async () => {
  const { sim } = await start();
  const root = await login(sim, 'root@pam', 'simulator');
  expect((await root.put('/access/password', { userid: 'teacher@pve', password: 'changed-1' })).status).toBe(
    200,
  );
  const teacher = await login(sim, 'teacher@pve', 'changed-1');
  const bare = await teacher.put('/access/password', { userid: 'teacher@pve', password: 'changed-2' });
  expect(bare.body.errors).toEqual({ 'confirmation-password': 'password is required to modify user' });
  const form = { userid: 'teacher@pve', password: 'changed-2', 'confirmation-password': 'changed-1' };
  expect((await teacher.put('/access/password', form)).status).toBe(200);
  await login(sim, 'teacher@pve', 'changed-2');
});

test('the login page may ask for the realms', async () => {
  const { sim } = await start();
  const reply = await toServer(sim)({ path: '/api2/json/access/domains' });
  expect(reply.data.map((one: Loose) => one.realm)).toEqual(['pam', 'pve']);
});
