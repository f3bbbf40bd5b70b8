/** Why guests of VMmanager 6 stay, and nodes are no targets: one named rule each. The first that speaks counts. */
import type { RejectionCode } from '../../document/balance-report.ts';
import { isActive, type ClusterGuest, type World } from './world.ts';
import type { Constraints, Obstacle, Purpose } from '../core/constraints.ts';
import * as core from '../core/rules/guest-rules.ts';
import { ofGuests } from '../core/rules/target-rules.ts';

type GuestRule = (guest: ClusterGuest, world: World, purpose: Purpose) => string | undefined;

function state({ seen }: ClusterGuest): string | undefined {
  return isActive(seen) ? undefined : `does not run (${seen.state ?? 'its state is not told'})`;
}

function switchedOff({ seen: { balancer } }: ClusterGuest, { guests }: World): string | undefined {
  if (balancer === 'off') return 'balancing is off for it in VMmanager';
  if (balancer === 'on') return undefined;
  // A version without the field leaves the choice to balance.yml; one guest without it is one that nobody switched on.
  const isKnown = [...guests.values()].some(({ seen }) => seen.balancer !== undefined);
  return isKnown ? 'VMmanager does not tell that balancing is on for it' : undefined;
}

function disabled({ seen: { isDisabled, isRescue } }: ClusterGuest): string | undefined {
  if (isDisabled) return 'is switched off by an administrator';
  return isRescue ? 'runs its rescue system' : undefined;
}

function iso({ seen: { hasIso } }: ClusterGuest): string | undefined {
  return hasIso ? 'has an ISO mounted' : undefined;
}

function snapshots({ seen }: ClusterGuest): string | undefined {
  if (seen.snapshots === 0) return undefined;
  return `has ${seen.snapshots} ${seen.snapshots === 1 ? 'snapshot' : 'snapshots'}`;
}

const GUEST_RULES: readonly (readonly [code: RejectionCode, rule: GuestRule])[] = [
  ['ignored', core.ignored],
  ['contradiction', core.contradicted],
  ['excluded', core.sourceExcluded],
  ['offline', core.sourceOffline],
  ['busy', core.busy],
  ['state', state],
  ['balancer-off', switchedOff],
  ['disabled', disabled],
  ['iso', iso],
  ['snapshots', snapshots],
  ['cooldown', core.cooldown],
  ['blacklist', core.blacklisted],
  ['veto', core.vetoed],
];

function guestObstacle(guest: ClusterGuest, world: World, purpose: Purpose): Obstacle | undefined {
  for (const [code, rule] of GUEST_RULES) {
    const text = rule(guest, world, purpose);
    if (text !== undefined) return { code, text };
  }
  return undefined;
}

/** The number before what a distribution adds: `7.1.0-1ubuntu1`. */
function versionOf(text: string | undefined): number[] | undefined {
  const number = /^\d+(?:\.\d+)*/.exec(text?.trim() ?? '')?.[0];
  return number?.split('.').map(Number);
}

function isOlder(one: string | undefined, other: string | undefined): boolean {
  const [a, b] = [versionOf(one), versionOf(other)];
  if (!a || !b) return false;
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Obstacles that time does not take away. */
const LASTING = new Set<RejectionCode>(['balancer-off', 'iso', 'snapshots']);

export function constraintsOn(world: World): Constraints {
  const seenOf = (vmid: number): ClusterGuest | undefined => world.guests.get(vmid);
  return {
    ofUnit: (unit, purpose) => {
      for (const { vmid } of unit.guests) {
        const guest = seenOf(vmid);
        const obstacle = guest && guestObstacle(guest, world, purpose);
        if (!obstacle) continue;
        const label = world.labels.get(vmid) ?? '';
        return unit.kind === 'guest' ? obstacle : { ...obstacle, text: `${label} ${obstacle.text}` };
      }
      return undefined;
    },
    ofNode: ({ target: { name } }) => {
      const node = world.nodes.get(name)?.seen;
      if (node?.online !== true) return { code: 'offline', text: 'is not active' };
      if (node.maintenance) return { code: 'maintenance', text: 'is in maintenance' };
      return node.creationBlocked ? { code: 'closed', text: 'takes no virtual machines' } : undefined;
    },
    ofMove: (unit, { target }) => {
      const there = world.nodes.get(target.name)?.seen.qemuVersion;
      const text = ofGuests({ unit, world }, ({ node }) => {
        const here = world.nodes.get(node)?.seen.qemuVersion;
        return isOlder(there, here)
          ? `has QEMU ${there ?? ''}, older than ${here ?? ''} of ${node}`
          : undefined;
      });
      return text === undefined ? undefined : { code: 'version', text };
    },
    lasting: LASTING,
  };
}
