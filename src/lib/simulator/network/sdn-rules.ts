/** What PVE's zone plugins and its section files say to a zone or a vnet. See pve-network Zones/*Plugin.pm. Pure. */
import { PveError, die, paramError } from '../pve-error.ts';
import type { SdnConfig, VnetState, ZoneState } from '../state.ts';

/** A Perl `die` whose text has no line end tells where it was. */
export function dieAt(text: string, module: string): never {
  die(`${text} at /usr/share/perl5/PVE/${module} line 1.`);
}

const general = ['nodes', 'mtu', 'dns', 'reversedns', 'dnszone', 'ipam'];
const known: Readonly<
  Record<string, { readonly needed: readonly string[]; readonly more: readonly string[] }>
> = {
  simple: { needed: [], more: ['dhcp'] },
  vlan: { needed: ['bridge'], more: ['bridge-disable-mac-learning'] },
  qinq: { needed: ['bridge', 'tag'], more: ['bridge-disable-mac-learning', 'vlan-protocol'] },
  vxlan: { needed: [], more: ['peers', 'vxlan-port', 'fabric'] },
  evpn: {
    needed: ['controller', 'vrf-vxlan'],
    more: [
      'advertise-subnets',
      'bridge-disable-mac-learning',
      'disable-arp-nd-suppression',
      'exitnodes',
      'exitnodes-local-routing',
      'exitnodes-primary',
      'mac',
      'rt-import',
      'secondary-controllers',
      'vxlan-port',
    ],
  },
};

/** SectionConfig.pm check_config: before any lock is taken, so that its words come without a prefix. */
export function checkZoneOptions(type: string, options: Readonly<Record<string, string>>): void {
  const { needed, more } = known[type] ?? { needed: [], more: [] };
  for (const key of Object.keys(options)) {
    if (![...general, ...needed, ...more].includes(key)) die(`unexpected property '${key}'`);
  }
  for (const key of needed) if (options[key] === undefined) die(`missing value for required option '${key}'`);
}

/** on_update_hook of the plugins. */
export function checkZone({ type, options = {} }: ZoneState, major: number): void {
  if (type !== 'vxlan') return;
  const fabric = options['fabric'];
  if ((options['peers'] === undefined) !== (fabric === undefined)) return;
  if (major < 9) throw new PveError(500, "missing value for required option 'peers'");
  const text = 'must have exactly one of peers / fabric defined';
  throw paramError({ peers: text, fabric: text });
}

/** Tags are per zone on VLANs and per cluster on VXLANs. */
function tagProblem(vnet: VnetState, type: string, config: SdnConfig): string | undefined {
  const { tag } = vnet;
  const others = config.vnets.filter((one) => one.vnet !== vnet.vnet && one.tag === tag);
  if (type === 'simple') return tag === undefined ? undefined : 'vlan tag is not allowed on simple zone';
  if (type === 'vlan') {
    if (tag === undefined) return 'missing vlan tag';
    if (tag > 4096) return 'vlan tag max value is 4096';
    const twin = others.find(({ zone }) => zone === vnet.zone);
    return twin && `tag ${tag} already exist in vnet ${twin.vnet}`;
  }
  if (type === 'qinq') {
    if (tag === undefined) return undefined;
    if (tag > 4096) return 'VLAN tag maximal value is 4096';
    const twin = others.find(({ zone }) => zone === vnet.zone);
    return twin && `tag ${tag} already exist in zone ${vnet.zone} vnet ${twin.vnet}`;
  }
  if (tag === undefined) return 'missing vxlan tag';
  if (tag > 16_777_216) return 'vxlan tag max value is 16777216';
  const isVxlan = (zone: string): boolean =>
    config.zones.some((one) => one.zone === zone && (one.type === 'vxlan' || one.type === 'evpn'));
  const twin = others.find(({ zone }) => isVxlan(zone));
  return twin && `vxlan tag ${tag} already exist in vnet ${twin.vnet} in zone ${twin.zone} `;
}

/** vnet_update_hook; a zone that is not there has no plugin to be asked. */
export function checkVnet(vnet: VnetState, config: SdnConfig): void {
  const zone = config.zones.find((one) => one.zone === vnet.zone);
  if (!zone) dieAt('cannot lookup undefined type!', 'SectionConfig.pm');
  const problem = tagProblem(vnet, zone.type, config);
  if (problem !== undefined) throw paramError({ tag: problem });
}

/** Outer blanks go; a text with letters beyond ASCII passes and does not survive the section file. */
export function storedAlias(alias: string | undefined): string | undefined {
  if (alias?.includes('\n')) die("detected invalid newline inside property 'alias'");
  const text = alias?.trim() ?? '';
  return text === '' || /[^\x20-\x7e\t]/.test(text) ? undefined : text;
}
