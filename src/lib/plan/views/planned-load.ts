/** What a plan would make of each node, from the plan and the cluster that it was made of. Plans nothing. */
import { MIB } from '../../bytes.ts';
import { groupBy } from '../../group.ts';
import type { GuestInfo, Inventory } from '../../inventory/types.ts';
import { compareNatural } from '../../order.ts';
import type { Plan } from '../document/plan.ts';
import type { PlannedLoad } from './planned-load-types.ts';

interface NewMachine {
  readonly node: string;
  readonly memory: number;
  readonly cpus: number;
}

/** What a clone is configured with goes before what its template has. */
function newMachines({ steps }: Plan, guests: ReadonlyMap<number, GuestInfo>): NewMachine[] {
  const options = new Map(
    steps.flatMap((step) => (step.kind === 'vm.configure' ? [[step.vmid, step.options] as const] : [])),
  );
  return steps.flatMap((step): NewMachine[] => {
    if (step.kind !== 'vm.clone') return [];
    const template = guests.get(step.templateVmid);
    const { memory, cores } = options.get(step.vmid) ?? {};
    return [
      {
        node: step.target,
        memory: memory === undefined ? (template?.memory ?? 0) : Number(memory) * MIB,
        cpus: cores === undefined ? (template?.cpus ?? 0) : Number(cores),
      },
    ];
  });
}

export function viewPlannedLoads(plan: Plan, have: Inventory): PlannedLoad[] {
  const made = groupBy(
    newMachines(plan, new Map(have.guests.map((guest) => [guest.vmid, guest]))),
    ({ node }) => node,
  );
  const sum = (node: string, of: (one: NewMachine) => number): number =>
    (made.get(node) ?? []).reduce((total, one) => total + of(one), 0);
  return have.nodes
    .map(({ name, online, cpus, memoryTotal, memoryUsed }) => ({
      ...{ node: name, online, cpus, memoryTotal, memoryBefore: memoryUsed },
      memoryAfter: memoryUsed + sum(name, ({ memory }) => memory),
      newMachines: made.get(name)?.length ?? 0,
      newCpus: sum(name, (one) => one.cpus),
    }))
    .sort((a, b) => compareNatural(a.node, b.node));
}
