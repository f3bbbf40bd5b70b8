/** `/cluster/mapping/*` and what a node's QEMU can: see pve-manager API2/Cluster/Mapping and qemu-server API2/Qemu/Machine.pm. Reads only. */
import { PveError } from '../pve-error.ts';
import { machineTypesOn } from '../guest/qemu-version.ts';
import type { Call, Handlers } from '../sim.ts';
import type { MappingState } from '../state.ts';

const visible = ['Mapping.Modify', 'Mapping.Use', 'Mapping.Audit'];

function listOf(kind: MappingState['kind']): (call: Call) => unknown {
  return ({ sim, user }) => {
    if (sim.facts.major === 7)
      throw new PveError(501, `Method 'GET /cluster/mapping/${kind}' not implemented`);
    return sim.world.mappings
      .filter((one) => one.kind === kind && sim.rights.hasAny(user, `/mapping/${kind}/${one.id}`, visible))
      .map(({ id, nodes }) => ({
        id,
        map: nodes.map((node, i) =>
          kind === 'dir'
            ? `node=${node},path=/srv/${id}`
            : `id=10de:1b38,node=${node},path=0000:0${i + 1}:00.0`,
        ),
        ...(kind === 'usb' ? { type: kind } : {}),
      }));
  };
}

export const mappingHandlers: Handlers = {
  'GET /cluster/mapping/pci': listOf('pci'),
  'GET /cluster/mapping/usb': listOf('usb'),
  'GET /cluster/mapping/dir': listOf('dir'),
  'GET /nodes/{node}/capabilities/qemu/machines': ({ sim, node }) => machineTypesOn(sim, node),
};
