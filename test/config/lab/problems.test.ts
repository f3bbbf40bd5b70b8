import { expect, test } from 'vitest';
import { parseLab } from '../../../src/lib/config/load.ts';
import { problems } from '../problems.ts';

const BASE = { device_type: 'linux', name: 'pc', template_vmid: 100 };

/** A lab on one line per machine: the first machine is on line 3. */
const labOf = (machines: readonly object[], more = ''): string =>
  `name: net-lab\nmachines:\n${machines.map((machine) => `  - ${JSON.stringify(machine)}\n`).join('')}${more}`;
const withMachine = (more: object): string => labOf([{ ...BASE, ...more }]);
const withNetworks = (...networks: readonly object[]): string => withMachine({ networks });
const withTop = (more: string): string => labOf([BASE], more);
/** Columns depend on JSON's layout; the places of YAML files are tested apart. */
const found = (text: string, file = 'lab.yml'): string[] =>
  problems(() => parseLab(text, file)).map((line) => line.replace(/^(\S+?:\d+):\d+/, '$1'));

const manyNetworks = Array.from({ length: 33 }, (_, index) => ({ bridge: `n${index}` }));

test.each<[string, string, string[]]>([
  [
    'two machines of one name',
    labOf([BASE, { ...BASE, name: 'PC' }]),
    [
      'lab.yml:4 machines[1].name: another machine of the lab has this name (line 3); case does not count [PC] → give each machine a name of its own',
    ],
  ],
  [
    'a name with an underscore',
    withMachine({ name: 'student_pc' }),
    [
      'lab.yml:3 machines[0].name: PVE refuses this VM name: only letters a–z, digits and inner hyphens make a DNS name [student_pc] → for example: student-pc',
    ],
  ],
  [
    'cards that are names only',
    withMachine({ networks: ['vmbr0', 'hq'] }),
    [
      'lab.yml:3 machines[0].networks[0]: is just a name: a NIC is a mapping that names its bridge [vmbr0] → write { bridge: vmbr0 } in its place',
      'lab.yml:3 machines[0].networks[1]: is just a name: a NIC is a mapping that names its bridge [hq] → write { bridge: hq } in its place',
    ],
  ],
  [
    'one name for cards',
    withMachine({ networks: 'vmbr0' }),
    [
      'lab.yml:3 machines[0].networks: is just a name: a NIC is a mapping that names its bridge [vmbr0] → write networks: [{ bridge: vmbr0 }]',
    ],
  ],
  [
    'a Cyrillic name',
    withMachine({ name: 'машина' }),
    [
      'lab.yml:3 machines[0].name: PVE refuses this VM name: only letters a–z, digits and inner hyphens make a DNS name [машина] → for example: mashina',
    ],
  ],
  [
    'a name that ends with a hyphen',
    withMachine({ name: 'pc-' }),
    [
      'lab.yml:3 machines[0].name: PVE refuses this VM name: only letters a–z, digits and inner hyphens make a DNS name [pc-] → for example: pc',
    ],
  ],
  [
    'a name of 64 characters',
    withMachine({ name: 'a'.repeat(64) }),
    [
      `lab.yml:3 machines[0].name: PVE refuses this VM name: a part has more than 63 characters [${'a'.repeat(64)}] → use a short name such as student-pc`,
    ],
  ],
  [
    'a terminal escape in a name',
    withMachine({ name: 'a\u001b[31mb' }),
    [
      'lab.yml:3 machines[0].name: PVE refuses this VM name: only letters a–z, digits and inner hyphens make a DNS name [a\\u{1b}[31mb] → for example: a-31mb',
    ],
  ],
  [
    'VLAN 0 and VLAN 4095',
    withNetworks({ bridge: 'hq', tag: 0 }, { bridge: 'hq', tag: 4095 }),
    [
      'lab.yml:3 machines[0].networks[0].tag: VLAN 0 is outside 1–4094 [0] → choose a VLAN from 1 to 4094',
      'lab.yml:3 machines[0].networks[1].tag: VLAN 4095 is outside 1–4094 [4095] → choose a VLAN from 1 to 4094',
    ],
  ],
  [
    'a VLAN suffix out of range',
    withNetworks({ bridge: 'hq.5000' }),
    [
      'lab.yml:3 machines[0].networks[0].bridge: VLAN 5000 is outside 1–4094 [hq.5000] → choose a VLAN from 1 to 4094',
    ],
  ],
  [
    'two VLANs for one NIC',
    withNetworks({ bridge: 'hq.5', tag: 6 }),
    ['lab.yml:3 machines[0].networks[0].tag: two VLAN tags: 5 in "hq.5" and 6 in tag [6] → keep one of them'],
  ],
  [
    'an MTU with which no machine starts',
    withNetworks({ bridge: 'hq', mtu: 1501 }, { bridge: '**vmbr0**', mtu: 9000 }, { bridge: 'hq', mtu: 575 }),
    [
      `lab.yml:3 machines[0].networks[0].mtu: bridges of students' own have MTU 1500 [1501] → write "mtu: 1" for that of the bridge, or leave it out`,
      'lab.yml:3 machines[0].networks[2].mtu: an MTU has to be 576 at least [575] → write "mtu: 1" for that of the bridge, or leave it out',
    ],
  ],
  [
    'trunks that are none',
    withNetworks({ bridge: 'hq', trunks: [10, '30-20', 'x', 4095] }, { bridge: 'hq', trunks: '1;a' }),
    [
      'lab.yml:3 machines[0].networks[0].trunks[1]: is no VLAN and no range of VLANs [30-20] → VLANs from 1 to 4094 or ranges of them: [10, "20-30"]',
      'lab.yml:3 machines[0].networks[0].trunks[2]: is no VLAN and no range of VLANs [x] → VLANs from 1 to 4094 or ranges of them: [10, "20-30"]',
      'lab.yml:3 machines[0].networks[0].trunks[3]: is no VLAN and no range of VLANs [4095] → VLANs from 1 to 4094 or ranges of them: [10, "20-30"]',
      'lab.yml:3 machines[0].networks[1].trunks: is no VLAN and no range of VLANs [a] → VLANs from 1 to 4094 or ranges of them: [10, "20-30"]',
    ],
  ],
  [
    'one name as alias and as real bridge',
    withNetworks({ bridge: 'hq' }, { bridge: '**hq**' }),
    [
      'lab.yml:3 machines[0].networks[1].bridge: "hq" is a real bridge here and an alias on line 3 [**hq**] → write "**hq**" everywhere for the shared bridge, or rename the alias',
    ],
  ],
  [
    'one name as reserved bridge and as alias with a VLAN',
    withNetworks({ bridge: 'hq', reserved: true }, { bridge: 'hq.7' }),
    [
      'lab.yml:3 machines[0].networks[1].bridge: "hq" is an alias here and a real bridge on line 3 [hq.7] → write "**hq**" everywhere for the shared bridge, or rename the alias',
    ],
  ],
  [
    'stars against reserved: false',
    withNetworks({ bridge: '**hq**', reserved: false }),
    [
      'lab.yml:3 machines[0].networks[0].reserved: "**hq**" is reserved, and reserved: false says it is not → remove reserved: false, or the stars',
    ],
  ],
  [
    'a Cyrillic alias',
    withNetworks({ bridge: 'сеть' }),
    [
      'lab.yml:3 machines[0].networks[0].bridge: has characters that PVE refuses in a bridge name [сеть] → use Latin letters, digits and - _ .',
    ],
  ],
  [
    'stars in the wrong place',
    withNetworks({ bridge: '**hq**.5' }),
    [
      'lab.yml:3 machines[0].networks[0].bridge: has characters that PVE refuses in a bridge name [**hq**.5] → two stars before and after the whole name: "**vmbr100**"',
    ],
  ],
  [
    'a bridge name that Linux refuses',
    withNetworks({ bridge: '**abcdefghijklmnop**' }),
    [
      'lab.yml:3 machines[0].networks[0].bridge: Linux refuses interface names of more than 15 characters (this has 16) [**abcdefghijklmnop**] → choose a shorter bridge name',
    ],
  ],
  [
    'a bridge name that leaves no room for its tag',
    withNetworks({ bridge: '**abcdefghijkl.100**' }),
    [
      'lab.yml:3 machines[0].networks[0].bridge: the bridge name is too long for a VLAN tag: PVE would make the interface abcdefghijklv100 [**abcdefghijkl.100**] → at most 10 characters',
    ],
  ],
  [
    'an alias of 41 characters',
    withNetworks({ bridge: 'a'.repeat(41) }),
    [`lab.yml:3 machines[0].networks[0].bridge: an alias has at most 40 characters [${'a'.repeat(41)}]`],
  ],
  [
    '33 NICs',
    withNetworks(...manyNetworks),
    [
      'lab.yml:3 machines[0].networks: 33 networks, but PVE allows 32 NICs → remove networks, or carry several VLANs on one NIC with trunks',
    ],
  ],
  [
    '32 NICs beside an ecorouter’s management port',
    withMachine({ device_type: 'ecorouter', networks: manyNetworks.slice(1) }),
    [
      'lab.yml:3 machines[0].networks: 32 networks, but PVE allows 31 NICs beside the management port → remove networks, or carry several VLANs on one NIC with trunks',
    ],
  ],
  [
    'MAC addresses',
    withNetworks(
      { bridge: 'hq', mac: '01:00:5e:00:00:01' },
      { bridge: 'hq', mac: 'BC:24:11:00:00:01' },
      { bridge: 'hq', mac: 'bc:24:11:00:00:01' },
      { bridge: 'hq', mac: 'BC-24-11-00-00-01' },
    ),
    [
      'lab.yml:3 machines[0].networks[0].mac: is no unicast MAC address [01:00:5E:00:00:01] → the second digit must be even, as in BC:24:11:00:00:01',
      'lab.yml:3 machines[0].networks[2].mac: the MAC address is used twice (first on line 3) [BC:24:11:00:00:01] → change one of them',
      'lab.yml:3 machines[0].networks[3].mac: does not have the expected form [BC-24-11-00-00-01] → for example: BC:24:11:00:00:01',
    ],
  ],
  [
    'an unknown NIC model',
    withNetworks({ bridge: 'hq', model: 'vmxnet' }),
    [
      'lab.yml:3 machines[0].networks[0].model: is not one of e1000, e1000-82540em, e1000-82544gc, e1000-82545em, e1000e, i82551, i82557b, i82559er, ne2k_isa, ne2k_pci, pcnet, rtl8139, virtio, vmxnet3 [vmxnet] → did you mean vmxnet3?',
    ],
  ],
  [
    'no template',
    labOf([{ device_type: 'linux', name: 'pc' }]),
    [
      'lab.yml:3 machines[0]: the machine has no template → add template_vmid: 100, template: its-name, or template_tag: a-tag-of-it',
    ],
  ],
  [
    'two templates',
    withMachine({ template: 'debian12' }),
    ['lab.yml:3 machines[0].template: template and template_vmid are both given → keep one of them'],
  ],
  [
    'a template VMID that is none',
    labOf([
      { ...BASE, template_vmid: 'x' },
      { ...BASE, name: 'b', template_vmid: 7 },
    ]),
    [
      'lab.yml:3 machines[0].template_vmid: does not have the expected form [x] → for example: 100',
      'lab.yml:4 machines[1].template_vmid: is too small; the least is 100 [7]',
    ],
  ],
  [
    'storage with a linked clone',
    withMachine({ storage: 'nfs' }),
    [
      'lab.yml:3 machines[0].storage: a linked clone stays on its template’s storage: PVE refuses storage for it [nfs] → add full_clone: true, or remove storage',
    ],
  ],
  [
    'unknown keys, with what was meant',
    withMachine({ netwoks: [], tag: 5, core: 2, wibble: 1 }),
    [
      'lab.yml:3 machines[0].netwoks: unknown key → did you mean networks?',
      'lab.yml:3 machines[0].tag: unknown key → it belongs in machines[].networks[]; did you mean tags?',
      'lab.yml:3 machines[0].core: unknown key → did you mean cores?',
      'lab.yml:3 machines[0].wibble: unknown key → known here: device_type, name, template_node, template_vmid, template, template_tag, full_clone, networks, cores, memory, storage, pool_role, cloud_init, start, start_order, baseline_snapshot, tags',
    ],
  ],
  [
    'missing keys',
    labOf([{ template_vmid: 100, networks: [{}] }]),
    [
      'lab.yml:3 machines[0].name: is missing → add name: for example student-pc',
      'lab.yml:3 machines[0].networks[0].bridge: is missing → add bridge: for example vmbr0',
    ],
  ],
  [
    'wrong types',
    withMachine({ cores: 'two', memory: null, full_clone: 'yes', start: 1, networks: {}, tags: 'a' }),
    [
      'lab.yml:3 machines[0].cores: must be a whole number, but is text [two] → for example: 2',
      'lab.yml:3 machines[0].memory: is empty; expected a whole number → give a value, or remove the line',
      'lab.yml:3 machines[0].full_clone: must be true or false [yes] → YAML reads yes, no, on and off as text',
      'lab.yml:3 machines[0].start: must be true or false, but is a number [1] → for example: true',
      'lab.yml:3 machines[0].networks: must be a list, but is a mapping (key: value) → for example: [ { bridge: vmbr0 }, { bridge: hq } ]',
      'lab.yml:3 machines[0].tags: must be a list, but is text [a] → for example: [ networking, year-2 ]',
    ],
  ],
  [
    'numbers that are none',
    'name: a\nmachines:\n  - { device_type: linux, name: pc, template_vmid: .nan, cores: .inf, memory: 1.5, networks: [] }\n',
    [
      'lab.yml:3 machines[0].template_vmid: must be a whole number or text, but is no number [NaN] → for example: 100',
      'lab.yml:3 machines[0].cores: must be a whole number, but is infinite [Infinity] → for example: 2',
      'lab.yml:3 machines[0].memory: must be a whole number, but is a fraction [1.5] → for example: 2048',
    ],
  ],
  [
    'a device type in the wrong case',
    withMachine({ device_type: 'Linux' }),
    ['lab.yml:3 machines[0].device_type: is not one of linux, ecorouter [Linux] → did you mean linux?'],
  ],
  [
    'a machine that is only a name',
    'name: a\nmachines:\n  - pc\n',
    [
      'lab.yml:3 machines[0]: must be a mapping (key: value), but is text [pc] → for example: { device_type: linux, name: student-pc, template_vmid: 100 }',
    ],
  ],
  [
    'no machines',
    'name: a\nmachines: []\n',
    ['lab.yml:2 machines: the list is empty → add at least one entry'],
  ],
  [
    'machines without a value',
    'name: a\nmachines:\n',
    ['lab.yml:2 machines: is empty; expected a list → give a value, or remove the line'],
  ],
  [
    'snapshot names',
    labOf([
      { ...BASE, baseline_snapshot: 'current' },
      { ...BASE, name: 'b', baseline_snapshot: '1st' },
    ]),
    [
      'lab.yml:3 machines[0].baseline_snapshot: PVE keeps this snapshot name for itself [current] → choose another name, or true for "baseline"',
      'lab.yml:4 machines[1].baseline_snapshot: does not have the expected form [1st] → for example: true',
    ],
  ],
  [
    'cloud-init for NICs that are not there',
    withMachine({ networks: [{ bridge: 'hq' }], cloud_init: { ip_config: ['ip=dhcp', 'ip=dhcp'] } }),
    [
      'lab.yml:3 machines[0].cloud_init.ip_config[1]: the machine has no NIC 1 → the NICs are numbered 0 to 0',
    ],
  ],
  [
    'a cloud-init IP setting that is none',
    withMachine({ networks: [{ bridge: 'hq' }], cloud_init: { ip_config: { 0: 'dhcp', x: 'ip=dhcp' } } }),
    [
      'lab.yml:3 machines[0].cloud_init.ip_config.0: does not have the expected form [dhcp] → for example: ip=dhcp',
      'lab.yml:3 machines[0].cloud_init.ip_config.x: is not a NIC number (0 to 31)',
    ],
  ],
  [
    'cloud-init texts that PVE refuses or spoils',
    withMachine({
      networks: [{ bridge: 'hq' }, { bridge: 'hq' }],
      cloud_init: {
        user: 'студент',
        password: 'пароль-hunter2',
        searchdomain: 'schüle.example, lab_1',
        nameserver: ['192.0.2.53', '192.0.2.53 dns_1'],
        ip_config: ['ip=192.0.2.10', 'ip6=auto,gw=192.0.2.1'],
      },
    }),
    [
      'lab.yml:3 machines[0].cloud_init.user: PVE spoils a login name that is not plain ASCII, and guests refuse one with blanks [студент] → use letters a–z, digits and . _ -, such as student',
      'lab.yml:3 machines[0].cloud_init.password: PVE cannot hash a password that is not plain ASCII → use letters a–z, digits and the signs of an English keyboard',
      'lab.yml:3 machines[0].cloud_init.searchdomain: is no domain, and no list of domains separated by blanks [schüle.example, lab_1] → for example: lab.example',
      'lab.yml:3 machines[0].cloud_init.nameserver[1]: PVE takes addresses only [192.0.2.53 dns_1] → for example: 192.0.2.53 2001:db8::53',
      'lab.yml:3 machines[0].cloud_init.ip_config[0]: PVE refuses ip=192.0.2.10 [ip=192.0.2.10] → for example: ip=192.0.2.10/24,gw=192.0.2.1,ip6=2001:db8::10/64, or ip=dhcp',
      'lab.yml:3 machines[0].cloud_init.ip_config[1]: PVE refuses gw without ip [ip6=auto,gw=192.0.2.1] → for example: ip=192.0.2.10/24,gw=192.0.2.1,ip6=2001:db8::10/64, or ip=dhcp',
    ],
  ],
  [
    'search domains with another separator, and an address twice',
    withMachine({
      networks: [{ bridge: 'hq' }],
      cloud_init: { searchdomain: 'a.example,schüle.example', ip_config: ['ip=dhcp,ip=dhcp'] },
    }),
    [
      'lab.yml:3 machines[0].cloud_init.searchdomain: is no domain, and no list of domains separated by blanks [a.example,schüle.example] → write a.example xn--schle-mva.example',
      'lab.yml:3 machines[0].cloud_init.ip_config[0]: PVE refuses a key that is given twice [ip=dhcp,ip=dhcp] → for example: ip=192.0.2.10/24,gw=192.0.2.1,ip6=2001:db8::10/64, or ip=dhcp',
    ],
  ],
  [
    'a private key, which is not shown',
    withMachine({ cloud_init: { ssh_keys: ['-----BEGIN OPENSSH PRIVATE KEY----- hunter2'] } }),
    [
      'lab.yml:3 machines[0].cloud_init.ssh_keys[0]: this is a private key → paste the line of a .pub file: ssh-ed25519 AAAA… comment',
    ],
  ],
  [
    'a cloud-init password of the wrong type, which is not shown',
    withMachine({ cloud_init: { password: ['hunter2'] } }),
    ['lab.yml:3 machines[0].cloud_init.password: must be text, but is a list → for example: change-me-2026'],
  ],
  [
    'strategy specific without a node',
    withTop('placement: { strategy: specific }'),
    [
      'lab.yml:4 placement.strategy: strategy specific needs a node [specific] → add placement.node: pve1, or give --node on the command line',
    ],
  ],
  [
    'a node with another strategy',
    withTop('placement: { strategy: local, node: pve1 }'),
    [
      'lab.yml:4 placement.node: strategy local takes no node [pve1] → use strategy: specific, or nodes: for a choice of nodes',
    ],
  ],
  [
    'a node that is wanted and excluded',
    withTop('placement: { nodes: [pve1, pve2], exclude: [pve2] }'),
    [
      'lab.yml:4 placement.exclude[0]: the node is in nodes and in exclude [pve2] → remove it from one of the two',
    ],
  ],
  [
    'the specific node excluded, and not among nodes',
    withTop('placement: { node: pve1, nodes: [pve2], exclude: [pve1] }'),
    [
      'lab.yml:4 placement.node: the node is not among nodes [pve1] → add pve1 to nodes, or remove nodes',
      'lab.yml:4 placement.exclude[0]: the stands’ node is excluded [pve1] → remove it from one of the two',
    ],
  ],
  [
    'an empty choice of nodes',
    withTop('placement: { nodes: [] }'),
    ['lab.yml:4 placement.nodes: the list is empty → add at least one entry'],
  ],
  [
    'a reserve of everything',
    withTop('placement: { reserve: { memory: 100%, cores: all } }'),
    [
      'lab.yml:4 placement.reserve.memory: nothing of the node would be left [100%]',
      'lab.yml:4 placement.reserve.cores: does not have the expected form [all] → for example: 2',
    ],
  ],
  [
    'limits and groups that are none',
    withTop(
      'placement: { max_stands_per_node: 0, overcommit: { memory: 0.5 }, linked_growth: 20, spread: [[a@pve]] }',
    ),
    [
      'lab.yml:4 placement.max_stands_per_node: is too small; the least is 1 [0]',
      'lab.yml:4 placement.overcommit.memory: is too small; the least is 1 [0.5]',
      'lab.yml:4 placement.linked_growth: does not have the expected form [20] → for example: 20%',
      'lab.yml:4 placement.spread[0]: the list has fewer than 2 entries',
    ],
  ],
  [
    'the same users apart and together',
    withTop('placement: { spread: [[a@pve, b@pve, c@pve]], together: [[b@pve, d@pve, c@pve]] }'),
    [
      'lab.yml:4 placement.together[0][2]: `spread` keeps this user apart from b@pve, `together` does not [c@pve] → remove one of the two groups',
    ],
  ],
  [
    'a user in two groups that belong together, and twice in one that is kept apart',
    withTop('placement: { together: [[a@pve, b@pve], [b@pve, c@pve]], spread: [[d@pve, d@pve]] }'),
    [
      'lab.yml:4 placement.together[1][0]: the user is in `together` twice (first on line 4) [b@pve] → make one group of both',
      'lab.yml:4 placement.spread[0][1]: the group names the user twice (first on line 4) [d@pve] → remove one of them',
    ],
  ],
  [
    'pins that nothing can keep',
    withTop(
      'placement: { nodes: [pve1, pve2], exclude: [pve9], pin: { a@pve: pve9, b@pve: [pve1, pve3] }, together: [[c@pve, b@pve]] }',
    ),
    [
      'lab.yml:4 placement.pin["a@pve"]: the node is in exclude [pve9] → pin the user to another node, or mend the list',
      'lab.yml:4 placement.pin["b@pve"][1]: the node is not among nodes [pve3] → pin the user to another node, or mend the list',
    ],
  ],
  [
    'a group whose pins have no node in common, and a pin that the strategy overrules',
    withTop('placement: { node: pve1, pin: { a@pve: pve1, b@pve: pve2 }, together: [[a@pve, b@pve]] }'),
    [
      'lab.yml:4 placement.pin["b@pve"]: all stands go to pve1 [pve2] → pin the user to another node, or mend the list',
      'lab.yml:4 placement.together[0][1]: the pins of this group leave it no common node [b@pve] → pin its users to one node, or remove the group',
    ],
  ],
  [
    'a pin with strategy local',
    withTop('placement: { strategy: local, pin: { a@pve: pve1 } }'),
    [
      'lab.yml:4 placement.pin: strategy local follows the templates and keeps no pin → use strategy balanced or smart, or remove pin',
    ],
  ],
  [
    'VMID ranges',
    withTop('vmid_range: 500-200'),
    ['lab.yml:4 vmid_range: the range ends before it starts [500-200] → write 200-500'],
  ],
  [
    'a VMID range that is none',
    withTop('vmid_range: many'),
    ['lab.yml:4 vmid_range: is no range of VMIDs [many] → write "20000-29999"'],
  ],
  [
    'a VMID range below 100',
    withTop('vmid_range: 010-200'),
    ['lab.yml:4 vmid_range: PVE keeps VMIDs below 100 for itself [10-200] → start at 100 or above'],
  ],
  [
    'bridge ranges',
    withTop('bridge_range: 1999-1000'),
    ['lab.yml:4 bridge_range: the range ends before it starts [1999-1000] → write 1000-1999'],
  ],
  [
    'a bridge range that is none',
    withTop('bridge_range: many'),
    ['lab.yml:4 bridge_range: is no range of bridge numbers [many] → write "1000-1999"'],
  ],
  [
    'a bridge range beyond what PVE knows everywhere',
    withTop('bridge_range: 4000-5000'),
    [
      'lab.yml:4 bridge_range: bridges of stands are called vmbr1000 to vmbr4094 [4000-5000] → stay within 1000-4094',
    ],
  ],
  [
    'a day that does not exist',
    withTop('expires: 2026-02-30'),
    ['lab.yml:4 expires: is no date [2026-02-30] → write YYYY-MM-DD, for example 2026-12-24'],
  ],
  [
    'a day as half of Europe writes it',
    withTop('expires: 24.12.2026'),
    ['lab.yml:4 expires: is no date [24.12.2026] → write 2026-12-24'],
  ],
  [
    'passwords that no version accepts',
    withTop('passwords: { length: 4, alphabet: letters }'),
    [
      'lab.yml:4 passwords.length: is too small; the least is 5 [4]',
      'lab.yml:4 passwords.alphabet: is not one of unambiguous, digits [letters]',
    ],
  ],
  [
    'a role that is none',
    withTop('access: { role: "PVE Admin" }'),
    ['lab.yml:4 access.role: does not have the expected form [PVE Admin] → for example: student'],
  ],
  [
    'a name of the lab that is none',
    labOf([BASE]).replace('net-lab', 'Net_Lab'),
    [
      'lab.yml:1 name: a lab name has 1 to 31 characters: a–z, 0–9 and hyphens, no hyphen first [Net_Lab] → for example: net-lab',
    ],
  ],
])('%s', (_, text, expected) => {
  expect(found(text)).toEqual(expected);
});

test('a lab whose file has no name either says which line to add', () => {
  const text = labOf([BASE]).replace('name: net-lab\n', '');
  expect(problems(() => parseLab(text, 'labs/__.yml'))).toEqual([
    'labs/__.yml:1:1 name: the lab has no name, and none can be made of "__", its file\'s → add a line `name: my-lab` at the top of labs/__.yml, or give --lab-name my-lab',
  ]);
  expect(problems(() => parseLab(text, '-'))).toEqual([
    '-:1:1 name: the lab has no name, and what is read from stdin has no file name to make one of → add a line `name: my-lab` at the top, or give --lab-name my-lab',
  ]);
  expect(problems(() => parseLab(text, 'lab.yml', { name: '***' }))).toEqual([
    'lab.yml:1:1 name: a lab name has 1 to 31 characters: a–z, 0–9 and hyphens, no hyphen first [***] → for example: router-lab',
  ]);
  expect(problems(() => parseLab(text, 'lab.yml', { name: 'Имя' }))).toEqual([
    'lab.yml:1:1 name: a lab name has 1 to 31 characters: a–z, 0–9 and hyphens, no hyphen first [Имя] → for example: imya',
  ]);
});

test('places are those of the file, in its order', () => {
  const text = `# a lab
name: net-lab

machines:
  - device_type: linux
    name: pc_1
    template_vmid: 100
    networks:
      - bridge: vmbr0
      - bridge: hq
        tag: 5000
  - device_type: router
    name:  pc_1
    nmae: x
`;
  const places = problems(() => parseLab(text, 'lab.yml')).map((line) => line.replace(/: .*$/, ''));
  expect(places).toEqual([
    'lab.yml:6:11 machines[0].name',
    'lab.yml:11:14 machines[0].networks[1].tag',
    'lab.yml:12:5 machines[1]',
    'lab.yml:12:18 machines[1].device_type',
    'lab.yml:13:12 machines[1].name',
    'lab.yml:13:12 machines[1].name',
    'lab.yml:14:5 machines[1].nmae',
  ]);
});

test('a users file in the place of a lab', () => {
  expect(problems(() => parseLab('users:\n  - a@pve\n', 'users.yml'))).toEqual([
    'users.yml:1:1: this is a users file, not a lab (it has "users:" and no "machines:") → give it with -u, and the lab with -c',
  ]);
  expect(problems(() => parseLab('- a@pve\n', 'users.yml'))).toEqual([
    'users.yml:1:1: this is no lab: a mapping with "machines:" is expected → a lab starts with "machines:"; a list of users is given with -u',
  ]);
});

test('a bridge range that leaves that of the connection', () => {
  const outerBridges = { connection: 'main', range: { first: 1000, last: 1999 } };
  const lines = problems(() => parseLab(withTop('bridge_range: 1900-2099'), 'lab.yml', { outerBridges }));
  expect(lines).toEqual([
    'lab.yml:4:15 bridge_range: is not inside bridge_range 1000-1999 of connection "main" [1900-2099] → choose numbers from 1000-1999, or leave bridge_range out',
  ]);
});
