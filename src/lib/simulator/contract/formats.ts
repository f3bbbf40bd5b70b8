/** Checks of single values by PVE's named formats (pve-common JSONSchema.pm). Returns a problem or nothing. */
import { isIPv4, isIPv6 } from 'node:net';
import { roleBook } from '../access/roles.ts';

type Check = (value: string, major: number) => string | undefined;

const matches =
  (pattern: RegExp, problem: (value: string) => string): Check =>
  (value) =>
    pattern.test(value) ? undefined : problem(value);

const says = (text: string) => (): string => text;
const label = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)';
const volumeId = /^[a-z][a-z0-9\-_.]*[a-z0-9]:(?:\S+)$/i;

function isCidr(value: string, is: (text: string) => boolean, max: number): boolean {
  const [address = '', prefix = '', ...more] = value.split('/');
  return (
    more.length === 0 &&
    is(address) &&
    /^\d{1,3}$/.test(prefix) &&
    Number(prefix) <= max &&
    Number(prefix) > 0
  );
}

const ipv4Masks = new Set(
  Array.from({ length: 33 }, (_, bits) => {
    const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
    return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 255).join('.');
  }),
);

function checkPool(value: string, major: number): string | undefined {
  const levels = major === 7 ? [value] : value.split('/');
  if (levels.length > 3) return `pool name '${value}' nested too deeply (max levels = 3)`;
  const legal = levels.every((level) => /^[A-Za-z0-9.\-_]+$/.test(level));
  return legal ? undefined : `pool name '${value}' contains invalid characters`;
}

/** JSONSchema's own address formats. */
const addressFormats: Readonly<Record<string, Check>> = {
  ip: (value) => (isIPv4(value) || isIPv6(value) ? undefined : 'value does not look like a valid IP address'),
  ipv4: (value) => (isIPv4(value) ? undefined : 'value does not look like a valid IPv4 address'),
  ipv6: (value) => (isIPv6(value) ? undefined : 'value does not look like a valid IPv6 address'),
  ipv4mask: (value) => (ipv4Masks.has(value) ? undefined : 'value does not look like a valid IP netmask'),
  address: (value) =>
    isIPv4(value) || isIPv6(value) || new RegExp(`^${label}(?:\\.${label})*$`).test(value)
      ? undefined
      : 'value does not look like a valid address: ' + value,
  CIDRv4: (value) =>
    isCidr(value, isIPv4, 32) ? undefined : 'value does not look like a valid IPv4 network',
  CIDRv6: (value) =>
    isCidr(value, isIPv6, 128) ? undefined : 'value does not look like a valid IPv6 network',
  CIDR: (value) =>
    isCidr(value, isIPv4, 32) || isCidr(value, isIPv6, 128)
      ? undefined
      : 'value does not look like a valid CIDR network',
  'pve-ipv4-config': (value) =>
    value === 'dhcp' || value === 'manual' || isCidr(value, isIPv4, 32)
      ? undefined
      : 'value does not look like a valid ipv4 network configuration',
  'pve-ipv6-config': (value) =>
    ['auto', 'dhcp', 'manual'].includes(value) || isCidr(value, isIPv6, 128)
      ? undefined
      : 'value does not look like a valid ipv6 network configuration',
  'mac-addr': (value) =>
    /^[a-f0-9][02468ace](?::[a-f0-9]{2}){5}$/i.test(value)
      ? undefined
      : 'value is not a valid unicast MAC address',
};

/** JSONSchema.pm pve_verify_vlan_id_or_range. */
function vlanRange(value: string): string | undefined {
  const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(value) ?? [];
  if (from === undefined) return `invalid VLAN configuration '${value}'`;
  const bad = [from, ...(to === undefined ? [] : [to])].find((tag) => Number(tag) < 2 || Number(tag) > 4094);
  if (bad !== undefined) return `invalid VLAN tag '${bad}'`;
  return to !== undefined && Number(from) >= Number(to)
    ? `VLAN range must go from lower to higher tag '${value}'`
    : undefined;
}

function sdnId(what: 'zone' | 'vnet'): Check {
  return (value) => {
    if (!/^[a-z][a-z0-9]*[a-z0-9]$/i.test(value)) return `${what} ID '${value}' contains illegal characters`;
    return value.length > 8 ? `${what} ID '${value}' can't be more length than 8 characters` : undefined;
  };
}

const nameFormats: Readonly<Record<string, Check>> = {
  'pve-vmid': matches(/^[1-9][0-9]{2,8}$/, says('value does not look like a valid VM ID')),
  'pve-node': matches(new RegExp(`^${label}$`), says('value does not look like a valid node name')),
  'dns-name': matches(
    new RegExp(`^(?:${label}\\.)*${label}$`),
    says('value does not look like a valid DNS name'),
  ),
  'pve-poolid': checkPool,
  'pve-userid': (value) =>
    /^[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+$/.test(value) && value.length >= 3 && value.length <= 64
      ? undefined
      : `value '${value}' does not look like a valid user name`,
  'pve-tokenid': matches(
    /^[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+![A-Za-z][A-Za-z0-9.\-_]+$/,
    (value) => `value '${value}' does not look like a valid token ID`,
  ),
  'pve-groupid': matches(
    /^[A-Za-z0-9.\-_]+$/,
    (value) => `group name '${value}' contains invalid characters`,
  ),
  'pve-roleid': matches(/^[A-Za-z0-9.\-_]+$/, (value) => `role name '${value}' contains invalid characters`),
  'pve-realm': matches(/^[A-Za-z][A-Za-z0-9.\-_]+$/, says('value does not look like a valid realm')),
  'pve-priv': (value, major) =>
    roleBook(major === 7 || major === 8 ? major : 9).privileges.has(value)
      ? undefined
      : `invalid privilege '${value}'`,
  'pve-configid': matches(/^[a-z][a-z0-9_-]+$/i, (value) => `invalid configuration ID '${value}'`),
  'pve-storage-id': matches(
    /^[a-z][a-z0-9\-_.]*[a-z0-9]$/i,
    (value) => `storage ID '${value}' contains illegal characters`,
  ),
  'pve-storage-content': matches(
    /^(?:images|rootdir|vztmpl|iso|backup|snippets|import|none)$/,
    (value) => `invalid content type '${value}'`,
  ),
  'storage-pair': matches(
    /^(?:1|[a-z][a-z0-9\-_.]*[a-z0-9](?::[a-z][a-z0-9\-_.]*[a-z0-9])?)$/i,
    (value) => `invalid ID map entry '${value}'`,
  ),
  'pve-iface': (value) =>
    /^[a-z][a-z0-9_]{1,20}(?:[:.]\d+)?$/i.test(value) && value.length >= 2 && value.length <= 20
      ? undefined
      : 'invalid network interface name ' + `'${value}'`,
  'pve-bridge-id': matches(/^[-_.\w]+$/, (value) => `invalid bridge ID '${value}'`),
  'pve-vlan-id-or-range': vlanRange,
  'pve-sdn-zone-id': sdnId('zone'),
  'pve-sdn-vnet-id': sdnId('vnet'),
  'pve-sdn-fabric-id': matches(/^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/, says('invalid fabric ID')),
  'pve-sdn-bgp-rt': matches(/^[\d.]+:\d+$/, says('value does not look like a valid bgp route-target')),
  'pve-ha-node': matches(new RegExp(`^${label}(?::\\d+)?$`), says('invalid HA node')),
  'pve-ha-group-node': matches(new RegExp(`^${label}(?::\\d+)?$`), says('invalid HA group node')),
  'pve-ha-resource-id': matches(/^(?:vm|ct):\d+$/, (value) => `invalid resource ID '${value}'`),
  'pve-tag': matches(/^[a-z0-9_][a-z0-9_\-+.]*$/i, says('invalid characters in tag')),
  'pve-ha-resource-or-vm-id': matches(/^(?:(?:vm|ct):)?\d+$/, (value) => `invalid resource ID '${value}'`),
  'pve-task-status-type': matches(/^(?:ok|error|warning|unknown)$/i, (value) => `invalid status '${value}'`),
};

const valueFormats: Readonly<Record<string, Check>> = {
  // Perl's \w takes the letters of all alphabets.
  email: matches(
    /^[\p{L}\p{M}\p{N}_+\-~]+(?:\.[\p{L}\p{M}\p{N}_+\-~]+)*@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*$/u,
    says('value does not look like a valid email address'),
  ),
  urlencoded: matches(/^[-%a-zA-Z0-9_.!~*'()]*$/, says('invalid urlencoded string')),
  'disk-size': matches(/^\d+(?:\.\d+)?[KMGT]?$/, (value) => `unable to parse disk size '${value}'`),
  'pve-volume-id': matches(volumeId, (value) => `invalid volume ID '${value}'`),
  'pve-volume-id-or-qm-path': (value) =>
    value === 'none' || value === 'cdrom' || value.startsWith('/') || volumeId.test(value)
      ? undefined
      : `invalid volume ID '${value}'`,
  'pve-volume-id-or-absolute-path': (value) =>
    value.startsWith('/') || volumeId.test(value) ? undefined : `invalid volume ID '${value}'`,
  'pve-qm-bootdisk': matches(
    /^(?:ide|sata|scsi|virtio|efidisk|tpmstate)\d+$/,
    (value) => `invalid boot disk '${value}'`,
  ),
  'pve-qm-bootdev': matches(
    /^(?:(?:ide|sata|scsi|virtio)\d+|net\d+|usb\d+|hostpci\d+)$/,
    (value) => `invalid boot device '${value}'`,
  ),
  'pve-qm-usb-device': matches(
    /^(?:(?:0x)?[0-9A-Fa-f]{4}:(?:0x)?[0-9A-Fa-f]{4}|\d+-\d+(?:\.\d+)*|spice)$/i,
    says('unable to parse usb device'),
  ),
  'pve-cpuset': matches(/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/, (value) => `unable to parse cpu set '${value}'`),
  'pve-hotplug-features': matches(
    /^(?:[01]|(?:network|disk|cpu|memory|usb|cloudinit)(?:,(?:network|disk|cpu|memory|usb|cloudinit))*)$/,
    (value) => `unable to parse hotplug feature list '${value}'`,
  ),
  'pve-startup-order': matches(
    /^(?:\d+|(?:order|up|down)=\d+)(?:,(?:order|up|down)=\d+)*$/,
    says('unable to parse startup options'),
  ),
};

/** Any text; as `string-alist` a list of them. */
const anyText: Check = () => undefined;

const checks: Readonly<Record<string, Check>> = {
  string: anyText,
  ...addressFormats,
  ...nameFormats,
  ...valueFormats,
};

/** PVE's split_list: NUL, comma, semicolon or blanks. */
export function splitList(text: string): string[] {
  return text.split(/[\0,;\s]+/).filter((item) => item !== '');
}

/** A problem with `value` under `format`, or undefined. Formats ending in -list, -alist and -opt derive from the base. */
export function checkFormat(format: string, value: string, major: number): string | undefined {
  const direct = checks[format];
  if (direct) return direct(value, major);
  if (format.endsWith('-opt'))
    return value === '' ? undefined : checkFormat(format.slice(0, -4), value, major);
  const base = format.replace(/-a?list$/, '');
  if (base === format) return undefined;
  for (const item of splitList(value)) {
    const problem = checkFormat(base, item, major);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Formats with a check here; the rest of the tables' formats must be property strings. */
export function hasFormat(format: string): boolean {
  return (
    format in checks || (/-(?:a?list|opt)$/.test(format) && hasFormat(format.replace(/-(?:a?list|opt)$/, '')))
  );
}
