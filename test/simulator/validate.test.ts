/** Parameter checks, with PVE's texts, per version. */
import { expect, test } from 'vitest';
import { contractOf } from '../../src/lib/simulator/contract/contract.ts';
import { checkFormat } from '../../src/lib/simulator/contract/formats.ts';
import { PveError } from '../../src/lib/simulator/pve-error.ts';
import { validateParams, type RawParams } from '../../src/lib/simulator/contract/validate.ts';
import type { Version } from '../../src/lib/simulator/version.ts';

const pathNames = { node: 'pve1', vmid: '100', poolid: 'x', iface: 'vmbr1', userid: 'a@pve' };

/** The errors of a request, or nothing. */
function errorsOf(
  endpoint: string,
  raw: RawParams,
  version: Version = '8.4',
): Readonly<Record<string, string>> {
  const contract = contractOf(version);
  const spec = contract.endpoints.get(endpoint);
  if (!spec) throw new Error(`no ${endpoint}`);
  const variables = Object.fromEntries(
    Object.entries(pathNames).filter(([name]) => endpoint.includes(`{${name}}`)),
  );
  try {
    validateParams(spec.params, { ...raw, ...variables }, { contract, major: Number(version[0]) });
    return {};
  } catch (error) {
    if (error instanceof PveError) return error.errors ?? {};
    throw error;
  }
}

const clone = 'POST /nodes/{node}/qemu/{vmid}/clone';
const config = 'PUT /nodes/{node}/qemu/{vmid}/config';
const users = 'POST /access/users';
const pools = 'POST /pools';
const network = 'POST /nodes/{node}/network';
const unknown = 'property is not defined in schema and the schema does not allow additional properties';
const missing = 'property is missing and it is not optional';

test.each<[string, RawParams, Record<string, string>, Version?]>([
  [clone, {}, { newid: missing }],
  [clone, { newid: '101', nmae: 'x' }, { nmae: unknown }],
  [clone, { newid: 'abc' }, { newid: "type check ('integer') failed - got 'abc'" }],
  [clone, { newid: '99' }, { newid: 'invalid format - value does not look like a valid VM ID' }],
  [clone, { newid: '99' }, { newid: 'invalid format - value does not look like a valid VM ID' }, '7.4'],
  [clone, { newid: '1000000000' }, { newid: 'invalid format - value does not look like a valid VM ID' }],
  [clone, { newid: '101', full: 'true' }, { full: "type check ('boolean') failed - got 'true'" }],
  [
    clone,
    { newid: '101', name: 'a_b' },
    { name: 'invalid format - value does not look like a valid DNS name' },
  ],
  [
    clone,
    { newid: '101', name: '-a' },
    { name: 'invalid format - value does not look like a valid DNS name' },
  ],
  [clone, { newid: '101', name: 'a-1.lab' }, {}],
  [
    clone,
    { newid: '101', format: 'vdi' },
    { format: "value 'vdi' does not have a value in the enumeration 'raw, qcow2, vmdk'" },
  ],
  [clone, { newid: '101', snapname: 'x'.repeat(41) }, { snapname: 'value may only be 40 characters long' }],
  [
    clone,
    { newid: '101', pool: 'a b' },
    { pool: "invalid format - pool name 'a b' contains invalid characters" },
  ],
  [pools, { poolid: 'a/b/c' }, {}],
  [
    pools,
    { poolid: 'a/b' },
    { poolid: "invalid format - pool name 'a/b' contains invalid characters" },
    '7.4',
  ],
  [
    pools,
    { poolid: 'a/b/c/d' },
    { poolid: "invalid format - pool name 'a/b/c/d' nested too deeply (max levels = 3)" },
  ],
  [pools, { poolid: '1a' }, {}],
  [
    users,
    { userid: 'student' },
    { userid: "invalid format - value 'student' does not look like a valid user name" },
  ],
  [users, { userid: 'a@pve', password: '1234567' }, { password: 'value must be at least 8 characters long' }],
  [users, { userid: 'a@pve', password: '1234567' }, {}, '7.4'],
  [
    users,
    { userid: 'a@pve', password: '1234' },
    { password: 'value must be at least 5 characters long' },
    '7.4',
  ],
  [
    users,
    { userid: 'a@pve', password: 'x'.repeat(65) },
    { password: 'value may only be 64 characters long' },
  ],
  [
    users,
    { userid: 'a@pve', comment: 'x'.repeat(2049) },
    { comment: 'value may only be 2048 characters long' },
  ],
  [users, { userid: 'a@pve', comment: 'x'.repeat(2049) }, {}, '7.4'],
  [
    users,
    { userid: 'a@pve', email: 'nobody' },
    { email: 'invalid format - value does not look like a valid email address' },
  ],
  [users, { userid: 'a@pve', expire: '-1' }, { expire: 'value must have a minimum value of 0' }],
  [config, { net0: 'virtio,bridge=vmbr0' }, {}],
  [config, { net32: 'virtio,bridge=vmbr0' }, { net32: unknown }],
  [config, { net00: 'virtio' }, { net00: unknown }],
  [config, { 'net[n]': 'virtio' }, { 'net[n]': unknown }],
  [config, { net0: 'bridge=vmbr0' }, { net0: `invalid format - format error\nnet0.model: ${missing}` }],
  [
    config,
    { net0: 'virtio,speed=1' },
    { net0: 'invalid format - invalid key in comma-separated list property: speed' },
  ],
  [
    config,
    { net0: 'virtio,tag=4095' },
    { net0: 'invalid format - format error\nnet0.tag: value must have a maximum value of 4094' },
  ],
  [
    config,
    { net0: 'virtio,e1000=BC:24:11:00:00:01' },
    { net0: "invalid format - key alias 'model' is already defined" },
  ],
  [
    config,
    { net0: 'virtio=01:00:00:00:00:01' },
    {
      net0: 'invalid format - format error\nnet0.macaddr: invalid format - value is not a valid unicast MAC address',
    },
  ],
  [config, { net0: 'virtio,firewall=yes,link_down=off' }, {}],
  [config, { net0: 'virtio,trunks=2;5-9' }, {}],
  [
    config,
    { net0: 'virtio,queues=65' },
    { net0: 'invalid format - format error\nnet0.queues: value must have a maximum value of 64' },
  ],
  [config, { ipconfig0: 'ip=dhcp,ip6=auto' }, {}],
  [
    config,
    { ipconfig0: 'ip=10.0.0.1' },
    {
      ipconfig0:
        'invalid format - format error\nipconfig0.ip: invalid format - value does not look like a valid ipv4 network configuration',
    },
  ],
  [
    config,
    { ipconfig0: 'gw=10.0.0.1' },
    {
      ipconfig0:
        "invalid format - format error\nipconfig0.ip: missing property - 'ipconfig0.gw' requires this property",
    },
  ],
  [config, { sshkeys: 'ssh-ed25519 AAAA' }, { sshkeys: 'invalid format - invalid urlencoded string' }],
  [config, { sshkeys: 'ssh-ed25519%20AAAA' }, {}],
  [config, { tags: 'a;b,c d' }, {}],
  [config, { tags: 'ä' }, { tags: 'invalid format - invalid characters in tag' }],
  [config, { description: 'x'.repeat(8193) }, { description: 'value may only be 8192 characters long' }],
  [config, { memory: '8' }, { memory: 'value must have a minimum value of 16' }, '7.4'],
  [
    config,
    { memory: '8' },
    { memory: 'invalid format - format error\nmemory.current: value must have a minimum value of 16' },
  ],
  [config, { memory: 'current=2048' }, {}],
  [
    config,
    { memory: 'current=2048' },
    { memory: "type check ('integer') failed - got 'current=2048'" },
    '7.4',
  ],
  [config, { ciupgrade: '1' }, { ciupgrade: unknown }, '7.4'],
  [config, { ciupgrade: '1' }, {}],
  [config, { force: '1' }, { delete: "missing property - 'force' requires this property" }],
  [config, { scsi0: 'ceph:vm-100-disk-0,iothread=1,discard=on,ssd=1' }, {}],
  [
    config,
    { scsi0: 'not-a-volume' },
    { scsi0: "invalid format - format error\nscsi0.file: invalid format - invalid volume ID 'not-a-volume'" },
  ],
  [config, { startup: 'order=1,up=10' }, {}],
  [config, { startup: 'first' }, { startup: 'invalid format - unable to parse startup options' }],
  [config, { agent: 'enabled=1,fstrim_cloned_disks=1' }, {}],
  [config, { boot: 'order=scsi0;net0' }, {}],
  [network, { iface: 'vmbr1', type: 'bridge', bridge_vids: '2 5-10' }, {}],
  [network, { iface: 'vmbr1', type: 'bridge', bridge_vids: '2' }, { bridge_vids: unknown }, '7.4'],
  [
    network,
    { iface: 'vm-br', type: 'bridge' },
    { iface: "invalid format - invalid network interface name 'vm-br'" },
  ],
  [network, { iface: 'vmbr1' }, { type: missing }],
  [
    network,
    { iface: 'vmbr1', type: 'bridge', mtu: '100' },
    { mtu: 'value must have a minimum value of 1280' },
  ],
  [
    network,
    { iface: 'vmbr1', type: 'bridge', address: '10.0.0.1' },
    { netmask: "missing property - 'address' requires this property" },
  ],
  [
    network,
    { iface: 'vmbr1', type: 'bridge', cidr: '10.0.0.1/33' },
    { cidr: 'invalid format - value does not look like a valid IPv4 network' },
  ],
  ['POST /access/roles', { roleid: 'r', privs: 'VM.Monitor' }, {}],
  [
    'POST /access/roles',
    { roleid: 'r', privs: 'VM.Monitor' },
    { privs: "invalid format - invalid privilege 'VM.Monitor'" },
    '9.2',
  ],
  [
    'POST /access/roles',
    { roleid: 'r', privs: 'SDN.Use' },
    { privs: "invalid format - invalid privilege 'SDN.Use'" },
    '7.4',
  ],
  ['GET /pools', { type: 'qemu' }, { poolid: "missing property - 'type' requires this property" }],
])('%s %j → %j', (endpoint, raw, expected, version) => {
  expect(errorsOf(endpoint, raw, version)).toEqual(expected);
});

test.each([
  ['pve-iface', 'vmbr1000.100', undefined],
  ['pve-iface', 'a', "invalid network interface name 'a'"],
  ['pve-vmid-list', '100,101;102 103', undefined],
  ['pve-vmid-list', '100,x', 'value does not look like a valid VM ID'],
  ['email-opt', '', undefined],
  ['ipv4mask', '255.255.255.0', undefined],
  ['ipv4mask', '255.0.255.0', 'value does not look like a valid IP netmask'],
  ['storage-pair-list', 'a1:b2,c3', undefined],
] as const)('format %s of %j', (format, value, problem) => {
  expect(checkFormat(format, value, 8)).toBe(problem);
});
