/** What a plan would make of each node, from the plan and the cluster that it was made of. Plans nothing. */
import { MIB } from '../../bytes.ts';
import { groupBy } from '../../group.ts';
import type { Inventory } from '../../inventory/types.ts';
import { compareNatural } from '../../order.ts';
import { cpusOf } from '../../pve-values/host-ties.ts';
import { memoryOf } from '../../pve-values/memory.ts';
import type { Plan } from '../document/plan.ts';
import type { PlannedLoad } from './planned-load-types.ts';

interface Size {
  /** Bytes. */
  readonly memory: number;
  readonly cpus: number;
}

interface NewMachine extends Size {
  readonly node: string;
}

/** What a machine gets that is cloned from `vmid`, of which a copy may only be planned, and is then given `cores`. */
function sizeReader({ steps }: Plan, { guests, templates }: Inventory) {
  const rows = new Map(guests.map((guest) => [guest.vmid, guest]));
  const configs = new Map(templates.map(({ vmid, values }) => [vmid, values]));
  const copied = new Map(
    steps.flatMap((step) =>
      step.kind === 'template.clone' ? [[step.vmid, step.templateVmid] as const] : [],
    ),
  );
  return (vmid: number, cores: number | undefined): Size => {
    const from = copied.get(vmid) ?? vmid;
    const values = configs.get(from);
    if (values) return { memory: memoryOf(values), cpus: cpusOf(values, cores) };
    const { memory = 0, cpus = 0 } = rows.get(from) ?? {};
    return { memory, cpus: cores ?? cpus };
  };
}

/** What a clone is configured with goes before what its template has. */
function newMachines(plan: Plan, have: Inventory): NewMachine[] {
  const sizeOf = sizeReader(plan, have);
  const options = new Map(
    plan.steps.flatMap((step) => (step.kind === 'vm.configure' ? [[step.vmid, step.options] as const] : [])),
  );
  return plan.steps.flatMap((step): NewMachine[] => {
    if (step.kind !== 'vm.clone') return [];
    const { memory, cores } = options.get(step.vmid) ?? {};
    const size = sizeOf(step.templateVmid, cores === undefined ? undefined : Number(cores));
    return [
      { node: step.target, ...size, ...(memory === undefined ? {} : { memory: Number(memory) * MIB }) },
    ];
  });
}

export function viewPlannedLoads(plan: Plan, have: Inventory): PlannedLoad[] {
  const made = groupBy(newMachines(plan, have), ({ node }) => node);
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
