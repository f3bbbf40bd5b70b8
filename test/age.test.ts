import { describe, expect, test } from 'vitest';
import { decryptText, encryptText, isAge, isRecipient, lockOf, recipientOf } from '../src/lib/age.ts';
import { ANNA, BORIS } from './connections-edit/identities.ts';

/** Far below the default: these tests are not about guessing. */
const QUICK = 4;
const by = (passphrase: string) => encryptText('a secret', { kind: 'passphrase', passphrase }, QUICK);
const to = (...recipients: string[]) => encryptText('a secret', { kind: 'recipients', recipients });

describe('what was encrypted', () => {
  test('for a passphrase is opened by it alone', async () => {
    const armor = await by('correct horse');
    expect(isAge(armor)).toBe(true);
    expect(lockOf(armor)).toBe('passphrase');
    expect(await decryptText(armor, { passphrase: 'correct horse', identities: [] })).toEqual({
      text: 'a secret',
    });
    expect(await decryptText(armor, { passphrase: 'wrong', identities: [ANNA.identity] })).toEqual({
      problem: 'wrong-key',
      lock: 'passphrase',
    });
    expect(await decryptText(armor, { identities: [ANNA.identity] })).toEqual({
      problem: 'no-key',
      lock: 'passphrase',
    });
  });

  test('for recipients is opened by each of them', async () => {
    const armor = await to(ANNA.recipient, BORIS.recipient);
    expect(lockOf(armor)).toBe('recipients');
    for (const { identity } of [ANNA, BORIS])
      expect(await decryptText(armor, { identities: [identity] })).toEqual({ text: 'a secret' });
    expect(await decryptText(await to(ANNA.recipient), { identities: [BORIS.identity] })).toEqual({
      problem: 'wrong-key',
      lock: 'recipients',
    });
    expect(await decryptText(armor, { passphrase: 'x', identities: [] })).toMatchObject({
      problem: 'no-key',
    });
  });

  test.each<[string, (armor: string) => string]>([
    ['with CRLF', (armor) => armor.replaceAll('\n', '\r\n')],
    ['indented', (armor) => armor.replaceAll('\n', '\n    ')],
    ['folded into one line', (armor) => armor.replaceAll('\n', ' ')],
    ['without its last line break', (armor) => armor.trimEnd()],
  ])('is read %s', async (_, change) => {
    const armor = change(await to(ANNA.recipient));
    expect(isAge(armor)).toBe(true);
    expect(await decryptText(armor, { identities: [ANNA.identity] })).toEqual({ text: 'a secret' });
  });

  test.each<[string, (armor: string) => string]>([
    ['cut off', (armor) => armor.slice(0, 120)],
    ['without its end', (armor) => armor.split('\n').slice(0, -3).join('\n')],
    [
      'with one letter changed',
      (armor) => armor.replace(/.(?=\n-----END)/, (sign) => (sign === 'A' ? 'B' : 'A')),
    ],
    [
      'of something else',
      () => '-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n-----END AGE ENCRYPTED FILE-----\n',
    ],
  ])('is known to be damaged when %s', async (_, change) => {
    const damaged = change(await to(ANNA.recipient));
    expect(await decryptText(damaged, { identities: [ANNA.identity] })).toMatchObject({ problem: 'damaged' });
  });
});

test('keys are told from what is none', async () => {
  expect(await recipientOf(ANNA.identity)).toBe(ANNA.recipient);
  expect(await recipientOf('AGE-SECRET-KEY-1NONE')).toBeUndefined();
  expect(await isRecipient(ANNA.recipient)).toBe(true);
  expect(await isRecipient('age1none')).toBe(false);
  expect(await isRecipient('ssh-ed25519 AAAA')).toBe(false);
});
