/** Says in words and numbers what is full and who would not fit. Decides nothing. */
import { gib, inGib } from '../../bytes.ts';
import { addTo } from '../../group.ts';
import { storageTraits } from '../../pve-values/storage-types.ts';
import type { Lab } from '../../config/types.ts';
import type { Demand, Ledger, Resource } from './capacity.ts';
import { HELD_HINT } from '../network/held-by.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import type { Refusal } from '../document/plan.ts';
import { nameSome } from '../document/text.ts';

/** Stands that found no room, and where they could have gone. */
export interface Left {
  readonly states: readonly { readonly user: { readonly userid: string } }[];
  readonly nodes: readonly {
    readonly node: string;
    readonly demand: Demand;
    /** False: a `spread` group has its share of the node already. */
    readonly isApart: boolean;
  }[];
}

interface Context {
  /** Of the ranges and rules that it gives. */
  readonly lab?: Pick<Lab, 'vmidRange' | 'placement'>;
  readonly ledger: Ledger;
  /** Stands that were to be seated. */
  readonly total: number;
  /** Ways out of another command than deploy; a kind without one has none. */
  readonly waysOut?: Readonly<Partial<Record<Resource['kind'], string>>>;
}

/** Code of stands, and of classes, for which there is no room. */
export const NO_ROOM = 'NO_CAPACITY';

/** More lines say nothing more. */
const MOST_LINES = 12;

function numbered(
  name: string,
): { readonly head: string; readonly number: number; readonly tail: string } | undefined {
  const match = /^(.*?)(\d{1,9})(\D*)$/.exec(name.replace(/@.*$/, ''));
  if (!match) return undefined;
  const [, head = '', digits = '', tail = ''] = match;
  return {
    head,
    number: Number(digits),
    tail: `${tail}${name.slice(name.indexOf('@') < 0 ? name.length : name.indexOf('@'))}`,
  };
}

/** `pve1–pve4, pve7`: three or more names that count on are drawn together. */
function listNames(names: Iterable<string>): string {
  const sorted = sortedUnique(names);
  const runs: string[][] = [];
  for (const name of sorted) {
    const run = runs.at(-1);
    const former = numbered(run?.at(-1) ?? '');
    const own = numbered(name);
    const goesOn =
      former &&
      own &&
      former.head === own.head &&
      former.tail === own.tail &&
      own.number === former.number + 1;
    if (run && goesOn) run.push(name);
    else runs.push([name]);
  }
  return runs.flatMap((run) => (run.length > 2 ? [`${run[0] ?? ''}–${run.at(-1) ?? ''}`] : run)).join(', ');
}

/** Storages on which disks take room as they are written. */
function isThin({ type }: Resource): boolean {
  return type !== undefined && storageTraits(type).thin;
}

const rangeOf = (lab: Context['lab']): string => `${lab?.vmidRange.first ?? ''}–${lab?.vmidRange.last ?? ''}`;

function sayHeld(group: readonly Resource[]): string {
  const held = sortedUnique(group.flatMap(({ heldBy }) => heldBy ?? []));
  return held.length === 0 ? '' : ` (${held.join('; ')})`;
}

/** What is full, once for all nodes on which it is. */
function headline(kind: Resource['kind'], group: readonly Resource[], { lab }: Context): string {
  const nodes = listNames(group.flatMap(({ node }) => node ?? []));
  const names = listNames(group.flatMap(({ name }) => name ?? []));
  const on = nodes === '' ? '' : ` on ${nodes}`;
  const isOne = group.length === 1;
  switch (kind) {
    case 'memory':
    case 'cpu':
      return `${kind}${on} is full`;
    case 'storage':
      return `storage ${names}${on} is full`;
    case 'vmids':
      return `VMIDs ${rangeOf(lab)} are used up`;
    case 'bridges':
      return `bridge numbers${on} are used up${sayHeld(group)}`;
    case 'ports':
      return `${names}${on} ${isOne ? 'has' : 'have'} no port left`;
    case 'stands':
      return `max_stands_per_node (${lab?.placement.maxStandsPerNode ?? 0})${on} is reached`;
  }
}

function numbers({ resource, needs, once }: Lack, { ledger }: Context): string {
  const { kind, node = '', name = '', total, limit, before, key } = resource;
  const adds = ledger.taken(key) - before;
  switch (kind) {
    case 'memory':
    case 'cpu':
      return `memory on ${node}: ${inGib(limit)} of ${gib(total)} are for guests, ${inGib(before)} taken before, ${inGib(adds)} by what fits; the next needs ${inGib(needs)}`;
    case 'storage': {
      const where = node === '' ? '' : ` on ${node}`;
      const thin = isThin(resource)
        ? ' (its disks are thin: how much the present ones may still grow is not known to the API)'
        : '';
      return `storage ${name}${where}: ${gib(total)}, ${inGib(before)} used before, ${inGib(adds)} by what fits; the next needs ${inGib(needs)}${once > 0 ? `, ${inGib(once)} of it for a replica` : ''}${thin}`;
    }
    case 'vmids':
      return `${limit} VMIDs were free, what fits takes ${adds}; the next needs ${needs}${once > 0 ? `, ${once} of them for replicas` : ''}`;
    case 'bridges':
      return `bridge numbers on ${node}: ${limit} were free, what fits takes ${adds}; the next needs ${needs}`;
    case 'ports':
      return `ports of ${name} on ${node}: ${limit}, ${before} are known to be taken, what fits takes ${adds}; the next needs ${needs}`;
    case 'stands':
      return `stands on ${node}: ${limit} may be there, ${before} are, what fits adds ${adds}`;
  }
}

const WAYS_OUT: Readonly<Record<Resource['kind'], string>> = {
  memory:
    'give the machines less `memory`, use more nodes, or set `placement.reserve` or `placement.overcommit` (docs/placement.md)',
  cpu: 'use more nodes',
  storage: 'free space, use another `storage`, or set `placement.linked_growth` (docs/placement.md)',
  vmids: 'widen `vmid_range` in the lab file',
  bridges:
    'remove stands that are no longer needed, spread the class over more nodes, or widen `bridge_range`',
  ports: 'spread the class over more nodes',
  stands: 'raise `placement.max_stands_per_node`, or use more nodes',
};

interface Lack {
  readonly resource: Resource;
  /** Of the first stand without it. */
  readonly needs: number;
  /** How much of that is not for the stand's own VMs. */
  readonly once: number;
}

interface Shortage {
  /** By resource key. */
  readonly lacking: ReadonlyMap<string, Lack>;
  readonly apart: readonly string[];
}

function shortageOf(left: readonly Left[], { ledger }: Context): Shortage {
  const lacking = new Map<string, Lack>();
  const apart = new Set<string>();
  for (const { nodes } of left) {
    for (const { node, demand, isApart } of nodes) {
      if (!isApart) apart.add(node);
      for (const resource of ledger.lacking(demand)) {
        if (lacking.has(resource.key)) continue;
        const needs = ledger.inFull(demand).get(resource.key) ?? 0;
        lacking.set(resource.key, { resource, needs, once: needs - (demand.get(resource.key) ?? 0) });
      }
    }
  }
  return { lacking, apart: sortedUnique(apart) };
}

function headlines({ lacking, apart }: Shortage, context: Context): string {
  const groups = new Map<string, Resource[]>();
  for (const { resource } of lacking.values()) {
    const key =
      resource.kind === 'storage' || resource.kind === 'ports'
        ? `${resource.kind} ${resource.name ?? ''}`
        : resource.kind;
    addTo(groups, key, resource);
  }
  const texts = [...groups.values()].map((group) => headline(group[0]?.kind ?? 'memory', group, context));
  if (apart.length > 0) texts.push(`\`spread\` allows no more on ${listNames(apart)}`);
  return texts.join(', ');
}

function hintOf({ lacking, apart }: Shortage, { waysOut = WAYS_OUT }: Context): string {
  const kinds = new Set([...lacking.values()].map(({ resource }) => resource.kind));

  const isHeld = [...lacking.values()].some(({ resource }) => resource.heldBy !== undefined);
  const ways = [...(isHeld ? [HELD_HINT] : []), ...[...kinds].flatMap((kind) => waysOut[kind] ?? [])];
  if (apart.length > 0) ways.push('shorten the group in `placement.spread`');
  return ways.join('; ');
}

/** The refusal of the whole plan, and one per stand for a plan that goes on without them. */
export function describeShortage(
  left: readonly Left[],
  context: Context,
): { readonly whole: Refusal; readonly each: ReadonlyMap<string, Refusal> } {
  const users = left.flatMap(({ states }) => states.map(({ user }) => user.userid)).sort(compareNatural);
  const all = shortageOf(left, context);
  const lines = [...all.lacking.values()]
    .sort((a, b) => compareNatural(a.resource.key, b.resource.key))
    .map((lack) => numbers(lack, context));
  const more = lines.length > MOST_LINES ? [`and ${lines.length - MOST_LINES} more`] : [];
  const fits = `fits ${context.total - users.length} of ${context.total} stand${context.total === 1 ? '' : 's'}`;
  const each = new Map<string, Refusal>();
  for (const one of left) {
    const own = shortageOf([one], context);
    const names = one.states.map(({ user }) => user.userid);
    const whom = names.length === 1 ? 'the stand' : `the ${names.length} stands that belong together`;
    const message = `no room for ${whom} of ${listNames(names)}: ${headlines(own, context)}`;
    const isHeld = [...own.lacking.values()].some(({ resource }) => resource.heldBy !== undefined);
    const hint = isHeld ? { hint: `${HELD_HINT}, then run again` } : {};
    for (const user of names) each.set(user, { code: NO_ROOM, message, ...hint });
  }
  return {
    whole: {
      code: NO_ROOM,
      message: [
        `${fits}: ${headlines(all, context)}; ${listNames(users)} would not fit`,
        ...lines.slice(0, MOST_LINES),
        ...more,
      ].join('\n  '),
      hint: `to have room for all: ${hintOf(all, context)}`,
    },
    each,
  };
}

/** From here on a thin storage is worth a warning. */
const NEARLY_FULL = 0.8;

/** What is promised beyond soft limits by this plan. */
export function capacityWarnings(ledger: Ledger): string[] {
  const warnings: string[] = [];
  /** Virtual CPUs per thread → nodes: of alike nodes the same is true. */
  const slow = new Map<string, string[]>();
  for (const resource of ledger.resources.values()) {
    const { kind, name = '', node, limit, before, total, key } = resource;
    const taken = ledger.taken(key);
    if (taken <= before) continue;
    const where = node === undefined ? '' : ` on ${node}`;
    if (kind === 'cpu' && taken > limit) {
      addTo(slow, (taken / Math.max(1, total)).toFixed(1), node ?? '?');
    }
    if (kind === 'storage' && isThin(resource) && taken > NEARLY_FULL * limit) {
      warnings.push(
        `storage ${name}${where} may be filled to ${Math.round((100 * taken) / limit)} % by this plan; it is thin, and how much the disks there may still grow is not known to the API`,
      );
    }
  }
  for (const [ratio, nodes] of slow) {
    const where = nameSome(nodes.sort(compareNatural));
    warnings.push(
      `${ratio} virtual CPUs per thread on ${where} when all machines run: expect them to be slow`,
    );
  }
  return warnings.sort(compareNatural);
}
