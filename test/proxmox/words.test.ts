/** Whose fault a migration's failure is, by lines of the kind that PVE writes into its log. */
import { expect, test } from 'vitest';
import { migrationCause } from '../../src/lib/proxmox/words.ts';

const BEGIN = "starting migration of VM 100 to node 'pve2' (10.0.0.2)";
const REMOTE = 'ERROR: online migrate failure - remote command failed with exit code 255';

test.each<[string, readonly string[], ReturnType<typeof migrationCause>]>([
  ['nothing known', ['ERROR: migration aborted (duration 00:00:01): x'], {}],
  ['nothing but the target', [BEGIN, 'ERROR: query migrate failed'], { target: 'pve2' }],
  [
    'an older QEMU',
    [
      BEGIN,
      "[pve2] Installed QEMU version '9.0.2' is too old to run machine type 'pc-q35-9.2+pve1', please upgrade node 'pve2'",
      REMOTE,
    ],
    {
      ...{ blames: 'node', target: 'pve2' },
      words:
        "Installed QEMU version '9.0.2' is too old to run machine type 'pc-q35-9.2+pve1', please upgrade node 'pve2'",
    },
  ],
  [
    'not reached, before the target is named',
    [
      "2026-11-28 10:00:00 ERROR: migration aborted (duration 00:00:03): Can't connect to destination address using public key",
    ],
    {
      blames: 'node',
      words: "migration aborted (duration 00:00:03): Can't connect to destination address using public key",
    },
  ],
  [
    'whatever the target says of a start that fails there',
    [BEGIN, '[pve2] kvm: something new', REMOTE],
    { blames: 'node', target: 'pve2', words: 'kvm: something new' },
  ],
  [
    'a storage',
    [
      BEGIN,
      "ERROR: storage migration for 'zfs:vm-100-disk-0' to storage 'zfs' failed - no such pool",
      REMOTE,
    ],
    {
      ...{ blames: 'storage', target: 'pve2', storage: 'zfs' },
      words: "storage migration for 'zfs:vm-100-disk-0' to storage 'zfs' failed - no such pool",
    },
  ],
  [
    'a storage of no name',
    [BEGIN, 'ERROR: dd: No space left on device'],
    { blames: 'storage', target: 'pve2', words: 'dd: No space left on device' },
  ],
  [
    'a guest that is held',
    ['VM 105 is locked (backup)'],
    { blames: 'guest', words: 'VM 105 is locked (backup)' },
  ],
  [
    'the guest, though the target is named',
    ["can't migrate local cdrom 'local:iso/x.iso': local cdrom image", "ERROR: can't migrate VM - check log"],
    { blames: 'guest', words: "can't migrate local cdrom 'local:iso/x.iso': local cdrom image" },
  ],
])('%s', (_, lines, cause) => {
  expect(migrationCause(lines)).toEqual(cause);
});
