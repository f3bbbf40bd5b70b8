/** Reads and writes names of bridges, also as they are written under `bridge:`. Does not know which exist: the name alone decides. */
import { isAtLeast } from './version.ts';

export interface BridgeName {
  /** Without stars and VLAN suffix. */
  readonly name: string;
  /** From a suffix `.100`; any number, the range is not checked here. */
  readonly tag?: number;
  readonly kind: 'real' | 'alias';
  readonly reserved: boolean;
  readonly starred: boolean;
}

/** `vmbr0` and `vmbr0.5` are real, `**name**` and `reserved: true` real and shared, everything else is an alias. */
export function parseBridge(written: string, reservedFlag: boolean): BridgeName {
  const starred = /^\*\*(.+)\*\*$/.exec(written)?.[1];
  const bare = starred ?? written;
  const suffix = /^(.+)\.(\d+)$/.exec(bare);
  const name = suffix?.[1] ?? bare;
  const reserved = starred !== undefined || reservedFlag;
  return {
    name,
    ...(suffix ? { tag: Number(suffix[2]) } : {}),
    kind: reserved || bridgeNumber(name) !== undefined ? 'real' : 'alias',
    reserved,
    starred: starred !== undefined,
  };
}

export function bridgeOf(number: number): string {
  return `vmbr${number}`;
}

/** The number of a `vmbrN`. */
export function bridgeNumber(iface: string): number | undefined {
  const digits = /^vmbr(\d+)$/.exec(iface)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The number of a bridge as we number them, and the Python tool before us: four digits. */
export function standBridgeNumber(iface: string): number | undefined {
  const digits = /^vmbr(\d{4})$/.exec(iface)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Numbers of stands' bridges: below are people's own, above PVE knows none on every version. */
export const FIRST_BRIDGE = 1000;
export const LAST_BRIDGE = 4094;

/** Both tools number bridges from here on; those of the older one have no comment. */
export function isAdoptableName(iface: string): boolean {
  return (standBridgeNumber(iface) ?? 0) >= FIRST_BRIDGE;
}

/** Until 8.1 only vmbrN is known as a bridge when PVE reads the file back; since then up to 10 letters and digits. */
export function isBridgeName(name: string, version: string): boolean {
  return (isAtLeast(version, 8, 2) ? /^[a-z][a-z0-9_]{1,9}$/i : /^vmbr\d{1,4}$/).test(name);
}
