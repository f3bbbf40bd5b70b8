/** Plans going back to a snapshot: where the disks can, and only onto bridges that are the stand's. Pure. */
import type { Inventory, SnapshotInfo } from '../../inventory/types.ts';
import { sortedUnique } from '../../order.ts';
import { shellCommand } from '../../shell.ts';
import { asRoot, moveCommand } from '../../pve-values/admin-commands.ts';
import { bridgesIn } from '../../pve-values/nics.ts';
import { storageTraits } from '../../pve-values/storage-types.ts';
import { volumesOf } from '../../pve-values/volumes.ts';
import type { StandName } from '../cluster/stand-networks.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Plan, Refusal } from '../document/plan.ts';
import { makeStep } from '../document/step.ts';
import { oursAt } from '../document/steps/place.ts';
import type { GuestAt } from '../../pve-values/guest-kinds.ts';
import { nameSome } from '../document/text.ts';
import { judgeSnapshotBridge, type SnapshotBridge } from '../network/snapshot-bridges.ts';
import type { StandView } from '../stands/selected.ts';
import { selectedClaims } from '../stands/selection.ts';
import { isReady, machineKey, sayMachine, type ReadyMachine } from './machines.ts';
import { baselineOf, isOurs, ownerOf, type Baselines, type SnapshotLists } from '../stands/snapshots.ts';
import { sayReclone } from './reclone-hint.ts';
import { snapshotsUnreadable } from './snapshot-refusals.ts';
import { snapshotPlan, type SnapshotsInput } from './snapshots.ts';
import { planEachMachine, type MachineWork } from './stand-work.ts';

export interface RollbackInput extends SnapshotsInput {
  /** VMID → the configuration in the snapshot that it goes back to. */
  readonly saved: ReadonlyMap<number, Readonly<Record<string, string>>>;
  readonly vnets: readonly string[];
  readonly hidden: Inventory['hidden'];
}

export interface RollbackOptions {
  /** Absent: the baseline of each machine. */
  readonly to?: string;
  /** Switch on also what was off. */
  readonly start: boolean;
}

export interface RollbackTarget extends GuestAt {
  readonly snapshot: string;
}

type Lists = { readonly snapshots: SnapshotLists; readonly baselines: Baselines };

function targetOf(
  one: ReadyMachine,
  { to }: RollbackOptions,
  { snapshots, baselines }: Lists,
): string | undefined {
  const list = snapshots.get(one.vmid) ?? [];
  if (to !== undefined) return list.find(({ name }) => name === to)?.name;
  return baselineOf(list, one.vmid, baselines.get(one.machine ?? ''));
}

/** Whose configurations have to be read before it can be planned. */
export function rollbackTargets(
  stands: readonly StandView[],
  options: RollbackOptions,
  lists: Lists,
): RollbackTarget[] {
  return stands.flatMap(({ machines }) =>
    machines.filter(isReady).flatMap((one) => {
      const snapshot = one.isSelected ? targetOf(one, options, lists) : undefined;
      return snapshot === undefined ? [] : [{ ...one.guest, snapshot }];
    }),
  );
}

interface Aimed {
  readonly view: StandView;
  readonly one: ReadyMachine;
  readonly target: SnapshotInfo | undefined;
}

/** Those whose snapshots are known, with the one that they go back to. */
function aimed(options: RollbackOptions, input: RollbackInput): Aimed[] {
  return input.stands.flatMap((view) =>
    view.machines.filter(isReady).flatMap((one) => {
      const list = one.isSelected ? input.snapshots.get(one.vmid) : undefined;
      if (!list) return [];
      const name = targetOf(one, options, input);
      return [{ view, one, target: list.find((each) => each.name === name) }];
    }),
  );
}

/** One command for all that have nothing to go back to, since most often the whole class has not. */
function recloneOfMissing(options: RollbackOptions, input: RollbackInput): string {
  const lacking = aimed(options, input).filter(({ target }) => target === undefined);
  return sayReclone(lacking, { words: input.words, of: input.stands });
}

/** A baseline that was deleted, and another one taken under its name: going back to that is no reset. */
function unmarkedWarnings(options: RollbackOptions, input: RollbackInput): string[] {
  if (options.to !== undefined) return [];
  const unmarked = aimed(options, input).filter(
    ({ one, target }) => target !== undefined && !isOurs(target, one.vmid),
  );
  if (unmarked.length === 0) return [];
  const names = sortedUnique(unmarked.map(({ target }) => `"${target?.name ?? ''}"`)).join(', ');
  const machines = nameSome(unmarked.map(({ view, one }) => `${view.user} ${sayMachine(one)}`));
  return [
    `snapshot ${names} of ${machines} has no mark of deploy-stand: unless version 0.1.0 took it, its student did, and what it shows need not be the beginning; ${sayReclone(unmarked, { words: input.words, of: input.stands })} makes them anew as they were handed out`,
  ];
}

function missingRefusal(
  one: ReadyMachine,
  list: readonly SnapshotInfo[],
  { to, reclone }: { readonly to: string | undefined; readonly reclone: string },
): Refusal {
  const there = list.length === 0 ? 'it has none' : `it has ${list.map(({ name }) => name).join(', ')}`;
  return {
    code: 'SNAPSHOT_MISSING',
    message: `${sayMachine(one)} has no ${to === undefined ? 'baseline' : `snapshot ${to}`} to go back to: ${there}`,
    hint: `${to === undefined ? 'name one with --to' : 'name one that it has'}, or clone anew what has none: ${reclone}`,
  };
}

/** Taken after the one to go back to, on disks that only go back to the newest. */
function cameLater(
  one: ReadyMachine,
  target: string,
  { snapshots, index: { storages } }: RollbackInput,
): readonly SnapshotInfo[] {
  const list = snapshots.get(one.vmid) ?? [];
  const disk = volumesOf(one.config.values).find(
    ({ kind, storage }) =>
      kind === 'disk' && storageTraits(storages.get(`${one.guest.node}/${storage}`)?.type ?? '').newestOnly,
  );
  return disk ? list.slice(list.findIndex(({ name }) => name === target) + 1) : [];
}

const isOfStudent = (each: SnapshotInfo, one: ReadyMachine, { baselines }: RollbackInput): boolean =>
  ownerOf(each, one.vmid, baselines.get(one.machine ?? '')) === 'student';

/** Lab and snapshot of ours → the one command that takes it out of the way of all these stands. */
type Clearing = ReadonlyMap<string, string>;

function clearingOf(input: RollbackInput, options: RollbackOptions): Clearing {
  const { stands, index } = input;
  const users = new Map<string, Set<string>>();
  for (const { user, claim, machines } of stands) {
    for (const one of machines.filter(isReady)) {
      const target = one.isSelected ? targetOf(one, options, input) : undefined;
      const later = target === undefined ? [] : cameLater(one, target, input);
      for (const { name } of later.filter((each) => !isOfStudent(each, one, input))) {
        const key = `${claim.lab} ${name}`;
        users.set(key, (users.get(key) ?? new Set<string>()).add(user));
      }
    }
  }
  return new Map(
    [...users].map(([key, of]) => {
      const [lab = '', name = ''] = key.split(' ');
      const isAll = selectedClaims({ lab }, index.marks).every(({ user }) => of.has(user));
      const only = isAll ? [] : [...of].flatMap((user) => ['--user', user]);
      return [key, `\`${shellCommand('deploy-stand', 'snapshot', 'delete', name, '--lab', lab, ...only)}\``];
    }),
  );
}

/** What ZFS would have to drop. */
function newerRefusal(
  view: StandView,
  one: ReadyMachine,
  { target, clearing }: { readonly target: string; readonly clearing: Clearing },
  input: RollbackInput,
): Refusal | undefined {
  const newer = cameLater(one, target, input);
  if (newer.length === 0) return undefined;
  const ofStudent = newer.filter((each) => isOfStudent(each, one, input));
  const say = newer
    .map((each) => `${each.name} (${ofStudent.includes(each) ? "the student's" : 'ours'})`)
    .join(', ');
  const deletes = newer.flatMap(({ name }) => clearing.get(`${view.claim.lab} ${name}`) ?? []);
  const anew = sayReclone([{ view, one }], {
    words: input.words,
    flags: ['--discard-snapshots'],
  });
  return {
    code: 'SNAPSHOT_NOT_NEWEST',
    message: `${sayMachine(one)} cannot go back to ${target}: ZFS goes back to the newest snapshot only, and ${say} came later`,
    hint: [
      ...(ofStudent.length > 0
        ? [`let the student delete the own ones, or clone it anew without them: ${anew}`]
        : []),
      ...(deletes.length > 0 ? [`delete ours with ${deletes.join(' and ')}`] : []),
    ].join('; '),
  };
}

function sayBridge(iface: string, node: string, why: SnapshotBridge): string {
  switch (why.code) {
    case 'other-stand':
      return `${iface}, which on ${node} belongs to the stand of ${why.user} in lab ${why.lab} by now`;
    case 'unmarked':
      return `${iface}, which on ${node} is somebody else's by now`;
    case 'missing':
      return `${iface}, which ${node} does not have`;
    case 'unseen':
      return `${iface}, which the caller is not shown`;
  }
}

/** A machine that its student moved away from the networks of its stand: no deploy makes them where it is now. */
function homeOf(iface: string, isOwn: (stand: StandName) => boolean, { standBridges }: ClusterView) {
  const marked = [...standBridges.values()].flat();
  return marked.find((network) => network.info.iface === iface && isOwn(network))?.node;
}

function wayOutOf(codes: ReadonlySet<SnapshotBridge['code']>, back: string, reclone: string): string {
  const isOthers = codes.has('other-stand') || codes.has('unmarked');
  const anew = `clone it anew: ${reclone}`;
  return [
    ...(isOthers ? [anew] : codes.has('missing') ? [`${back}; or ${anew}`] : []),
    ...(codes.has('unseen')
      ? ['SDN.Audit on /sdn/zones/localnetwork, with propagation, shows it and whose it is']
      : []),
  ].join('; ');
}

function bridgeRefusal(
  view: StandView,
  one: ReadyMachine,
  { target, bridges }: { readonly target: string; readonly bridges: readonly string[] },
  { index, vnets, hidden, words }: RollbackInput,
): Refusal | undefined {
  const { node, status } = one.guest;
  const isOwn = ({ user, lab }: StandName) => user === view.user && lab === view.claim.lab;
  const place = {
    ...{ bridges: index.bridges.get(node), isOwn },
    named: new Set(bridgesIn(one.config.values)),
    vnets: new Set(vnets),
    isShort: hidden?.bridges === true,
  };
  const wrong = bridges.flatMap((iface) => {
    const why = judgeSnapshotBridge(iface, place);
    return why ? [{ iface, why }] : [];
  });
  if (wrong.length === 0) return undefined;
  const home = wrong
    .filter(({ why }) => why.code === 'missing')
    .flatMap(({ iface }) => homeOf(iface, isOwn, index) ?? [])[0];
  const back =
    home === undefined
      ? 'deploy again, which makes bridges of the stand that are missing'
      : `the networks of the stand are on ${home}: move it back (${asRoot(one.guest, moveCommand(one.guest, home, status !== 'stopped'))}), then run again`;
  return {
    code: 'SNAPSHOT_BRIDGE',
    message: `${sayMachine(one)} does not go back to ${target}: it would be plugged into ${wrong.map(({ iface, why }) => sayBridge(iface, node, why)).join(', and ')}`,
    hint: wayOutOf(new Set(wrong.map(({ why }) => why.code)), back, sayReclone([{ view, one }], { words })),
  };
}

interface How {
  readonly options: RollbackOptions;
  readonly clearing: Clearing;
  /** The way out of machines that have nothing to go back to. */
  readonly reclone: string;
}

function planOne(
  view: StandView,
  one: ReadyMachine,
  { options, clearing, reclone }: How,
  input: RollbackInput,
): MachineWork {
  const { snapshots, saved, lockWaitSeconds } = input;
  const list = snapshots.get(one.vmid);
  if (!list) return { refused: snapshotsUnreadable(one) };
  const target = targetOf(one, options, input);
  if (target === undefined) return { refused: missingRefusal(one, list, { to: options.to, reclone }) };
  const config = saved.get(one.vmid);
  if (!config) return { refused: snapshotsUnreadable(one) };
  const bridges = [...new Set(bridgesIn(config))].sort();
  const refused =
    newerRefusal(view, one, { target, clearing }, input) ??
    bridgeRefusal(view, one, { target, bridges }, input);
  if (refused) return { refused };
  return {
    steps: [
      makeStep(
        'vm.rollback',
        machineKey(view, one),
        {
          user: view.user,
          reason: options.to === undefined ? 'the state it was handed out in' : 'asked for',
        },
        {
          ...oursAt(one.guest, view.pool),
          ...{ snapshot: target, bridges },
          power: options.start ? 'start' : 'keep',
          lockWaitSeconds,
        },
      ),
    ],
  };
}

/** Throws PlanRefusedError where nothing can go back. */
export function planRollback(
  command: 'snapshot' | 'reset',
  input: RollbackInput,
  options: RollbackOptions,
): Plan {
  const how = {
    ...{ options, clearing: clearingOf(input, options) },
    reclone: recloneOfMissing(options, input),
  };
  const work = planEachMachine(input.stands, input.index, (view, one) => planOne(view, one, how, input));
  const of = command === 'reset' ? { command } : { command, action: 'rollback' as const };
  const warnings = [...input.gaps, ...unmarkedWarnings(options, input)];
  return snapshotPlan(of, { stands: input.stands, warnings }, work);
}
