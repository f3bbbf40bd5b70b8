/** Over random clusters: what one command's plan touches or counts as ours, no other command calls somebody else's, or lets stay. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBalance } from '../../src/lib/config/balance/balance.ts';
import type { BalanceInventory } from '../../src/lib/inventory/balance-types.ts';
import type { Inventory } from '../../src/lib/inventory/types.ts';
import { createWorld } from '../../src/lib/plan/balance/pve/world.ts';
import type { CleanupOptions, CleanupSelection } from '../../src/lib/plan/cleanup/context.ts';
import { planCleanup } from '../../src/lib/plan/cleanup/cleanup.ts';
import { planDeploy } from '../../src/lib/plan/deploy/deploy.ts';
import { viewOf as clusterView } from '../../src/lib/plan/cluster/view.ts';
import { machinesIn } from '../../src/lib/plan/stands/judge.ts';
import type { Plan } from '../../src/lib/plan/document/plan.ts';
import { runs } from '../runs.ts';
import { lab, machine, real, user } from './builders.ts';
import { worlds, type World } from './cleanup/world.ts';

const LABS = ['net', 'dmz', 'old'];
const USERS = ['anna', 'boris', 'dora'].map((name) => user(name));
const OPTIONS: CleanupOptions = {
  ...{ keepUsers: false, adopt: false, includeMembers: false, forceProtected: true },
  ...{ lockWaitSeconds: 600, minAgeSeconds: 0 },
};

/** What one command says of the guests. */
interface View {
  readonly command: string;
  /** Written to, or counted as a machine of a stand. */
  readonly ours: ReadonlySet<number>;
  readonly removed: ReadonlySet<number>;
  readonly foreign: ReadonlySet<number>;
  /** Machines that are removed by hand only. */
  readonly stays: ReadonlySet<number>;
}

const TOUCHING: ReadonlySet<string> = new Set([
  ...['vm.configure', 'vm.start', 'vm.stop', 'vm.delete', 'vm.unprotect', 'vm.snapshot', 'ha.remove'],
]);

const idsIn = (texts: readonly string[], pattern: RegExp): number[] =>
  texts.flatMap((text) => [...text.matchAll(pattern)].map(([, vmid]) => Number(vmid)));

function viewOf(command: string, plan: Plan): View {
  const made = new Set(plan.steps.flatMap((step) => (step.kind === 'vm.clone' ? [step.vmid] : [])));
  const touched = plan.steps.flatMap((step) =>
    TOUCHING.has(step.kind) && 'vmid' in step && !made.has(step.vmid) ? [step.vmid] : [],
  );
  const counted = plan.stands.flatMap(({ vms }) => vms).filter(({ state }) => state !== 'new');
  const notes = plan.stands.flatMap((stand) => stand.notes);
  // A clone waits at a number that is its own; only one at another's would be a second guest there.
  return {
    command,
    ours: new Set([
      ...touched,
      ...counted.filter(({ state }) => state !== 'staying').map(({ vmid }) => vmid),
    ]),
    removed: new Set(plan.steps.flatMap((step) => (step.kind === 'vm.delete' ? [step.vmid] : []))),
    foreign: new Set(
      idsIn(notes, /(?:guest|container) (\d+) on \S+ has an id that was claimed, but is not ours/g),
    ),
    stays: new Set(counted.filter(({ state }) => state === 'staying').map(({ vmid }) => vmid)),
  };
}

/** Undefined: it refuses the whole class. */
function planned(command: string, make: () => Plan): View[] {
  try {
    return [viewOf(command, make())];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code !== 'INTERNAL') return [];
    throw error;
  }
}

const SELECTIONS: readonly CleanupSelection[] = [
  ...LABS.map((name) => ({ by: 'stands' as const, lab: name })),
  ...LABS.map((name) => ({
    by: 'stands' as const,
    lab: name,
    labMachines: [machine('pc', [])],
    users: USERS,
  })),
  { by: 'stands', users: USERS.map(({ userid }) => ({ userid })) },
  { by: 'expired' },
  { by: 'orphans' },
];

function balanceView({ guests, vms, pools, acls, networks, nodes, version, now, storages }: Inventory): View {
  const have = {
    ...{ guests, pools, acls, networks, nodes, version, now, storages, configs: vms },
    ...{ vnets: [], running: [], bridgeUse: [], bridgeUseNodes: [], haRules: [], haAutoRebalance: false },
    ...{ migrations: [], historyFrom: {}, tasks: [], gaps: [] },
  } as unknown as BalanceInventory; // nobody asks for loads here
  const { config } = parseBalance('{}', 'balance.yml');
  const { stands } = createWorld({ have, config, evacuate: [], vetoes: [] });
  const none: ReadonlySet<number> = new Set();
  return { command: 'balance', ours: new Set(stands.keys()), removed: none, foreign: none, stays: none };
}

/** What is counted of each student, and handed out. */
function listView(have: Inventory): View {
  const index = clusterView(have);
  const ours = [...index.marks.keys()].flatMap((pool) =>
    machinesIn(pool, index).map(({ guest }) => guest.vmid),
  );
  const none: ReadonlySet<number> = new Set();
  return { command: 'users list', ours: new Set(ours), removed: none, foreign: none, stays: none };
}

function viewsOf({ have }: World): View[] {
  const machines = ['pc', 'eco'].map((name) => machine(name, [real('vmbr0')], { start: true }));
  return [
    ...SELECTIONS.flatMap((selection) =>
      planned(`cleanup ${JSON.stringify(selection)}`, () =>
        planCleanup({ have, selection, options: OPTIONS }),
      ),
    ),
    ...LABS.flatMap((name) =>
      planned(`deploy ${name}`, () =>
        planDeploy({
          lab: lab(machines, { name }),
          users: USERS,
          have,
          options: { adopt: false, updateRunning: true },
        }),
      ),
    ),
    balanceView(have),
    listView(have),
  ];
}

test('no command touches what another calls foreign, or removes what another lets stay', () => {
  const seen = { ours: 0, removed: 0, foreign: 0, stays: 0 };
  fc.assert(
    fc.property(worlds, (world) => {
      const views = viewsOf(world);
      const clashes = views.flatMap((one) =>
        views.flatMap((other) => [
          ...[...one.ours]
            .filter((vmid) => other.foreign.has(vmid))
            .map((vmid) => `${one.command} counts ${vmid} as ours, ${other.command} calls it foreign`),
          ...[...one.removed]
            .filter((vmid) => other.stays.has(vmid))
            .map((vmid) => `${one.command} removes ${vmid}, ${other.command} lets it stay`),
        ]),
      );
      expect(clashes).toEqual([]);
      const strangers = views.flatMap(({ command, ours }) =>
        [...ours].filter((vmid) => world.guests.get(vmid) === 'foreign').map((vmid) => `${command}: ${vmid}`),
      );
      expect(strangers).toEqual([]);
      for (const view of views) {
        for (const key of ['ours', 'removed', 'foreign', 'stays'] as const) seen[key] += view[key].size;
      }
    }),
    runs(50, 5000),
  );
  // Commands that never disagree because they never speak would prove nothing.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
});
