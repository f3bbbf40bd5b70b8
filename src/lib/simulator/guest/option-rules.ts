/** What PVE asks of guest options beyond their schema: keys, boot order, balloon. Changes nothing. */
import { splitList } from '../contract/formats.ts';
import { die } from '../pve-error.ts';
import type { GuestConfig, GuestState } from '../state.ts';

const keyTypes = new Set([
  'ssh-rsa',
  'ssh-dss',
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
]);

/** A public key names its type twice: as a word, and inside the base64 behind a length of four bytes. */
function isPublicKey(line: string): boolean {
  const parts = line.trim().split(/\s+/);
  return parts.some((type, at) => {
    if (!keyTypes.has(type)) return false;
    const blob = Buffer.from(parts[at + 1] ?? '', 'base64');
    const length = blob.length > 4 ? blob.readUInt32BE(0) : 0;
    return (
      length === type.length && blob.toString('latin1', 4, 4 + length) === type && blob.length > 4 + length
    );
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** PVE hands each line to ssh-keygen (Tools.pm validate_ssh_public_keys). */
export function checkSshKeys(text: string | undefined): void {
  const lines = decoded(text ?? '').split('\n');
  if (lines.some((line) => line.trim() !== '' && !isPublicKey(line))) die('SSH public key validation error');
}

/** The devices of `order=…`; the legacy form names none. */
export function bootOrder(boot: string | undefined): string[] {
  return splitList(/(?:^|,)order=([^,]*)/.exec(boot ?? '')?.[1] ?? '');
}

/** QemuServer.pm print_bootorder: without devices there is nothing left to say. */
export const printBootOrder = (devices: readonly string[]): string =>
  devices.length === 0 ? '' : `order=${devices.join(';')}`;

interface Change {
  readonly set: Readonly<GuestConfig>;
  readonly remove: readonly string[];
}

/** Only what is there, comes with the same call, and is not deleted by it, can be booted from. */
export function checkBootOrder(guest: GuestState, { set, remove }: Change): void {
  for (const device of bootOrder(set['boot'])) {
    const exists = [guest.config, guest.pending, set].some((config) => (config[device] ?? '') !== '');
    if (!exists || remove.includes(device)) die(`invalid bootorder: device '${device}' does not exist'`);
  }
}

/** `memory` is a number, or a property string since 8.1. */
const mib = (memory: string | undefined): number => Number(/\d+/.exec(memory ?? '')?.[0] ?? 512);

export function checkBalloon(guest: GuestState, { set }: Pick<Change, 'set'>): void {
  const { memory, balloon } = set;
  if (memory === undefined && balloon === undefined) return;
  const now = { ...guest.config, ...guest.pending };
  if (Number(balloon ?? now['balloon'] ?? 0) > mib(memory ?? now['memory'])) {
    die('balloon value too large (must be smaller than assigned memory)');
  }
}
