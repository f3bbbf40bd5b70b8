/** The cluster after a cleanup's steps, as the inventory would show it. */
import type { GuestInfo, Inventory } from '../../../src/lib/inventory/types.ts';
import type { Step } from '../../../src/lib/plan/document/step.ts';

function withoutVm(have: Inventory, vmid: number): Inventory {
  return {
    ...have,
    guests: have.guests.filter((guest) => guest.vmid !== vmid),
    vms: have.vms.filter((config) => config.vmid !== vmid),
    bridgeUse: have.bridgeUse.filter((use) => use.vmid !== vmid),
    acls: have.acls.filter((entry) => entry.path !== `/vms/${vmid}`),
  };
}

function change(have: Inventory, vmid: number, edit: (guest: GuestInfo) => GuestInfo): Inventory {
  return { ...have, guests: have.guests.map((guest) => (guest.vmid === vmid ? edit(guest) : guest)) };
}

function applyStep(have: Inventory, step: Step): Inventory {
  switch (step.kind) {
    case 'vm.stop':
      return change(have, step.vmid, (guest) => ({ ...guest, status: 'stopped' }));
    case 'ha.remove':
      return change(have, step.vmid, (guest) => ({ ...guest, ha: false }));
    case 'vm.unprotect':
      return {
        ...have,
        vms: have.vms.map((config) =>
          config.vmid === step.vmid ? { ...config, values: { ...config.values, protection: '0' } } : config,
        ),
      };
    case 'vm.delete':
      return withoutVm(have, step.vmid);
    case 'acl.revoke':
      return {
        ...have,
        acls: have.acls.filter(
          (entry) => !(entry.path === step.path && entry.role === step.role && entry.subject === step.userid),
        ),
      };
    case 'bridge.delete':
      return {
        ...have,
        networks: have.networks.map((network) =>
          network.node === step.node
            ? { ...network, bridges: network.bridges.filter(({ iface }) => iface !== step.bridge) }
            : network,
        ),
      };
    case 'network.reload':
      return {
        ...have,
        networks: have.networks.map((network) =>
          network.node === step.node ? { ...network, pending: [] } : network,
        ),
      };
    case 'pool.release':
      return {
        ...have,
        pools: have.pools.map((pool) =>
          pool.pool === step.pool ? { ...pool, comment: step.comment } : pool,
        ),
      };
    case 'pool.delete':
      if (have.guests.some((guest) => guest.pool === step.pool)) throw new Error(`${step.pool} is not empty`);
      return {
        ...have,
        pools: have.pools.filter(({ pool }) => pool !== step.pool),
        acls: have.acls.filter(({ path }) => path !== `/pool/${step.pool}`),
      };
    case 'user.delete':
      return {
        ...have,
        users: have.users.filter(({ userid }) => userid !== step.userid),
        acls: have.acls.filter(({ subject }) => subject !== step.userid),
      };
    default:
      throw new Error(`${step.id} is no step of a cleanup`);
  }
}

export function appliedCleanup(have: Inventory, steps: readonly Step[]): Inventory {
  return steps.reduce(applyStep, have);
}
