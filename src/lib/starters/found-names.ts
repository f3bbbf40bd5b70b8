/** Which templates and bridges of a cluster take the place of those that a ready-made lab names. Reads nothing. */
import type { GuestInfo, Inventory } from '../inventory/types.ts';
import { parseBridgeMark } from '../marks/bridge.ts';
import { bestNameable, meantBy } from '../plan/cluster/templates.ts';

/** What a ready-made lab may be made of on this cluster. */
export interface FoundNames {
  /** The name in the shipped lab → what stands for it here. */
  readonly templates: ReadonlyMap<string, FoundTemplate>;
  /** The bridge to the world. */
  readonly bridge: string;
  readonly notes: readonly string[];
}

interface FoundTemplate {
  /** By its name where that is its alone. */
  readonly ref: { readonly template: string } | { readonly template_vmid: number };
  /** A router that needs no cards of its own kind is a machine like others. */
  readonly isRouter: boolean;
}

/** The name in the shipped labs → words in the names of templates that do the same, the best first. */
const KINDS: ReadonlyMap<string, readonly RegExp[]> = new Map([
  ['ecorouter-tpl', [/eco-?router/i, /router|vyos|opnsense|pfsense|openwrt|mikrotik|chr/i]],
  ['debian12-tpl', [/debian/i, /ubuntu/i, /linux|alma|rocky|centos|fedora|suse|alt|astra/i]],
  ['web-tpl', [/web|nginx|apache|httpd/i, /server|srv/i]],
  ['student-tpl', [/student|desktop|client|workstation/i, /windows|win1\d/i, /pc\b/i]],
]);

const ROUTER = /eco-?router/i;
/** The bridge to the world, as the shipped labs name it. */
export const OUTSIDE = 'vmbr0';

function refOf({ vmid, name }: GuestInfo, have: Inventory): FoundTemplate {
  const isOnly = name !== undefined && meantBy({ by: 'name', name }, have).length === 1;
  return {
    ref: isOnly ? { template: name } : { template_vmid: vmid },
    isRouter: ROUTER.test(name ?? ''),
  };
}

function best(words: readonly RegExp[], all: readonly GuestInfo[]): GuestInfo | undefined {
  for (const word of words) {
    const found = all.find(({ name = '' }) => word.test(name));
    if (found) return found;
  }
  return undefined;
}

/** One that every node has, and that leads out: it has a port. */
function bridgeOf({ networks }: Inventory): string | undefined {
  const readable = networks.filter((one) => one.readable);
  const [first] = readable;
  const everywhere = (first?.bridges ?? []).filter(
    ({ iface, comments }) =>
      /^vmbr\d+$/.test(iface) &&
      parseBridgeMark(iface, comments) === undefined &&
      readable.every(({ bridges }) => bridges.some((one) => one.iface === iface)),
  );
  const leads = everywhere.filter(({ ports, addresses }) => ports.length > 0 || addresses.length > 0);
  const choice = [...leads, ...everywhere];
  return (choice.find(({ iface }) => iface === OUTSIDE) ?? choice[0])?.iface;
}

/** Undefined: the caller sees no template there. */
export function findNames(have: Inventory): FoundNames | undefined {
  const offered = bestNameable(have);
  const all = offered.map(({ guest }) => guest);
  const [any] = all;
  if (!any) return undefined;
  const linux = best(KINDS.get('debian12-tpl') ?? [], all);
  const notes: string[] = [];
  const templates = new Map<string, FoundTemplate>();
  const used = new Set<number>();
  for (const [wanted, words] of KINDS) {
    const found = best(words, all);
    const taken = found ?? linux ?? any;
    if (!found) {
      const what = wanted.replace(/-tpl$/, '');
      notes.push(
        `no template here looks like "${what}": ${taken.name ?? 'VM'} (${taken.vmid}) stands for it`,
      );
    }
    templates.set(wanted, refOf(taken, have));
    used.add(taken.vmid);
  }
  for (const { guest, writer } of offered) {
    if (writer === undefined || !used.has(guest.vmid)) continue;
    notes.push(`${guest.name ?? 'VM'} (${guest.vmid}) may be of others (${writer}): see that it is meant`);
  }
  const bridge = bridgeOf(have);
  if (bridge === undefined) notes.push(`no bridge is seen on every node: ${OUTSIDE} is left as it was`);
  return { templates, bridge: bridge ?? OUTSIDE, notes };
}
