/** What a test asserts of a cluster: our objects by name, without times, random MACs and task lists. */
import type { ClusterState, GuestState } from '../../src/lib/simulator/state.ts';

/** A NIC as `model bridge[ tag=n][ firewall][ down][ router-mac]`. */
function nicText(value: string): string {
  const parts = new Map(value.split(',').map((part) => part.split('=') as [string, string]));
  const [model = '', mac = ''] = [...parts.entries()][0] ?? [];
  return [
    model,
    parts.get('bridge') ?? '-',
    parts.has('tag') ? `tag=${parts.get('tag')}` : '',
    parts.get('firewall') === '1' ? 'firewall' : '',
    parts.get('link_down') === '1' ? 'down' : '',
    mac.startsWith('1C:87:76:40:') ? 'router-mac' : '',
  ]
    .filter((word) => word !== '')
    .join(' ');
}

export function nicsOf(guest: GuestState): string[] {
  return Object.keys(guest.config)
    .filter((key) => /^net\d+$/.test(key))
    .sort((a, b) => Number(a.slice(3)) - Number(b.slice(3)))
    .map((key) => `${key} ${nicText(guest.config[key]!)}`);
}

export function macsOf(state: ClusterState): string[] {
  return state.guests.flatMap((guest) =>
    Object.entries(guest.config)
      .filter(([key]) => /^net\d+$/.test(key))
      .map(([, value]) => /([0-9A-F]{2}:){5}[0-9A-F]{2}/i.exec(value)?.[0] ?? ''),
  );
}

/** Nor what is drawn anew in each run: the seals of clones. */
function withoutTimes(text: string): string {
  return text.replace(/(since|frozen)=\S+/g, '$1=T').replace(/\bseal=[0-9a-f]{32}/g, 'seal=S');
}

/** Everything that has to be the same after an interrupted and an undisturbed run, object by object. */
export function comparable(state: ClusterState): unknown {
  const guests = state.guests
    .map((guest) => ({
      vmid: guest.vmid,
      node: guest.node,
      running: guest.runningSince !== undefined,
      nics: nicsOf(guest),
      snapshots: guest.snapshots.map(({ name, description, parent }) => ({ name, description, parent })),
      config: Object.fromEntries(
        Object.entries(guest.config)
          .filter(([key]) => !/^(net\d+|smbios1|vmgenid|meta|digest)$/.test(key))
          .map(([key, value]) => [key, withoutTimes(value)]),
      ),
    }))
    .sort((a, b) => a.vmid - b.vmid);
  const sorted = <T>(values: readonly T[], key: (value: T) => string) =>
    [...values].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return {
    guests,
    volumes: state.volumes.map((volume) => volume.volid).sort(),
    pools: sorted(state.pools, (pool) => pool.poolid).map((pool) => ({
      ...pool,
      comment: withoutTimes(pool.comment),
      vms: [...pool.vms].sort((a, b) => a - b),
    })),
    users: sorted(state.users, (user) => user.userid).map(
      ({ userid, groups, comment, email, enable, expire }) => ({
        userid,
        groups,
        email,
        enable,
        expire,
        comment: withoutTimes(comment),
      }),
    ),
    acl: state.acl.map((entry) => `${entry.path} ${entry.subject} ${entry.role}`).sort(),
    networks: state.nodes.map((node) => ({
      node: node.name,
      // Left equal to the file by whoever made the workers read it again, it changes nothing.
      staged: node.staged !== undefined && JSON.stringify(node.staged) !== JSON.stringify(node.interfaces),
      interfaces: sorted(node.interfaces, (row) => row.iface).map((row) => ({
        ...row,
        options: Object.fromEntries(
          Object.entries(row.options).map(([key, value]) => [key, withoutTimes(value)]),
        ),
      })),
      running: Object.keys(node.running).sort(),
    })),
  };
}
