import { expect, test } from 'vitest';
import { AuthError } from '../../src/lib/proxmox/errors.ts';
import type { ConnectionSettings } from '../../src/lib/proxmox/types.ts';
import { client, failure, json, serve } from './support.ts';

const SECRET = 'new-password';

/** Everything asked of a PVE of this release while one password is set. */
async function asked(release: string, auth: ConnectionSettings['auth']): Promise<string[]> {
  const server = await serve((response, { url }) => {
    if (url.endsWith('/access/ticket')) json(response, { ticket: 't', CSRFPreventionToken: 'c' });
    else json(response, url.endsWith('/version') ? { version: release, release } : null);
  });
  const pve = client({ hosts: [`http://127.0.0.1:${server.port}`], auth });
  try {
    await pve.setPassword('anna@pve', SECRET);
    await pve.setPassword('boris@pve', SECRET);
    return server.heard.map(({ method, url, body }) => `${method} ${url.replace('/api2/json', '')} ${body}`);
  } finally {
    pve.close();
    await server.close();
  }
}

const login = (user: string) => ({ kind: 'password', user, password: 'own-password' }) as const;

test.each<{ name: string; release: string; user: string; confirms: boolean }>([
  { name: 'root@pam never', release: '9.2', user: 'root@pam', confirms: false },
  { name: 'another user on 9.2', release: '9.2', user: 'lab@pve', confirms: true },
  { name: 'another user on 8.2', release: '8.2', user: 'lab@pve', confirms: true },
  {
    name: 'nobody on 8.1, which does not know the parameter',
    release: '8.1',
    user: 'lab@pve',
    confirms: false,
  },
  { name: 'nobody on 7.4', release: '7.4', user: 'lab@pve', confirms: false },
])("confirms with the caller's own password: $name", async ({ release, user, confirms }) => {
  const requests = await asked(release, login(user));
  const tail = confirms ? '&confirmation-password=own-password' : '';
  expect(requests.filter((line) => line.startsWith('PUT'))).toEqual([
    `PUT /access/password userid=anna%40pve&password=${SECRET}${tail}`,
    `PUT /access/password userid=boris%40pve&password=${SECRET}${tail}`,
  ]);
  const versions = requests.filter((line) => line.startsWith('GET /version'));
  expect(versions).toHaveLength(user === 'root@pam' ? 0 : 1);
});

test('a refusal shows neither password', async () => {
  const server = await serve((response, { url }) => {
    if (url.endsWith('/access/ticket')) json(response, { ticket: 't', CSRFPreventionToken: 'c' });
    else if (url.endsWith('/version')) json(response, { version: '9.2', release: '9.2' });
    else
      response
        .writeHead(403, { 'content-type': 'application/json' })
        .end(JSON.stringify({ data: null, message: `no ${SECRET} and own-password` }));
  });
  const pve = client({ hosts: [`http://127.0.0.1:${server.port}`], auth: login('lab@pve') });
  const error = await failure(pve.setPassword('anna@pve', SECRET));
  pve.close();
  await server.close();
  expect(error).toBeInstanceOf(AuthError);
  expect(error.message).not.toContain(SECRET);
  expect(error.message).not.toContain('own-password');
});
