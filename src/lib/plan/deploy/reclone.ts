/**
 * Machines that are made anew under what their students know of them: VMID, name, cards. Which of a stand they are, and
 * the steps by which the former ones go; from then on they are machines that are missing.
 */
import { sealHash } from '../../marks/seal.ts';
import { formatVmMark, parseVmMark } from '../../marks/vm.ts';
import type { KeptMac } from '../../marks/pool.ts';
import { presentNics } from '../../pve-values/nics.ts';
import { viewOf, type ClusterView } from '../cluster/view.ts';
import { isFresh } from '../cluster/replicas.ts';
import { shellCommand } from '../../shell.ts';
import { makeStep, stepId, type Step } from '../document/step.ts';
import type { Refusal } from '../document/plan.ts';
import { readStandState, type PresentVm, type StandState } from '../stands/state.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';
import { resolveMachines } from '../templates/find.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { Lab, Machine, User } from '../../config/types.ts';
import { fixedWishes } from './fixed-wishes.ts';

/** What is made anew of one stand. */
export interface RecloneStand {
  readonly machines: ReadonlySet<string>;
  readonly left?: Refusal;
  readonly refused?: Refusal;
}

export interface Reclone {
  /** By user. */
  readonly stands: ReadonlyMap<string, RecloneStand>;
  /** Only what was made from another template, or from an older state of it. */
  readonly outdated: boolean;
  /** Switch on also what the lab does not. */
  readonly start: boolean;
  /** How long a backup, snapshot or migration of a VM is waited for. */
  readonly lockWaitSeconds: number;
}

/** Was it made from what it would be made from now? What its notes do not tell any more counts as yes. */
export function isOutdated(lab: Lab, resolved: ResolvedMachine, vm: PresentVm, index: ClusterView): boolean {
  const { candidates } = resolved;
  if (vm.spec === undefined) return false;
  if (fixedWishes(lab, resolved, vm).length > 0) return true;
  const mark = parseVmMark(vm.config.values['description'] ?? '');
  if (mark?.from !== undefined && !candidates.some(({ digest }) => isMadeFrom(mark.from, digest)))
    return true;
  const replica = index.replicas.find(({ claim }) => claim.vmid === mark?.base);
  return replica !== undefined && !candidates.some((candidate) => isFresh(replica, candidate));
}

/**
 * Of what is left as it is, machines whose notes do not say what they were made from: 0.1.0 wrote it into none, and a student
 * who may write notes takes it out. With `--outdated` they are told, since one that is made anew might be meant.
 */
export function untoldNotes(
  { present }: StandState,
  machines: ReadonlySet<string>,
  { lab, user, outdated }: { readonly lab: string; readonly user: string; readonly outdated: boolean },
): string[] {
  if (!outdated) return [];
  return [...present].flatMap(([machine, { vmid, config }]) => {
    if (!machines.has(machine)) return [];
    if (parseVmMark(config.values['description'] ?? '')?.from !== undefined) return [];
    const whose = ['-c', 'lab.yml', '--user', user, '--machine', machine];
    const anew = shellCommand('deploy-stand', 'reset', '--reclone', ...whose);
    return [
      `the notes of VM ${vmid} (${machine}) do not say from which template it was made, so that nobody knows whether it is outdated: it stays; \`${anew}\` makes it anew (lab.yml: the file of lab ${lab})`,
    ];
  });
}

/** By user, machines that are as they would be made now. */
export function currentMachines(
  lab: Lab,
  users: readonly User[],
  have: Inventory,
): ReadonlyMap<string, ReadonlySet<string>> {
  const index = viewOf(have);
  const resolved = resolveMachines(lab, have, index);
  return new Map(
    users.map((user) => {
      const { present } = readStandState(user, lab, index, { adopt: false });
      const names = resolved.flatMap((one) => {
        const vm = present.get(one.machine.name);
        return vm && !isOutdated(lab, one, vm, index) ? [one.machine.name] : [];
      });
      return [user.userid, new Set(names)] as const;
    }),
  );
}

const DIGEST_DIGITS = 12;

/** What a machine's notes say of the template that it was made from: any edit of its configuration makes another one. */
export function madeFrom(digest: string): string {
  return digest.slice(0, DIGEST_DIGITS);
}

function isMadeFrom(from: string | undefined, digest: string): boolean {
  return from === madeFrom(digest);
}

/** Cards keep their addresses by the place that they have in the lab. */
function keptMacs({ config, nicShift }: PresentVm): KeptMac[] {
  return presentNics(config.values).flatMap(({ index, mac }) =>
    mac === '' || index < nicShift ? [] : [{ index: index - nicShift, mac }],
  );
}

/** Its own hash first: of too many the last ones are forgotten. */
function formerSeals({ config, vmid }: PresentVm, seals: readonly string[]): readonly string[] {
  const seal = parseVmMark(config.values['description'] ?? '')?.seal;
  const own = seal === undefined ? undefined : sealHash(seal, vmid);
  return [...seals].sort((a, b) => Number(b === own) - Number(a === own));
}

/** The stand with these machines not there, and what was there of them. */
export function withoutRemade(state: StandState, isRemade: (machine: string) => boolean): StandState {
  const present = new Map(state.present);
  const open = new Map(state.open);
  const remade = new Map<string, PresentVm>();
  for (const [machine, vm] of state.present) {
    if (!isRemade(machine)) continue;
    const claimed = state.claim?.machines.find(({ vmid }) => vmid === vm.vmid);
    present.delete(machine);
    remade.set(machine, vm);
    open.set(machine, {
      vmid: vm.vmid,
      seals: vm.isJoined ? [] : formerSeals(vm, claimed?.seals ?? []),
      isInFlight: false,
      // It goes because it was asked for.
      wasMade: false,
      macs: claimed?.macs ?? keptMacs(vm),
    });
  }
  return { ...state, present, open, remade };
}

interface Removal {
  readonly lab: Lab;
  readonly machine: Machine;
  readonly vm: PresentVm;
  readonly state: StandState;
  readonly lockWaitSeconds: number;
}

/** Before its claim is rewritten: from then on it is known by its seal alone. */
export function stepsBeforeClaim({ lab, machine, vm, state, lockWaitSeconds }: Removal): Step[] {
  const { userid, pool } = state.user;
  const key = `${pool}/${machine.name}`;
  const place = { node: vm.node, vmid: vm.vmid, pool, lockWaitSeconds };
  const stops =
    vm.power === 'stopped'
      ? []
      : [makeStep('vm.stop', key, { user: userid, reason: 'it is cloned anew' }, place)];
  if (!vm.isJoined) return stops;
  const mark = { lab: lab.name, user: userid, machine: machine.name, vmid: vm.vmid };
  return [
    ...stops,
    makeStep(
      'vm.seal',
      key,
      {
        user: userid,
        reason: 'by this it is known until it is gone',
        dependsOn: stops.map(({ id }) => id),
      },
      { ...place, description: formatVmMark(mark) },
    ),
  ];
}

export function deleteFormer({ machine, vm, state, lockWaitSeconds }: Removal): Step {
  const { userid, pool } = state.user;
  return makeStep(
    'vm.delete',
    `${pool}/${machine.name}`,
    {
      user: userid,
      reason: 'it is cloned anew',
      dependsOn: [stepId('pool.update', pool)],
    },
    { node: vm.node, vmid: vm.vmid, pool, lockWaitSeconds },
  );
}

/** As many removals as run at once, and a few: when the last of a plan have ended, so have those before. */
const LAST = 8;

/**
 * A removal takes the locks of its storages and, at its end, that of user.cfg, and gives up on each after 10 s with a disk or a
 * rest that only root can remove. So none begins before all claims are written, and nothing is cloned, nor does a stand join,
 * before they have ended.
 */
export function keepApart(steps: readonly Step[]): Step[] {
  const claims = steps.filter(({ kind }) => kind === 'pool.update').map(({ id }) => id);
  const deletes = steps.filter(({ kind }) => kind === 'vm.delete').map(({ id }) => id);
  const [lastClaim, lastDeletes] = [claims.slice(-1), deletes.slice(-LAST)];
  const isLater = ({ kind }: Step): boolean =>
    kind === 'vm.clone' || kind === 'pool.join' || kind === 'acl.grant';
  return steps.map((step) => {
    const more = step.kind === 'vm.delete' ? lastClaim : isLater(step) ? lastDeletes : [];
    const known = new Set([...step.after, ...step.dependsOn]);
    const after = [...step.after, ...more.filter((id) => !known.has(id))].sort();
    return { ...step, after };
  });
}
