/** What commands on stands share before they plan: reading what was selected, and telling what a selection misses. */
import { isAnyCloning } from '../plan/cluster/locks.ts';
import { ConnectionError, UsageError } from '../errors.ts';
import { delegatedWayOut } from '../inventory/delegated-words.ts';
import { readPools, type ReadContext } from '../inventory/pools.ts';
import { readInventory, type InventoryScope } from '../inventory/read.ts';
import { privilegesOn } from '../inventory/rights.ts';
import type { GuestInfo, Inventory, PoolInfo } from '../inventory/types.ts';
import { sortedUnique } from '../order.ts';
import { viewOf, type ClusterView } from '../plan/cluster/view.ts';
import { nameSome } from '../plan/document/text.ts';
import { undecidedVmids, viewStands, type StandView } from '../plan/stands/selected.ts';
import { marksOf, selectedClaims, selectedVmids, type StandSelection } from '../plan/stands/selection.ts';
import { unknownNames, unknownStorage, type UnknownName } from '../plan/stands/unknown-names.ts';

export interface ReadStands {
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly stands: readonly StandView[];
}

/** More than this would bury the rest of the message. */
const MOST_LISTED = 20;

/** To a name that resembles none of them. */
const EXAMPLES = 8;

const THINGS: Readonly<Record<UnknownName['option'], { readonly what: string; readonly all: string }>> = {
  '--lab': { what: 'lab', all: 'labs on this cluster' },
  '--user': { what: 'user', all: 'users of deploy-stand on this cluster' },
  '--machine': { what: 'machine', all: 'machines of these stands' },
  '--node': { what: 'node', all: 'nodes of this cluster' },
  '--storage': { what: 'storage', all: 'storages of this cluster' },
};

/** What a name that names nothing was perhaps meant to be. */
function sayUnknown({ option, name, near, there }: UnknownName): {
  readonly message: string;
  readonly hint: string;
} {
  const { what, all } = THINGS[option];
  const known = there.length === 0 ? `there are no ${all}` : `${all}: ${nameSome(there, EXAMPLES)}`;
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : known;
  return { message: `${option} ${name}: there is no such ${what}`, hint };
}

/** What is named may be there: in a pool that is not shown, or of which it is not known who else may write it. */
function wayToSee({ pools, rights }: Inventory): string | undefined {
  const unseen = pools.find(({ delegated }) => delegated?.unseen === true)?.delegated;
  if (unseen) return delegatedWayOut(unseen);
  if (rights === undefined || privilegesOn(rights, '/pool')['Pool.Audit'] === true) return undefined;
  return 'Pool.Audit on /pool, with propagation, shows all pools';
}

/** What may be named by what is not believed. */
function disbelieved({ gaps }: Inventory): string[] {
  return gaps.flatMap(({ kind, text }) => (kind === 'stands-delegated' ? [text] : []));
}

/** `sight`: what would show more; absent: the caller is shown everything. `besides`: what may be named all the same. */
function refuseUnknown(
  names: readonly UnknownName[],
  sight: string | undefined,
  besides: readonly string[] = [],
): void {
  const unknown = names.map(sayUnknown);
  if (unknown.length === 0) return;
  const message = unknown.map((one) => one.message).join('; ');
  const hints = [...new Set(unknown.map(({ hint }) => hint)), ...besides];
  if (sight === undefined) throw new UsageError('UNKNOWN_NAME', message, { hint: hints.join('\n') });
  throw new ConnectionError('MISSING_PRIVILEGES', `${message}, as far as the caller is shown`, {
    hint: [sight, ...hints].join('\n'),
  });
}

/** For commands for which nothing selected is an error: a job that does nothing every night for a typing error helps nobody. */
export function assertKnown(selection: StandSelection, have: Inventory, index: ClusterView): void {
  refuseUnknown(unknownNames(selection, index.marks, have), wayToSee(have), disbelieved(have));
}

/** PVE lists a storage to whoever may see it or write there. */
export function assertStorage(name: string, have: Inventory): void {
  const { rights } = have;
  const all = rights === undefined ? undefined : privilegesOn(rights, '/storage');
  const seesAll = !all || all['Datastore.Audit'] === true || all['Datastore.AllocateSpace'] === true;
  const sight = `Datastore.AllocateSpace on /storage/${name} shows it, and lets the caller write there`;
  refuseUnknown(unknownStorage(name, have), seesAll ? undefined : sight);
}

/** What a command has to see besides. */
export interface StandsScope extends Partial<InventoryScope> {
  /** VMIDs of which the configuration is wanted in any case. */
  readonly configs?: (pools: readonly PoolInfo[]) => readonly number[];
}

/** VMIDs of the selected stands of which the configuration tells whose they are. */
export function undecidedIn(
  selection: StandSelection,
  pools: readonly PoolInfo[],
  guests: readonly GuestInfo[],
): number[] {
  const known = new Map(guests.map((guest) => [guest.vmid, guest]));
  return selectedClaims(selection, marksOf(pools)).flatMap(({ claim }) => undecidedVmids(claim, known));
}

/** Live states of the selected machines, one call per node; configurations only where whose a VM is depends on them. */
function standsReading(selection: StandSelection, { configs, ...more }: StandsScope): InventoryScope {
  return {
    templates: [],
    rights: true,
    claimed: (pools, guests) => [
      ...new Set([...undecidedIn(selection, pools, guests), ...(configs?.(pools) ?? [])]),
    ],
    live: (pools) => selectedVmids(selection, marksOf(pools)),
    tasks: true,
    ...more,
  };
}

/** Throws for names that name nothing. `more`: what the command has to see besides. */
export async function readStands(
  selection: StandSelection,
  context: ReadContext,
  more: StandsScope = {},
): Promise<ReadStands> {
  const have = await readInventory(context, standsReading(selection, more));
  const index = viewOf(have);
  assertKnown(selection, have, index);
  const isCloning = isAnyCloning(have);
  return { have, index, stands: viewStands(selection, index, isCloning) };
}

/** What can be selected, in words. */
export async function listStands(context: ReadContext): Promise<string> {
  const { pools } = await readPools(context, () => () => undefined);
  const claims = selectedClaims({}, marksOf(pools));
  if (claims.length === 0) return 'there are no labs on this cluster';
  const counts = new Map<string, number>();
  for (const { claim } of claims) counts.set(claim.lab, (counts.get(claim.lab) ?? 0) + 1);
  const labs = sortedUnique(counts.keys()).map((lab) => {
    const stands = counts.get(lab) ?? 0;
    return `${lab} (${stands} ${stands === 1 ? 'stand' : 'stands'})`;
  });
  return [
    `labs on this cluster: ${nameSome(labs, MOST_LISTED)}`,
    `users on this cluster: ${nameSome(sortedUnique(claims.map(({ user }) => user)), MOST_LISTED)}`,
  ].join('\n');
}

/** Of a selection of whole stands that may name what is gone: in words, for a warning. */
export async function listUnknown(
  selection: Omit<StandSelection, 'machines' | 'nodes'>,
  context: ReadContext,
): Promise<string[]> {
  const { pools, users } = await readPools(context, () => () => undefined);
  return unknownNames(selection, marksOf(pools), { users, nodes: [] })
    .map(sayUnknown)
    .map(({ message, hint }) => `${message}; ${hint}`);
}
