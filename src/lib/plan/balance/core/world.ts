/** What balance knows of a cluster, made once per plan by the adapter of its platform. Holds nothing that the plan changes. */
import { groupBy } from '../../../group.ts';
import { compareNatural, sortedUnique } from '../../../order.ts';
import { indexHistory, type History, type Records } from './history.ts';
import { indexRules, type RuleIndex } from './selectors.ts';
import { closedAt, lessonsAt, type Closed, type Lesson } from './times.ts';
import type { Guest, LocalVolume, Node, Policy, Stand, Veto } from './types.ts';

/** What every platform tells alike. */
export interface Seen<N extends Node, G extends Guest> extends Records {
  readonly nodes: readonly N[];
  /** What can move; no templates. */
  readonly guests: readonly G[];
  readonly vetoes: readonly Veto[];
  /** Nodes to be emptied. */
  readonly evacuate: readonly string[];
}

interface Indexed<N extends Node, G extends Guest> {
  readonly now: string;
  readonly config: Policy;
  /** In natural order of their names. */
  readonly nodes: ReadonlyMap<string, N>;
  /** Ascending. */
  readonly guests: ReadonlyMap<number, G>;
  readonly rules: RuleIndex;
  readonly history: History;
  readonly closed: Closed;
  /** Lab → its lesson that is on or near. */
  readonly lessons: ReadonlyMap<string, Lesson>;
  readonly vetoes: ReadonlyMap<number, readonly Veto[]>;
  readonly evacuated: ReadonlySet<string>;
}

export interface World extends Indexed<Node, Guest> {
  /** What people call a guest: `VM 101 (web)`. */
  readonly labels: ReadonlyMap<number, string>;
  /** Guests that the platform's own manager moves: their task ends when it has queued them. */
  readonly queued: ReadonlySet<number>;
  /** Guests that are ours, with their stand. */
  readonly stands: ReadonlyMap<number, Stand>;
  /** Those of them whose stand has networks of its own, so that it moves as one. */
  readonly bound: ReadonlySet<number>;
  /** Those of them that are on such a network, as far as is known: on several nodes they are cut off from each other. */
  readonly wired: ReadonlySet<number>;
  /** What guests of one node have in common so that they can only move together, as names that compare. */
  readonly ties: ReadonlyMap<number, readonly string[]>;
  /** As far as is known. */
  readonly localVolumes: ReadonlyMap<number, readonly LocalVolume[]>;
  /** Where on another node what a guest has on a local storage goes. Absent: onto the storage of that name. */
  readonly landing?: (vmid: number, storage: string, node: string) => string;
}

/** The storages that are called differently on another node, from here to there; absent: none. */
export function storageMapOf(
  vmid: number,
  to: string,
  { localVolumes, landing }: Pick<World, 'localVolumes' | 'landing'>,
): Readonly<Record<string, string>> | undefined {
  if (!landing) return undefined;
  const names = sortedUnique((localVolumes.get(vmid) ?? []).map(({ storage }) => storage));
  const pairs = names.flatMap((from) => {
    const there = landing(vmid, from, to);
    return there === from ? [] : [[from, there] as const];
  });
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

export function indexSeen<N extends Node, G extends Guest>(seen: Seen<N, G>, config: Policy): Indexed<N, G> {
  const guests = [...seen.guests].sort((a, b) => a.vmid - b.vmid);
  const lessons = lessonsAt(seen.now, config);
  const nodes = [...seen.nodes].sort((a, b) => compareNatural(a.name, b.name));
  return {
    now: seen.now,
    config,
    nodes: new Map(nodes.map((node) => [node.name, node])),
    guests: new Map(guests.map((guest) => [guest.vmid, guest])),
    rules: indexRules(config, guests),
    history: indexHistory(seen, config),
    closed: closedAt(seen.now, config, lessons),
    lessons,
    vetoes: groupBy(seen.vetoes, ({ vmid }) => vmid),
    evacuated: new Set(seen.evacuate),
  };
}
