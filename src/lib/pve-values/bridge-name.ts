/** Reads what is written under `bridge:`. Does not know which bridges exist: the name alone decides. */

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
    kind: reserved || /^vmbr\d+$/.test(name) ? 'real' : 'alias',
    reserved,
    starred: starred !== undefined,
  };
}
