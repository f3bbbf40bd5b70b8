/**
 * Machines that are made anew under what their students know of them: VMID, name, cards. Which of a stand they are, and
 * the steps by which the former ones go; from then on they are machines that are missing.
 */
import { sealHash } from '../../marks/seal.ts';
import { formatVmMark, parseVmMark } from '../../marks/vm.ts';
import type { KeptMac } from '../../marks/pool.ts';
import { presentNics } from '../../pve-values/nics.ts';
import { makeStep, stepId, type Step } from '../document/step.ts';
import { oursAt } from '../document/steps/place.ts';
import type { Refusal } from '../document/plan.ts';
import type { PresentVm, StandState } from '../stands/state.ts';
import type { Lab, Machine } from '../../config/types.ts';

/** What is done of one stand. */
export interface RecloneStand {
  /** What is made, or finished where it was begun. */
  readonly machines: ReadonlySet<string>;
  /** Of these, what goes first where it is there. */
  readonly anew: ReadonlySet<string>;
  readonly notes?: readonly string[];
  readonly left?: Refusal;
  readonly refused?: Refusal;
}

export interface Reclone {
  /** By user. */
  readonly stands: ReadonlyMap<string, RecloneStand>;
  /** Switch on also what the lab does not. */
  readonly start: boolean;
  /** How long a backup, snapshot or migration of a VM is waited for. */
  readonly lockWaitSeconds: number;
}

/** Cards keep their addresses by the place that they have in the lab. */
function keptMacs({ config, nicShift }: PresentVm): KeptMac[] {
  return presentNics(config.values).flatMap(({ index, mac }) =>
    mac === undefined || index < nicShift ? [] : [{ index: index - nicShift, mac }],
  );
}

/** Its own hash first: of too many the last ones are forgotten. */
function formerSeals({ config, vmid }: PresentVm, seals: readonly string[]): readonly string[] {
  const seal = parseVmMark(config.values['description'] ?? '')?.seal;
  const own = seal === undefined ? undefined : sealHash(seal, vmid);
  return [...seals].sort((a, b) => Number(b === own) - Number(a === own));
}

/** The stand with these machines not there, and what was there of them. */
export function withoutRemade(state: StandState, anew: ReadonlySet<string>): StandState {
  const present = new Map(state.present);
  const open = new Map(state.open);
  const remade = new Map<string, PresentVm>();
  for (const [machine, vm] of state.present) {
    if (!anew.has(machine)) continue;
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
  const place = { ...oursAt(vm, pool), lockWaitSeconds };
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
    { ...oursAt(vm, pool), lockWaitSeconds },
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
