/** What a saved plan may take over: what `--adopt`, given again with the plan, would take over itself. Plans nothing. */
import type { Lab, User } from '../config/types.ts';
import type { Inventory } from '../inventory/types.ts';
import { findAdoptedBridges } from './network/adopted.ts';
import type { HaveIndex } from './have-index.ts';
import { parseBridgeMark } from '../marks/bridge.ts';
import { parseVmMark, withVmMark } from '../marks/vm.ts';
import type { PoolMark } from '../marks/pool.ts';
import { sortedUnique } from '../order.ts';
import { ADOPTED_SPEC } from './spec.ts';
import { readStandState, type PresentVm, type StandState } from './stand-state.ts';
import type { StepOf } from './document/step.ts';

interface Class {
  readonly lab: Lab;
  readonly user: User;
  readonly adopt: boolean;
  readonly have: Inventory;
  readonly index: HaveIndex;
}

export interface Takeover {
  readonly lab: Lab;
  readonly user: User;
  readonly have: Inventory;
  readonly index: HaveIndex;
  readonly state: StandState;
  /** By VMID; empty without `--adopt`, and when a doubt refuses the stand. */
  readonly vms: ReadonlyMap<number, PresentVm>;
}

export function readTakeover({ lab, user, adopt, have, index }: Class): Takeover {
  const state = readStandState(user, lab, index, { adopt });
  const present = adopt && !state.refused ? [...state.present.values()] : [];
  const vms = new Map(present.filter((vm) => vm.takenOver).map((vm) => [vm.vmid, vm]));
  return { lab, user, have, index, state, vms };
}

/** The mark and nothing else, in the notes as they are now. */
export function ofMark(step: StepOf<'vm.mark'>, { lab, user, state, vms }: Takeover): string | undefined {
  const { vmid, pool, node, description, newDescription } = step;
  const vm = vms.get(vmid);
  if (!vm || pool !== user.pool || node !== vm.node) return `VM ${vmid} is not to be taken over`;
  const { machine = '' } = parseVmMark(newDescription) ?? {};
  const mark = { lab: lab.name, user: user.userid, machine, vmid, spec: ADOPTED_SPEC };
  const isPlain =
    state.present.get(machine) === vm &&
    description === (vm.config.values['description'] ?? '') &&
    newDescription === withVmMark(description, mark);
  return isPlain ? undefined : `VM ${vmid} would get other notes than the mark of its machine`;
}

/** A bridge without a mark that becomes the stand's. */
export function ofNewBridge(
  { node, bridge, comment, newComment = '' }: StepOf<'bridge.update'>,
  { lab, user, state, have, index, vms }: Takeover,
): string | undefined {
  const found =
    vms.size === 0 ? new Map<string, never>() : findAdoptedBridges({ lab, state, node, have, index });
  const mark = parseBridgeMark(bridge, newComment);
  const isStands =
    !('code' in found) &&
    mark?.kind === 'stand' &&
    mark.lab === lab.name &&
    mark.user === user.userid &&
    found.get(mark.net)?.iface === bridge &&
    found.get(mark.net)?.comments === comment &&
    [...vms.values()].some((vm) => vm.node === node);
  return isStands ? undefined : `bridge ${bridge} on ${node} is not to be taken over`;
}

/** What decides at the end whether the pool is removed, and which rights go with it. */
export function keepsFormer(
  wanted: PoolMark,
  present: PoolMark | undefined,
  { user, index }: Takeover,
): boolean {
  const isOurs = present?.user !== undefined;
  const entries = index.acls.get(`/pool/${user.pool} ${user.userid}`) ?? [];
  const former = isOurs ? (present.roles ?? []) : present ? entries.map(({ role }) => role) : [];
  return (
    wanted.adopted === (isOurs ? present.adopted : present !== undefined) &&
    (wanted.kept ?? false) === (present?.kept ?? false) &&
    sortedUnique(wanted.roles ?? []).join() === sortedUnique(former).join()
  );
}
