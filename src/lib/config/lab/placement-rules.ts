/** The rules for groups and pins of users in `placement`. They report and never change anything. */
import { keepsNoPin } from './strategy-names.ts';
import { type Issues, type Path } from '../input/issues.ts';
import { nearest } from '../../nearest.ts';
import type { LabView } from './written-lab.ts';
import { list, mapping, texts } from '../input/written.ts';

interface Member {
  readonly path: Path;
  readonly user: string;
}

type Group = readonly Member[];

function groupsOf({ raw }: LabView, key: 'spread' | 'together'): Group[] {
  return list(mapping(raw['placement'])[key]).map((group, index) =>
    texts(group).map((entry) => ({ path: ['placement', key, index, entry.index], user: entry.text })),
  );
}

interface Pin extends Member {
  readonly nodes: readonly { readonly path: Path; readonly node: string }[];
}

function pinsOf({ raw }: LabView): Pin[] {
  return Object.entries(mapping(mapping(raw['placement'])['pin'])).map(([user, value]) => {
    const path = ['placement', 'pin', user];
    const nodes =
      typeof value === 'string'
        ? [{ path, node: value }]
        : texts(value).map((entry) => ({ path: [...path, entry.index], node: entry.text }));
    return { path, user, nodes };
  });
}

/** Realms are alike for all: only the names tell users apart. */
function nearUser(user: string, users: readonly string[]): string | undefined {
  const nameOf = (userid: string): string => userid.replace(/@[^@]*$/, '');
  const near = nearest(nameOf(user), users.map(nameOf));
  return users.find((userid) => nameOf(userid) === near);
}

function usersAreKnown(lab: LabView, issues: Issues): void {
  const { users } = lab;
  if (!users) return;
  const known = new Set(users);
  const check = ({ path, user }: Member, at: 'key' | 'value'): void => {
    if (user === '' || known.has(user)) return;
    const near = nearUser(user, users);
    const hint =
      near === undefined ? 'write users as the users file does, e.g. anna@pve' : `did you mean ${near}?`;
    issues.add(path, 'the users file has no such user', { value: user, hint, at });
  };
  for (const key of ['spread', 'together'] as const) {
    for (const member of groupsOf(lab, key).flat()) check(member, 'value');
  }
  for (const pin of pinsOf(lab)) check(pin, 'key');
}

function membersAreNamedOnce(lab: LabView, issues: Issues): void {
  for (const group of groupsOf(lab, 'spread')) namedOnce(group, issues, 'the group names the user twice');
  const all = groupsOf(lab, 'together').flat();
  namedOnce(all, issues, 'the user is in `together` twice', 'make one group of both');
}

function namedOnce(members: Group, issues: Issues, message: string, hint = 'remove one of them'): void {
  const seen = new Map<string, Member>();
  for (const member of members) {
    const first = seen.get(member.user);
    if (first) {
      const line = issues.line(first.path);
      issues.add(member.path, `${message} (first on line ${line})`, { value: member.user, hint });
    } else seen.set(member.user, member);
  }
}

function apartAndTogether(lab: LabView, issues: Issues): void {
  const spread = groupsOf(lab, 'spread').map((group) => new Set(group.map(({ user }) => user)));
  for (const group of groupsOf(lab, 'together')) {
    for (const [index, member] of group.entries()) {
      const other = group
        .slice(0, index)
        .find(
          ({ user }) =>
            user !== member.user && spread.some((apart) => apart.has(user) && apart.has(member.user)),
        );
      if (!other) continue;
      issues.add(member.path, `\`spread\` keeps this user apart from ${other.user}, \`together\` does not`, {
        value: member.user,
        hint: 'remove one of the two groups',
      });
    }
  }
}

/** Nodes that a pin can mean, given strategy, `node`, `nodes` and `exclude`. */
function pinsCanBeKept(lab: LabView, issues: Issues): void {
  const placement = mapping(lab.raw['placement']);
  const pins = pinsOf(lab);
  const [first] = pins;
  const { strategy } = placement;
  if (first && keepsNoPin(strategy)) {
    const hint = 'use strategy balanced or smart, or remove pin';
    issues.add(['placement', 'pin'], `strategy ${String(strategy)} follows the templates and keeps no pin`, {
      hint,
      at: 'key',
    });
    return;
  }
  const excluded = new Set(texts(placement['exclude']).map((entry) => entry.text));
  const allowed = texts(placement['nodes']).map((entry) => entry.text);
  const only = typeof placement['node'] === 'string' ? placement['node'] : undefined;
  for (const { nodes } of pins) {
    for (const { path, node } of nodes) {
      const why = excluded.has(node)
        ? 'the node is in exclude'
        : allowed.length > 0 && !allowed.includes(node)
          ? 'the node is not among nodes'
          : only !== undefined && node !== only
            ? `all stands go to ${only}`
            : undefined;
      const hint = 'pin the user to another node, or mend the list';
      if (why !== undefined) issues.add(path, why, { value: node, hint });
    }
  }
}

function togetherShareANode(lab: LabView, issues: Issues): void {
  const pins = new Map(pinsOf(lab).map((pin) => [pin.user, new Set(pin.nodes.map(({ node }) => node))]));
  for (const group of groupsOf(lab, 'together')) {
    let left: Set<string> | undefined;
    for (const { path, user } of group) {
      const own = pins.get(user);
      if (!own) continue;
      const former = left;
      left = former ? new Set([...own].filter((node) => former.has(node))) : own;
      if (left.size > 0) continue;
      issues.add(path, 'the pins of this group leave it no common node', {
        value: user,
        hint: 'pin its users to one node, or remove the group',
      });
      break;
    }
  }
}

export const placementRules: readonly ((lab: LabView, issues: Issues) => void)[] = [
  usersAreKnown,
  membersAreNamedOnce,
  apartAndTogether,
  pinsCanBeKept,
  togetherShareANode,
];
