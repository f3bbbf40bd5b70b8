/** Rules between the lab and the cluster that concern the class as a whole. */
import { aliasesOf, isBoundToNode, realOf, reservedBridges } from '../../config/lab/networks.ts';
import { strategyOf } from '../placement/strategies/strategies.ts';
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import { parseBridgeMark } from '../../marks/bridge.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import { uncreatable } from '../network/create.ts';
import { replugWarnings, roleRefusals, rolesOf, roleWarnings } from '../stands/roles.ts';
import { machinesOfOtherLab } from '../stands/other-lab.ts';
import { meantBy, passedOver } from '../cluster/templates.ts';
import type { Refusal } from '../document/plan.ts';
import { nameSome } from '../document/text.ts';
import { shellCommand } from '../../shell.ts';

interface Findings {
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly string[];
}

/** An alias that is a bridge or vnet of the cluster is more likely a forgotten `**…**` than a new network. */
function shadowedAliases(lab: Lab, have: Inventory): Refusal[] {
  const names = new Set([
    ...have.vnets,
    ...have.networks.flatMap(({ bridges }) => bridges.map(({ iface }) => iface)),
  ]);
  return [...aliasesOf(lab).keys()]
    .filter((alias) => names.has(alias))
    .map((alias) => ({
      code: 'ALIAS_EXISTS',
      message: `${lab.file}: network "${alias}" is also a bridge or vnet of the cluster`,
      hint: `write "**${alias}**" to use that one, or choose another alias`,
    }));
}

/** Two labs of one name, or one lab in which every machine got another. */
function otherwise(name: string, machines: readonly string[]): string {
  const were = nameSome(machines);
  return `give this lab another name: --lab-name NAME, or \`name:\` in the file. If it is the same lab and its machines were only given other names, call them ${were} again to keep what students did on them; \`${shellCommand('deploy-stand', 'cleanup', '--lab', name)}\` removes all its stands`;
}

function otherLab(lab: Lab, index: ClusterView): Refusal[] {
  const { name, file } = lab;
  const machines = machinesOfOtherLab({ name, machines: lab.machines.map((machine) => machine.name) }, index);
  if (machines.length === 0) return [];
  return [
    {
      code: 'OTHER_LAB',
      message: `${file}: a lab called "${name}" is on the cluster and has other machines (${machines.join(', ')})`,
      hint: otherwise(name, machines),
    },
  ];
}

function tornByLocal(lab: Lab, have: Inventory): Refusal[] {
  if (!strategyOf(lab).followsTemplates || !isBoundToNode(lab)) return [];
  const nodes = sortedUnique(
    lab.machines.flatMap((machine) => {
      const { template } = machine;
      const guests = meantBy(template, have);
      // Of several each node uses its own.
      return guests.length === 1 ? guests.map((guest) => guest.node) : [];
    }),
  );
  if (nodes.length < 2) return [];
  return [
    {
      code: 'LOCAL_TORN',
      message: `strategy local would spread each stand over ${nodes.join(', ')}, where its templates are, but its own networks do not reach across nodes`,
      hint: 'use --strategy balanced, or bring the templates together on one node',
    },
  ];
}

function creatableReserved(lab: Lab, have: Inventory): Refusal[] {
  return uncreatable(reservedBridges(lab).keys(), have).map((name) => ({
    code: 'BRIDGE_NAME',
    message: `${lab.file}: reserved bridge "${name}" does not exist on every node and cannot be created under this name on PVE ${have.version}`,
    hint: 'use a name vmbr0–vmbr4094, or create it on all nodes by hand',
  }));
}

/** A mistyped node would be passed over in silence: stands would go where they were not to go. */
function unknownNodes(lab: Lab, have: Inventory): Refusal[] {
  const names = new Set(have.nodes.map((node) => node.name));
  const { node, nodes = [], exclude, pin = {} } = lab.placement;
  const named = [...(node === undefined ? [] : [node]), ...nodes, ...exclude, ...Object.values(pin).flat()];
  const unknown = sortedUnique(named).filter((name) => !names.has(name));
  if (unknown.length === 0) return [];
  return [
    {
      code: 'NO_SUCH_NODE',
      message: `the cluster has no node ${unknown.join(', ')}`,
      hint: `nodes there: ${sortedUnique(names).join(', ')}`,
    },
  ];
}

/** A tag on a bridge that neither has a port nor is VLAN-aware makes the VM fail at start (pve-common Network.pm). */
function untaggableBridges(lab: Lab, have: Inventory): string[] {
  const warnings = new Set<string>();
  for (const machine of lab.machines) {
    for (const network of machine.networks) {
      const { tag } = network;
      const real = realOf(network);
      if (!real || tag === undefined) continue;
      for (const { node, bridges } of have.networks) {
        const info = bridges.find(({ iface }) => iface === real.bridge);
        if (!info || info.vlanAware || info.ports.length > 0 || parseBridgeMark(info.iface, info.comments))
          continue;
        warnings.add(
          `${real.bridge} on ${node} has no port and is not VLAN-aware: machine ${machine.name} with VLAN ${tag} will not start there`,
        );
      }
    }
  }
  return [...warnings].sort(compareNatural);
}

export function checkLab(lab: Lab, have: Inventory, index: ClusterView): Findings {
  return {
    refusals: [
      ...unknownNodes(lab, have),
      ...roleRefusals(rolesOf(lab), have, lab.file),
      ...shadowedAliases(lab, have),
      ...otherLab(lab, index),
      ...tornByLocal(lab, have),
      ...creatableReserved(lab, have),
    ],
    warnings: [
      ...roleWarnings(rolesOf(lab), have),
      ...replugWarnings(lab, have),
      ...sortedUnique(lab.machines.flatMap(({ template }) => passedOver(template, have))),
      ...untaggableBridges(lab, have),
    ],
  };
}
