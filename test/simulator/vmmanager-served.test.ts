/** The stand-in of VMmanager 6 over real sockets. Not among the e2e tests: they hold the time that it runs by. */
import https from 'node:https';
import { expect, test } from 'vitest';
import { serveStandIn } from '../../src/lib/vmmanager-stand-in/served.ts';
import { newCertificate } from '../certificate.ts';
import { afterwards } from '../cleanups.ts';

async function postTo(port: number, path: string, body: unknown): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        ...{ host: '127.0.0.1', port, path, method: 'POST', agent: false, rejectUnauthorized: false },
        headers: { 'content-type': 'application/json' },
      },
      (answer) => resolve(answer.resume().statusCode),
    );
    request.on('error', reject).end(JSON.stringify(body));
  });
}

test('takes logins over HTTPS, and no more once it is closed', async () => {
  const scenario = { platform: 'vmmanager6', clusters: [{ id: 1, name: 'a' }], nodes: [] } as const;
  const served = await serveStandIn(scenario, { port: 0, tls: await newCertificate(), speed: 1000 });
  afterwards(served.close);
  expect(served.speed).toBe(1000);
  const login = '/auth/v4/public/token';
  expect(await postTo(served.port, login, served.credentials)).toBe(201);
  expect(await postTo(served.port, login, { ...served.credentials, password: 'another' })).toBe(401);
  await served.close();
  await expect(postTo(served.port, login, served.credentials)).rejects.toThrow('ECONNREFUSED');
});
