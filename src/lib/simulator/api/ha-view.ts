/** Rows about HA: resources, the manager's status, nodes. Reads only. */
import { crmState } from '../ha-manager.ts';
import { die } from '../pve-error.ts';
import type { Call } from '../sim.ts';
import type { HaResourceState, NodeState } from '../state.ts';
import { without } from '../without.ts';

export const HA_DIGEST = '0'.repeat(40);

export function nodeHaState(node: NodeState): string {
  if (!node.online) return 'unknown';
  return node.maintenance ? 'maintenance' : 'online';
}

/** `100` is short for `vm:100` or `ct:100`. */
export function haSid(call: Call): string {
  const sid = call.params.text('sid');
  if (sid.includes(':')) return sid;
  const guest = call.sim.world.guests.get(Number(sid));
  if (!guest) die(`unable to detect SID from VMID - VM/CT ${sid} does not exist`);
  return `${guest.type === 'lxc' ? 'ct' : 'vm'}:${sid}`;
}

/** Groups are gone from 9. */
export function haResourceRow(call: Call, sid: string): Record<string, unknown> {
  const found = call.sim.world.haResources.get(sid) ?? die(`no such resource '${sid}'`);
  const { group, options } = found;
  return {
    ...without(found, 'status', 'group', 'options'),
    ...options,
    ...(group === undefined || call.sim.facts.major === 9 ? {} : { group }),
    type: sid.split(':')[0],
    digest: HA_DIGEST,
  };
}

const nodeOf = (call: Call, { sid }: HaResourceState): string | null =>
  call.sim.world.guests.get(Number(sid.split(':')[1]))?.node ?? null;

export function managerStatus(call: Call): unknown {
  const nodes = [...call.sim.world.nodes.values()];
  const timestamp = Math.floor(call.sim.clock.now() / 1000);
  return {
    manager_status: {
      master_node: call.node,
      timestamp,
      node_status: Object.fromEntries(nodes.map((node) => [node.name, nodeHaState(node)])),
      service_status: Object.fromEntries(
        [...call.sim.world.haResources.values()].map((one) => [
          one.sid,
          { state: crmState(one), node: nodeOf(call, one) },
        ]),
      ),
    },
    quorum: { node: call.node, quorate: call.sim.world.quorate ? '1' : '0' },
    lrm_status: Object.fromEntries(
      nodes.map((node) => [
        node.name,
        { mode: node.maintenance ? 'maintenance' : 'active', state: 'active', timestamp },
      ]),
    ),
  };
}

export function currentHaStatus(call: Call): unknown {
  return [
    {
      id: 'quorum',
      type: 'quorum',
      node: call.node,
      ...(call.sim.world.quorate ? { status: 'OK', quorate: 1 } : { status: 'No quorum!', quorate: 0 }),
    },
    ...[...call.sim.world.haResources.values()].map((one) => {
      const { sid, state } = one;
      const [node, crm] = [nodeOf(call, one), crmState(one)];
      return {
        ...haResourceRow(call, sid),
        ...{ id: `service:${sid}`, type: 'service', node, status: `${sid} (${node ?? ''}, ${crm})` },
        ...{ state: crm, crm_state: crm, request_state: state },
      };
    }),
  ];
}
