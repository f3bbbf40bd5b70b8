/** Reading containers: list, configuration, status, snapshots. See pve-container API2/LXC.pm. Changes nothing. */
import { containerStatus, loadContainer } from '../guest/containers.ts';
import { digestOf } from '../guest/guest-config.ts';
import { die } from '../pve-error.ts';
import type { Call, Handlers } from '../sim.ts';
import type { GuestState } from '../state.ts';

const containerOf = (call: Call): GuestState =>
  loadContainer(call.sim, call.node, call.params.number('vmid'));

function list(call: Call): unknown {
  const { sim, user } = call;
  return [...sim.world.guestsOn(call.node)]
    .filter((guest) => guest.type === 'lxc' && sim.rights.has(user, `/vms/${guest.vmid}`, 'VM.Audit'))
    .map((guest) => containerStatus(sim, guest));
}

const snapshotConfig = (guest: GuestState, name: string): Readonly<Record<string, string>> =>
  guest.snapshots.find((one) => one.name === name)?.config ?? die(`snapshot '${name}' does not exist`);

function config(call: Call): unknown {
  const guest = containerOf(call);
  const snapshot = call.params.optText('snapshot');
  return {
    ...(snapshot === undefined ? guest.config : snapshotConfig(guest, snapshot)),
    digest: digestOf(guest),
  };
}

function status(call: Call): unknown {
  const { sim } = call;
  const guest = containerOf(call);
  const managed = sim.world.haResources.get(`ct:${guest.vmid}`);
  return {
    ...containerStatus(sim, guest),
    ha: managed ? { managed: 1, state: managed.state } : { managed: 0 },
  };
}

/** Nothing here changes a container's configuration, so that nothing of it waits for a restart. */
function pending(call: Call): unknown {
  return Object.entries(containerOf(call).config)
    .map(([key, value]) => ({ key, value }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

function snapshots(call: Call): unknown {
  const { snapshots, parent } = containerOf(call);
  const rows = snapshots.map(({ name, description, snaptime, parent: from }) => ({
    ...{ name, description, snaptime },
    ...(from === undefined ? {} : { parent: from }),
  }));
  const current = {
    name: 'current',
    description: 'You are here!',
    ...(parent === undefined ? {} : { parent }),
  };
  return [...rows, { ...current, digest: digestOf(containerOf(call)) }];
}

export const lxcHandlers: Handlers = {
  'GET /nodes/{node}/lxc': list,
  'GET /nodes/{node}/lxc/{vmid}/config': config,
  'GET /nodes/{node}/lxc/{vmid}/pending': pending,
  'GET /nodes/{node}/lxc/{vmid}/snapshot': snapshots,
  'GET /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config': (call) => ({
    ...snapshotConfig(containerOf(call), call.params.text('snapname')),
  }),
  'GET /nodes/{node}/lxc/{vmid}/status/current': status,
};
