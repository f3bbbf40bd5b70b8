/** The bridge whose staged removal PVE shows as the lines of a diff: what it was. Judges nothing. */

export interface RemovedBridge {
  readonly ports: readonly string[];
  readonly vlanAware: boolean;
  readonly comments: string;
  /** It has lines that PVE does not write for a bridge without ports, address and options. */
  readonly hasMore: boolean;
}

/** In the spelling that PVE writes (pve-common INotify.pm); it respells a file that somebody wrote by hand. */
const PLAIN =
  /^(auto \S+|iface \S+ inet manual|bridge-(ports none|stp off|fd 0|vlan-aware yes|vids 2-4094))$/;

/** Undefined: the lines are those of no bridge. PVE writes `bridge-ports none` for one without ports. */
export function parseRemovedBridge(text: string): RemovedBridge | undefined {
  const lines = text.split('\n').map((line) => line.slice(1).trim().replaceAll(/\s+/g, ' '));
  const options = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/^\S+/, (word) => word.replaceAll('_', '-')));
  const ports = options.find((line) => line.startsWith('bridge-ports '))?.slice('bridge-ports '.length);
  if (ports === undefined) return undefined;
  return {
    ports: ports === 'none' ? [] : ports.split(' '),
    vlanAware: options.includes('bridge-vlan-aware yes'),
    comments: lines
      .filter((line) => line.startsWith('#'))
      .map((line) => line.slice(1))
      .join('\n'),
    hasMore: options.some((line) => !PLAIN.test(line)),
  };
}
