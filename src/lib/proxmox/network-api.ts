/** Endpoints about bridges. Must not decide anything. */
import { namesIn } from '../pve-values/interfaces.ts';
import { path } from './form.ts';
import type { Requests } from './http.ts';
import { rowsOf, type Row } from './rows.ts';
import type { NetworkRow, PveApi } from './types.ts';
import { upidOf } from './upid.ts';

type NetworkApi = Pick<
  PveApi,
  'network' | 'createBridge' | 'updateBridge' | 'deleteBridge' | 'reloadNetwork'
>;

export function networkApi(http: Requests): NetworkApi {
  return {
    network: async (node, signal) => {
      const answer = await http.get(path`/nodes/${node}/network`, {}, signal);
      const changes = answer.document['changes'];
      return { rows: rowsOf(answer).map(networkRowOf), changes: typeof changes === 'string' ? changes : '' };
    },
    createBridge: async (node, { iface, vlanAware, comment }, signal) => {
      const params = {
        iface,
        type: 'bridge',
        // `ifreload -a` brings up `auto` stanzas only.
        autostart: true,
        // PVE's writer asks whether it is set, not to what: 0 would turn it on.
        bridge_vlan_aware: vlanAware ? true : undefined,
        comments: comment === '' ? undefined : comment,
      };
      await http.post(path`/nodes/${node}/network`, params, signal);
    },
    updateBridge: async (node, { iface, vlanAware, comment }, signal) => {
      const address = await addressOf(http, { node, iface }, signal);
      const params = { type: 'bridge', bridge_vlan_aware: vlanAware, comments: comment, ...address };
      await http.put(path`/nodes/${node}/network/${iface}`, params, signal);
    },
    deleteBridge: async (node, iface, signal) => {
      await http.delete(path`/nodes/${node}/network/${iface}`, {}, signal);
    },
    reloadNetwork: async (node, signal) => upidOf(await http.put(path`/nodes/${node}/network`, {}, signal)),
  };
}

/**
 * PVE merges an update key by key, but derives `inet manual` or `inet static` from the addresses in the request alone
 * (pve-manager Network.pm, update_network): an address that is not sent again is lost.
 */
async function addressOf(
  http: Requests,
  { node, iface }: { readonly node: string; readonly iface: string },
  signal?: AbortSignal,
): Promise<{ readonly cidr?: string | undefined; readonly cidr6?: string | undefined }> {
  const rows = rowsOf(await http.get(path`/nodes/${node}/network`, {}, signal));
  const row = rows.find((candidate) => candidate.maybeText('iface') === iface);
  return { cidr: row?.maybeText('cidr'), cidr6: row?.maybeText('cidr6') };
}

function networkRowOf(row: Row): NetworkRow {
  const texts = (...keys: readonly string[]): string[] =>
    keys.flatMap((key) => row.maybeText(key) ?? []).filter((text) => text !== '');
  const [rawDevice] = texts('vlan-raw-device');
  const [ovsBridge] = texts('ovs_bridge');
  const priority = row.maybeNumber('priority');
  const mtu = row.maybeNumber('mtu');
  return {
    iface: row.text('iface'),
    type: row.maybeText('type') ?? 'unknown',
    active: row.flag('active'),
    autostart: row.flag('autostart'),
    vlanAware: row.flag('bridge_vlan_aware'),
    ports: texts('bridge_ports', 'ovs_ports', 'slaves', 'ovs_bonds').flatMap(namesIn),
    ...(rawDevice === undefined ? {} : { rawDevice }),
    ...(ovsBridge === undefined ? {} : { ovsBridge }),
    ...(mtu === undefined ? {} : { mtu }),
    addresses: [...texts('cidr', 'address').slice(0, 1), ...texts('cidr6', 'address6').slice(0, 1)],
    gateways: texts('gateway', 'gateway6'),
    comments: row.comment('comments'),
    ...(priority === undefined ? {} : { priority }),
  };
}
