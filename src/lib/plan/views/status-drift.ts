/** How the machines of the selected stands differ from the lab's file: changed, or set and not in force yet. Reads nothing. */
import { ownNetworks } from '../../config/lab/networks.ts';
import { MIB } from '../../bytes.ts';
import type { Lab } from '../../config/types.ts';
import type { Inventory, VmConfig } from '../../inventory/types.ts';
import { ownVmMark } from '../../marks/vm.ts';
import { cpusOf } from '../../pve-values/host-ties.ts';
import { machinePower } from '../../pve-values/machine-power.ts';
import { memoryOf } from '../../pve-values/memory.ts';
import { resolveTemplate } from '../cluster/templates.ts';
import type { ClusterView } from '../cluster/view.ts';
import { bridgesOn, driftOf, notesLost } from '../stands/drift.ts';
import type { StandMachine, StandView } from '../stands/selected.ts';
import { compareSpecs, isAdopted, nicShiftOf, specOf } from '../stands/spec.ts';
import type { MachineDrift, StatusNote, Waiting } from './status-types.ts';

interface Request {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly index: ClusterView;
}

interface Seen {
  readonly of: ReadonlyMap<number, MachineDrift>;
  readonly notes: readonly StatusNote[];
}

/** Machine → its template; those that have none that can be read are left out. */
function templatesOf({ lab, have }: Request): Map<string, VmConfig> {
  return new Map(
    lab.machines.flatMap((machine): [string, VmConfig][] => {
      const found = resolveTemplate(machine, have, lab.file);
      return 'code' in found ? [] : [[machine.name, found.template]];
    }),
  );
}

/**
 * A configuration is read as it will be after the next start, and the lists tell how the machine runs: what differs waits.
 * A list names no more processors than the node has.
 */
function waiting({ guest, config }: StandMachine, { have }: Request): Waiting[] {
  if (!guest || !config || machinePower(guest) === 'stopped') return [];
  const threads = have.nodes.find(({ name }) => name === guest.node)?.cpus ?? 0;
  const plugged = Number(config.values['vcpus'] ?? cpusOf(config.values));
  const sizes = [
    { field: 'memory', unit: 'MiB of memory', is: guest.memory / MIB, next: memoryOf(config.values) / MIB },
    { field: 'cores', unit: 'cores', is: guest.cpus, next: Math.min(plugged, threads) },
  ];
  return sizes
    .filter(({ is, next }) => is > 0 && next > 0 && is !== next)
    .map(({ field, unit, is, next }) => ({
      ...{ kind: 'waiting', field, is: String(is), ought: String(next) },
      text: `it runs with ${is} ${unit}, and with ${next} once it was stopped and started`,
    }));
}

function driftOfMachine(
  { user, claim }: StandView,
  one: StandMachine,
  templates: ReadonlyMap<string, VmConfig>,
  request: Request,
): MachineDrift {
  const { lab, index } = request;
  const { vmid, config, verdict } = one;
  const machine = lab.machines.find(({ name }) => name === one.machine);
  if (verdict !== 'ours' || !config || !machine) return null;
  const spec = ownVmMark(vmid, config.values)?.spec;
  const template = templates.get(machine.name);
  const differs =
    spec === undefined || !template ? undefined : compareSpecs(spec, specOf(lab, machine, template.vmid));
  // The lab has changed since: what differs is deploy's to bring.
  if (differs?.inPlace && !isAdopted(spec)) return 'pending';
  const { node } = config;
  const drift = driftOf({
    machine,
    vm: { vmid, node, config, nicShift: nicShiftOf(spec) },
    bridges: bridgesOn({ user, lab: claim.lab, node }, ownNetworks(machine), index),
    template: differs?.fixed === true ? undefined : template,
    ...{ index, user, lab: claim.lab },
  });
  const isMarked = ownVmMark(vmid, config.values) !== undefined;
  return [...drift, ...(isMarked ? [] : [notesLost(config, template)]), ...waiting(one, request)];
}

export function viewDrift(stands: readonly StandView[], request: Request): Seen {
  const templates = templatesOf(request);
  const lacking = request.lab.machines.filter(({ name }) => !templates.has(name)).map(({ name }) => name);
  const entries = stands.flatMap((stand) =>
    stand.machines
      .filter(({ isSelected }) => isSelected)
      .map((one) => [one.vmid, driftOfMachine(stand, one, templates, request)] as const),
  );
  return {
    of: new Map(entries),
    notes: lacking.length === 0 ? [] : [{ kind: 'template-unread', machines: lacking }],
  };
}
