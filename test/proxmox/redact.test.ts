import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { isSecretName, redactParams, redactPaths, redactText, SecretMask } from '../../src/lib/redact.ts';

describe('redactText', () => {
  test.each([
    ['Authorization: PVEAPIToken=lab@pve!ci=c0ffee-1234', 'Authorization: PVEAPIToken=lab@pve!ci=***'],
    ['Cookie: PVEAuthCookie=PVE%3Alab; x=1', 'Cookie: PVEAuthCookie=***; x=1'],
    ['ticket PVE:lab@pve:66AABBCC::sIgNaTuRe+/= end', 'ticket *** end'],
    ['CSRFPreventionToken: 66AABBCC:hash', 'CSRFPreventionToken: ***'],
    ['POST /x?password=hunter2&userid=a', 'POST /x?password=***&userid=a'],
    ['cipassword=hunter2', 'cipassword=***'],
    ['ticket PVE%3alab%40pve%3a66AABBCC%3a%3asIgNaTuRe end', 'ticket *** end'],
    ['key -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- end', 'key *** end'],
    ['{"password":"hun\\"ter2","a":1}', '{"password":***,"a":1}'],
    ["token_value: 'c0ffee'", 'token_value: ***'],
    ['https://user:hunter2@host/path', 'https://user:***@host/path'],
    [
      'https://api.telegram.org/bot123456:AAabcdefghijklmnopqrstuv/send',
      'https://api.telegram.org/bot123456:***/send',
    ],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----', '***'],
    ['authorization: Bearer abc.def', 'authorization: Bearer ***'],
    [
      'user lab@pve does not exist on https://pve1:8006/',
      'user lab@pve does not exist on https://pve1:8006/',
    ],
    ['passwords are long', 'passwords are long'],
  ])('%s', (text, masked) => {
    expect(redactText(text)).toBe(masked);
  });
});

test('parameters are masked by name, whatever their case, and inside values', () => {
  expect(
    redactParams({
      password: 'x',
      Ticket: 'y',
      sshkeys: 'ssh-ed25519 AAAA',
      name: 'web',
      comment: 'password=z',
    }),
  ).toEqual({ password: '***', Ticket: '***', sshkeys: '***', name: 'web', comment: 'password=***' });
  expect(isSecretName('CSRFPreventionToken')).toBe(true);
  expect(isSecretName('userid')).toBe(false);
});

test('exact values are masked, very short ones are not', () => {
  const secrets = new SecretMask();
  for (const secret of ['hunter2', 'a']) secrets.add(secret);
  expect(secrets.mask('value hunter2 of a')).toBe('value *** of a');
});

test('pino masks secrets at every depth', () => {
  let written = '';
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written += chunk.toString();
      done();
    },
  });
  const log = pino({ redact: { paths: [...redactPaths] } }, sink);
  log.info({ password: 'S1', a: { ticket: 'S2', b: { Authorization: 'S3', c: { 'tfa-challenge': 'S4' } } } });
  log.info({ 'set-cookie': 'S5', headers: { cookie: 'S6' }, kept: 'visible' });
  expect(written).toContain('visible');
  expect(written).not.toMatch(/S\d/);
});
