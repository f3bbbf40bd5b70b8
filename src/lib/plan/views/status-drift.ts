/** What students changed on the machines of the selected stands, by the lab's file. Reads nothing. */
import type { Lab } from '../../config/types.ts';
import type { Inventory, VmConfig } from '../../inventory/types.ts';
import { parseVmMark } from '../../marks/vm.ts';
import { resolveTemplate } from '../cluster/templates.ts';
import type { ClusterView } from '../cluster/view.ts';
import { bridgesOn, driftOf } from '../stands/drift.ts';
import type { StandMachine, StandView } from '../stands/selected.ts';
import { compareSpecs, isAdopted, nicShiftOf, specOf } from '../stands/spec.ts';
import type { MachineDrift } from './status-types.ts';

interface Request {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly index: ClusterView;
}

interface Seen {
  readonly of: ReadonlyMap<number, MachineDrift>;
  readonly notes: readonly string[];
}

/** Machine → its template; those that have none that can be read are left out. */
function templatesOf({ lab, have, index }: Request): Map<string, VmConfig> {
  const replicas = new Set(index.replicaPool.claims.map(({ vmid }) => vmid));
  return new Map(
    lab.machines.flatMap((machine): [string, VmConfig][] => {
      const found = resolveTemplate(machine, have, lab.file, replicas);
      return 'code' in found ? [] : [[machine.name, found.template]];
    }),
  );
}

/** Where the spec is not the lab's, the lab has changed since: what differs is deploy's to bring, or to leave. */
function isOutdated(spec: string, wanted: string): boolean {
  return !isAdopted(spec) && compareSpecs(spec, wanted).inPlace;
}

function driftOfMachine(
  { user, claim }: StandView,
  { vmid, machine: name, config, verdict }: StandMachine,
  templates: ReadonlyMap<string, VmConfig>,
  { lab, index }: Request,
): MachineDrift {
  const machine = lab.machines.find((one) => one.name === name);
  if (verdict !== 'ours' || !config || !machine) return null;
  const mark = parseVmMark(config.values['description'] ?? '');
  const spec = mark?.vmid === vmid ? mark.spec : undefined;
  const template = templates.get(machine.name);
  if (spec !== undefined && template && isOutdated(spec, specOf(lab, machine, template.vmid)))
    return 'pending';
  const aliases = machine.networks.flatMap(({ target }) => (target.kind === 'alias' ? [target.alias] : []));
  const { node } = config;
  return driftOf({
    machine,
    vm: { vmid, node, config, nicShift: nicShiftOf(spec) },
    bridges: bridgesOn({ user, lab: claim.lab, node }, aliases, index),
    template,
    ...{ index, user, lab: claim.lab },
  });
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
    notes:
      lacking.length === 0
        ? []
        : [`the template of ${lacking.join(', ')} cannot be read: what the lab leaves to it is not compared`],
  };
}
