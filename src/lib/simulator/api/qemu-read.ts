/** Reading guests: list, configuration, status, features. See qemu-server API2/Qemu.pm. Changes nothing. */
import { digestOf, drivesOf, loadGuest } from '../guest/guest-config.ts';
import {
  guestName,
  isRunning,
  isTemplate,
  maxCpus,
  maxMemory,
  parseSize,
  pressures,
  qmpStatus,
  usage,
} from '../guest/guest-view.ts';
import { die } from '../pve-error.ts';
import { processOf } from '../guest/qemu-version.ts';
import type { Call, Handlers, Sim } from '../sim.ts';
import type { GuestConfig, GuestState } from '../state.ts';
import { snapshotConfig } from './qemu-snapshot.ts';
import { canLink, canSnapshot, storageOf } from '../guest/volumes.ts';

function vmStatus(sim: Sim, guest: GuestState): Record<string, unknown> {
  const drive = drivesOf(sim.contract, guest.config).find((one) => !one.isCdrom);
  const maxmem = maxMemory(guest);
  const view = {
    name: guestName(guest) ?? `VM ${guest.vmid}`,
    status: isRunning(guest) ? 'running' : 'stopped',
    maxmem,
    maxdisk: parseSize(drive?.options['size'] ?? '0'),
  };
  const live = usage(sim, guest, {
    ...view,
    template: isTemplate(guest),
    maxcpu: maxCpus(guest),
    runningSince: guest.runningSince ?? null,
  });
  const { lock, tags } = guest.config;
  return {
    vmid: guest.vmid,
    ...view,
    cpus: maxCpus(guest),
    ...live,
    disk: 0,
    diskread: live.uptime * 2048,
    diskwrite: live.uptime * 1024,
    netin: live.uptime * 512,
    netout: live.uptime * 256,
    ...(guest.pid === undefined ? {} : { pid: guest.pid }),
    ...(isTemplate(guest) ? { template: 1 } : {}),
    ...(lock === undefined ? {} : { lock }),
    ...(tags === undefined ? {} : { tags }),
    ...(sim.facts.major === 9 ? { memhost: Math.round(live.mem * 1.05) } : {}),
    ...(sim.facts.major === 9 && isRunning(guest) ? pressures(live.cpu) : {}),
  };
}

function list(call: Call): unknown {
  const { sim, user, node } = call;
  return [...sim.world.guestsOn(node)]
    .filter((guest) => guest.type === 'qemu' && sim.rights.has(user, `/vms/${guest.vmid}`, 'VM.Audit'))
    .map((guest) => vmStatus(sim, guest));
}

const guestOf = (call: Call): GuestState => loadGuest(call.sim, call.node, call.params.number('vmid'));

/** Nobody reads a password back, not even its hash. */
const hidden = '**********';
const masked = (config: Readonly<GuestConfig>): GuestConfig => ({
  ...config,
  ...(config['cipassword'] === undefined ? {} : { cipassword: hidden }),
});

function config(call: Call): unknown {
  const guest = guestOf(call);
  const { params } = call;
  const name = params.optText('snapshot');
  if (name !== undefined) {
    const snapshot =
      guest.snapshots.find((one) => one.name === name) ?? die(`snapshot '${name}' does not exist`);
    return { ...snapshotConfig({ ...snapshot, config: masked(snapshot.config) }), digest: digestOf(guest) };
  }
  const shown = { ...guest.config };
  if (!params.flag('current')) {
    Object.assign(shown, guest.pending);
    for (const key of guest.pendingDelete) Reflect.deleteProperty(shown, key);
  }
  return {
    ...masked(shown),
    ...(guest.parent === undefined ? {} : { parent: guest.parent }),
    digest: digestOf(guest),
  };
}

function pending(call: Call): unknown {
  const guest = guestOf(call);
  const now = masked(guest.config);
  const later = masked(guest.pending);
  // With a blank behind it the new password differs from the old one for whoever compares.
  if (later['cipassword'] !== undefined) later['cipassword'] += ' ';
  const keys = new Set([...Object.keys(now), ...Object.keys(later)]);
  return [...keys].sort().map((key) => ({
    key,
    ...(now[key] === undefined ? {} : { value: now[key] }),
    ...(later[key] === undefined ? {} : { pending: later[key] }),
    ...(guest.pendingDelete.includes(key) ? { delete: 1 } : {}),
  }));
}

function running(sim: Sim, guest: GuestState): Record<string, string> {
  const { machine, qemu } = processOf(sim, guest);
  return { 'running-machine': machine, 'running-qemu': qemu };
}

function currentStatus(call: Call): unknown {
  const { sim } = call;
  const guest = guestOf(call);
  const managed = sim.world.haResources.get(`vm:${guest.vmid}`);
  return {
    ...vmStatus(sim, guest),
    qmpstatus: qmpStatus(guest),
    ...(isRunning(guest) ? running(sim, guest) : {}),
    ha: managed ? { managed: 1, state: managed.status ?? managed.state } : { managed: 0 },
    ...(/(?:^|enabled=)1/.test(guest.config['agent'] ?? '') ? { agent: 1 } : {}),
  };
}

function feature(call: Call): unknown {
  const { sim } = call;
  const guest = guestOf(call);
  const wanted = call.params.text('feature');
  const has = drivesOf(sim.contract, guest.config)
    .filter((drive) => !drive.isCdrom)
    .every((drive) => {
      const storage = storageOf(sim, drive.storage);
      if (wanted === 'copy') return true;
      if (wanted === 'clone') return canLink(storage, drive.file);
      return canSnapshot(storage, sim.world.volume(drive.file, call.node));
    });
  return { hasFeature: has ? 1 : 0, nodes: [...sim.world.nodes.keys()] };
}

export const qemuReadHandlers: Handlers = {
  'GET /nodes/{node}/qemu': list,
  'GET /nodes/{node}/qemu/{vmid}/config': config,
  'GET /nodes/{node}/qemu/{vmid}/pending': pending,
  'GET /nodes/{node}/qemu/{vmid}/status/current': currentStatus,
  'GET /nodes/{node}/qemu/{vmid}/feature': feature,
};
