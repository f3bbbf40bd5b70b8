import { expect, test } from 'vitest';
import { StandError } from '../../src/lib/errors.ts';
import { assertSeen } from '../../src/lib/workflow/connections.ts';

const of = (host: string, fingerprint: string) => ({ host, fingerprint });
const nodes = [of('pve1:8006', 'AA:01'), of('pve2:8006', 'BB:02')];

function hintOf(wanted: readonly string[], known: readonly string[], name?: string): string | undefined {
  try {
    assertSeen(nodes, wanted, { known, ...(name === undefined ? {} : { name }) });
  } catch (error) {
    return (error as StandError).hint;
  }
  return undefined;
}

test.each<[string, string[], string[]]>([
  ['all were compared', ['AA:01', 'BB:02'], []],
  ['one was compared now, the other before', ['AA:01'], ['BB:02']],
])('certificates are accepted where %s', (_, wanted, known) => {
  expect(hintOf(wanted, known, 'school')).toBeUndefined();
});

test('one that nobody has compared is refused, with the command that trusts all', () => {
  const command = 'deploy-stand connections trust school AA:01,BB:02';
  expect(hintOf(['AA:01'], [], 'school')).toMatch(new RegExp(`: ${command}$`));
  expect(hintOf(['AA:01'], [])).toContain('System > Certificates');
  // Whoever asks for a certificate that no host shows is not sent to those that are shown.
  expect(hintOf(['CC:03'], ['AA:01', 'BB:02'], 'school')).not.toContain('deploy-stand');
});
