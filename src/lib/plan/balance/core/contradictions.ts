/** Rules of balance.yml that cannot all hold for the guests that they choose. Those are left alone: any move would break one. */
import { addTo } from '../../../group.ts';
import { sortedUnique } from '../../../order.ts';
import type { PinRule } from '../../../config/balance/types.ts';
import type { Guest, Policy } from './types.ts';

/** Rules over several guests: members by rule, and rules by member. */
export interface GroupIndex {
  readonly groups: readonly { readonly name: string; readonly vmids: readonly number[] }[];
  /** Guest → indices of its groups. */
  readonly of: ReadonlyMap<number, readonly number[]>;
}

/** Whom the rules choose that say where a guest may be. */
export interface Choice {
  readonly pins: ReadonlyMap<number, readonly PinRule[]>;
  readonly affinity: GroupIndex;
  readonly antiAffinity: GroupIndex;
}

/** Guests that rules of affinity keep on one node, be it by others that two of them have in common. */
interface Bundle {
  readonly rules: readonly string[];
  readonly vmids: ReadonlySet<number>;
}

interface Contradiction {
  readonly vmids: Iterable<number>;
  readonly text: string;
}

function bundlesOf({ groups }: GroupIndex): Bundle[] {
  let bundles: Bundle[] = [];
  for (const { name, vmids } of groups) {
    const joined = bundles.filter((bundle) => vmids.some((vmid) => bundle.vmids.has(vmid)));
    const all = [...joined.flatMap((bundle) => [...bundle.vmids]), ...vmids];
    const one = { rules: [...joined.flatMap(({ rules }) => rules), name], vmids: new Set(all) };
    bundles = [...bundles.filter((bundle) => !joined.includes(bundle)), one];
  }
  return bundles;
}

/** `rule a keeps`, `rules a, b keep`. */
function told(rules: readonly string[], verb: 'allow' | 'keep'): string {
  const names = sortedUnique(rules);
  return names.length === 1 ? `rule ${names.join('')} ${verb}s` : `rules ${names.join(', ')} ${verb}`;
}

function namesOf(rules: readonly { readonly name: string }[]): string[] {
  return rules.map(({ name }) => name);
}

/** What all of the pins allow; without a pin: any node. */
function homesBy(pins: readonly PinRule[]): readonly string[] | undefined {
  const [first, ...others] = pins.map(({ nodes }) => nodes);
  return first?.filter((node) => others.every((nodes) => nodes.includes(node)));
}

function pinnedNowhere(vmid: number, pins: readonly PinRule[]): Contradiction[] {
  if (homesBy(pins)?.length !== 0) return [];
  const parts = pins.map(({ name, nodes }) => `rule ${name} allows ${nodes.join(', ')}`);
  return [{ vmids: [vmid], text: `${parts.join(', ')} only` }];
}

/** Who is where its pins want it stays there, whatever is excluded. */
function pinnedBehindExclusion(
  { vmid, node }: Guest,
  pins: readonly PinRule[],
  { excludeSource, excludeTarget }: Policy,
): Contradiction[] {
  const homes = homesBy(pins) ?? [];
  if (homes.length === 0 || homes.includes(node)) return [];
  const wish = `${told(namesOf(pins), 'allow')} ${homes.join(', ')} only`;
  if (excludeSource.includes(node))
    return [{ vmids: [vmid], text: `${wish}, exclude.source lets nothing leave ${node}` }];
  if (homes.every((home) => excludeTarget.includes(home)))
    return [{ vmids: [vmid], text: `${wish}, where exclude.target lets nothing in` }];
  return [];
}

function pinsOf({ vmids }: Bundle, { pins }: Choice): PinRule[] {
  return [...new Set([...vmids].flatMap((vmid) => pins.get(vmid) ?? []))];
}

function pinnedApart(bundle: Bundle, choice: Choice): Contradiction[] {
  const pins = pinsOf(bundle, choice);
  const isOwn = [...bundle.vmids].some((vmid) => homesBy(choice.pins.get(vmid) ?? [])?.length === 0);
  if (isOwn || homesBy(pins)?.length !== 0) return [];
  const text = `${told(bundle.rules, 'keep')} together what ${told(namesOf(pins), 'keep')} on different nodes`;
  return [{ vmids: bundle.vmids, text }];
}

function togetherAndApart({ rules, vmids }: Bundle, { antiAffinity }: Choice): Contradiction[] {
  const apart = antiAffinity.groups.filter(
    (group) => group.vmids.filter((vmid) => vmids.has(vmid)).length > 1,
  );
  if (apart.length === 0) return [];
  const text = `${told(rules, 'keep')} together what ${told(namesOf(apart), 'keep')} apart`;
  return [{ vmids, text }];
}

/** More guests than the nodes that their pins leave them. */
function crowded(choice: Choice, bundles: readonly Bundle[]): Contradiction[] {
  const bundleOf = new Map(
    bundles.flatMap((bundle) => [...bundle.vmids].map((vmid) => [vmid, bundle] as const)),
  );
  const homesOf = (vmid: number): readonly string[] => {
    const bundle = bundleOf.get(vmid);
    return homesBy(bundle ? pinsOf(bundle, choice) : (choice.pins.get(vmid) ?? [])) ?? [];
  };
  return choice.antiAffinity.groups.flatMap(({ name, vmids }) => {
    const homes = vmids
      .map((vmid) => ({ vmid, nodes: homesOf(vmid) }))
      .filter(({ nodes }) => nodes.length > 0);
    return homes.flatMap(({ nodes }) => {
      const among = homes.filter((other) => other.nodes.every((node) => nodes.includes(node)));
      if (among.length <= nodes.length) return [];
      const text = `rule ${name} keeps ${among.length} guests apart, pins allow them ${sortedUnique(nodes).join(', ')} only`;
      return [{ vmids: among.map(({ vmid }) => vmid), text }];
    });
  });
}

/** What contradicts each other, in words → the guests that it is about, ascending. */
export function findContradictions(
  choice: Choice,
  guests: readonly Guest[],
  config: Policy,
): ReadonlyMap<string, readonly number[]> {
  const bundles = bundlesOf(choice.affinity);
  const found = [
    ...guests.flatMap((guest) => {
      const pins = choice.pins.get(guest.vmid);
      if (!pins) return [];
      return [...pinnedNowhere(guest.vmid, pins), ...pinnedBehindExclusion(guest, pins, config)];
    }),
    ...bundles.flatMap((bundle) => [...pinnedApart(bundle, choice), ...togetherAndApart(bundle, choice)]),
    ...crowded(choice, bundles),
  ];
  const byText = new Map<string, number[]>();
  for (const { text, vmids } of found) for (const vmid of vmids) addTo(byText, text, vmid);
  return new Map([...byText].map(([text, vmids]) => [text, [...new Set(vmids)].sort((a, b) => a - b)]));
}
