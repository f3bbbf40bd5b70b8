/** What the VM steps of one stand are planned from, and what is gathered machine by machine; decides nothing. */
import { toldKind, type GuestAt } from '../../pve-values/guest-kinds.ts';
import { machinePower } from '../../pve-values/machine-power.ts';
import type { Lab, Machine } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { VmidAllocator } from '../cluster/free-vmids.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { ResolvedMachine } from '../templates/clone-ways.ts';
import type { ClaimedMachine } from '../../marks/pool.ts';
import type { Pins } from '../cluster/pins.ts';
import type { ReplicaPlanner } from '../templates/replica-steps.ts';
import type { PresentVm, StandState } from '../stands/state.ts';
import type { ToldFixed } from './fixed-wishes.ts';
import type { Step } from '../document/step.ts';
import type { PlannedVm, Refusal } from '../document/plan.ts';

export interface Request {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly state: StandState;
  readonly machines: readonly ResolvedMachine[];
  /** Where each machine is, or goes. */
  readonly nodeOf: (machine: ResolvedMachine) => string;
  /** Alias → bridge. */
  readonly bridges: ReadonlyMap<string, string>;
  readonly index: ClusterView;
  readonly vmids: VmidAllocator;
  readonly pins: Pins;
  readonly replicas: ReplicaPlanner;
  /** MACs in use; grows. */
  readonly macs: Set<string>;
  readonly updateRunning: boolean;
  /** Step that writes the claim, if one is planned. */
  readonly claimStep: string;
  /** Steps that write marks onto bridges: before those of the VMs by which they are found. */
  readonly bridgeMarks: readonly string[];
  /** Are clones made in the pool? */
  readonly joinsAtOnce: boolean;
  /** Only these machines of the stand are worked on; those of them that are `remade` go first. Absent: all. */
  readonly only?: ReadonlySet<string>;
  readonly lockWaitSeconds: number;
}

export interface Draft {
  readonly vms: PlannedVm[];
  readonly steps: Step[];
  readonly lastStep: Map<string, string>;
  readonly claimed: ClaimedMachine[];
  readonly joining: { machine: string; vmid: number }[];
  readonly fresh: number[];
  readonly beforeClaim: Step[];
  readonly leaving: number[];
  readonly notes: string[];
  readonly warnings: string[];
  readonly templates: Set<string>;
  /** What the lab says otherwise of machines that are there, and no configuration changes. */
  readonly fixed: ToldFixed[];
  left?: Refusal;
}

export function planned(
  vm: GuestAt & Pick<PresentVm, 'power' | 'lock'>,
  machine: Machine,
  state: PlannedVm['state'],
): PlannedVm {
  const power = vm.lock === undefined ? vm.power : machinePower({ status: vm.power, lock: vm.lock });
  return { vmid: vm.vmid, name: machine.name, node: vm.node, ...toldKind(vm), state, power };
}
