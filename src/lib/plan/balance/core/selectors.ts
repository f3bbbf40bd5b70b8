/** Which guests the rules of balance.yml choose. */
import { isLike } from '../../../glob.ts';
import { addTo } from '../../../group.ts';
import { findContradictions, type Choice, type GroupIndex } from './contradictions.ts';
import type { GuestRule, GuestSelector, PinRule } from '../../../config/balance/types.ts';
import type { Guest, Policy } from './types.ts';

interface Compiled<R extends GuestRule> {
  readonly rule: R;
  readonly matches: (guest: Guest) => boolean;
}

function compile<R extends GuestRule>(rule: R): Compiled<R> {
  const { tags, pools, vmids, names }: GuestSelector = rule.guests;
  return {
    rule,
    matches: (guest) =>
      guest.tags.some((tag) => tags.includes(tag)) ||
      (guest.pool !== undefined && pools.includes(guest.pool)) ||
      vmids.some(({ first, last }) => guest.vmid >= first && guest.vmid <= last) ||
      names.some((name) => isLike(name, (guest.name ?? '').toLowerCase())),
  };
}

export interface RuleIndex extends Choice {
  /** Guest → name of the rule. */
  readonly ignored: ReadonlyMap<number, string>;
  /** Rules that cannot all hold, in words → the guests that they are about. */
  readonly contradictions: ReadonlyMap<string, readonly number[]>;
  /** Guest → the first of these words. */
  readonly contradicted: ReadonlyMap<number, string>;
}

function groupsOf(rules: readonly GuestRule[], guests: readonly Guest[]): GroupIndex {
  const of = new Map<number, number[]>();
  const groups = rules.map(compile).map(({ rule, matches }, index) => {
    const vmids = guests.filter(matches).map(({ vmid }) => vmid);
    for (const vmid of vmids) addTo(of, vmid, index);
    return { name: rule.name, vmids };
  });
  return { groups, of };
}

/** `guests`: in ascending order, without templates. */
export function indexRules(config: Policy, guests: readonly Guest[]): RuleIndex {
  const ignored = new Map<number, string>();
  for (const { rule, matches } of config.ignore.map(compile)) {
    for (const guest of guests.filter(matches))
      if (!ignored.has(guest.vmid)) ignored.set(guest.vmid, rule.name);
  }
  const pins = new Map<number, PinRule[]>();
  for (const { rule, matches } of config.pin.map(compile)) {
    for (const guest of guests.filter(matches)) addTo(pins, guest.vmid, rule);
  }
  const choice: Choice = {
    pins,
    affinity: groupsOf(config.affinity, guests),
    antiAffinity: groupsOf(config.antiAffinity, guests),
  };
  const contradictions = findContradictions(choice, guests, config);
  const contradicted = new Map<number, string>();
  for (const [text, vmids] of contradictions)
    for (const vmid of vmids) if (!contradicted.has(vmid)) contradicted.set(vmid, text);
  return { ...choice, ignored, contradictions, contradicted };
}
