import { expect, test } from 'vitest';
import { howToTrustNode } from '../../src/lib/proxmox/transports/how-to-trust.ts';

const SEEN = Array(32).fill('AB').join(':');

test.each([
  {
    of: 'the environment',
    connection: { name: 'environment' },
    ways: [`export PVE_FINGERPRINT=${SEEN}`, /^or set ca_file \(PVE_CA_FILE\) to a copy of /],
  },
  {
    of: 'a file',
    connection: { name: 'my school', file: 'connections.yml' },
    ways: [
      `deploy-stand connections trust 'my school' ${SEEN}`,
      /^or set PVE_FINGERPRINT to it, or ca_file \(PVE_CA_FILE\) to a copy of /,
    ],
  },
])(
  'of a connection of $of: the command that trusts is a line of its own',
  ({ connection, ways: [command, other] }) => {
    const [why, ...ways] = howToTrustNode(connection, SEEN).split('\n');
    expect(why).toMatch(/^Compare the fingerprint with what the node shows .* If it is the same:$/);
    expect(ways).toEqual([command, expect.stringMatching(other!)]);
  },
);
