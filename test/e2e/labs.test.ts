/** Every lab of the seeds' formats for ten users on each PVE version, asserted object by object. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nicsOf } from './cluster-view.ts';
import { runCli, scenario, startCluster, workFolder, writeFiles } from './harness.ts';

interface Case {
  readonly lab: string;
  readonly users: string;
  /** Machine → its NICs; `{alias}` stands for the user's own bridge. */
  readonly machines: Readonly<Record<string, readonly string[]>>;
  /** Alias → is the bridge VLAN-aware? */
  readonly aliases: Readonly<Record<string, boolean>>;
}

const MANAGEMENT = 'net0 vmxnet3 vmbr0 down router-mac';

const cases: Record<string, Case> = {
  'single-vm': {
    lab: 'examples/single-vm/lab.yml',
    users: 'examples/single-vm/users.yml',
    machines: { 'student-vm': ['net0 virtio vmbr0 firewall'] },
    aliases: {},
  },
  'router-lab': {
    lab: 'examples/router-lab/lab.yml',
    users: 'examples/dmz-lab/users.yml',
    machines: {
      router: [MANAGEMENT, 'net1 vmxnet3 vmbr0 router-mac', 'net2 vmxnet3 {lan} router-mac'],
      host1: ['net0 virtio {lan} firewall'],
      host2: ['net0 virtio {lan} firewall'],
    },
    aliases: { lan: false },
  },
  'dmz-lab': {
    lab: 'examples/dmz-lab/lab.yml',
    users: 'examples/dmz-lab/users.yml',
    machines: {
      gateway: [
        MANAGEMENT,
        'net1 vmxnet3 vmbr0 router-mac',
        'net2 vmxnet3 {dmz} router-mac',
        'net3 vmxnet3 {lan} router-mac',
      ],
      'web-server': ['net0 virtio {dmz} firewall'],
      client: ['net0 virtio {lan} firewall'],
    },
    aliases: { dmz: false, lan: false },
  },
  'ecorouter-lab': {
    lab: 'examples/ecorouter-lab/lab.yml',
    users: 'examples/ecorouter-lab/users.yml',
    machines: {
      eco: [MANAGEMENT, 'net1 vmxnet3 vmbr0 router-mac', 'net2 vmxnet3 {hq} router-mac'],
      lin: ['net0 virtio {hq} firewall'],
    },
    aliases: { hq: false },
  },
  'vlan-lab': {
    lab: 'vlan.yml',
    users: 'examples/vlan-lab/users.yml',
    machines: {
      a: ['net0 virtio {hq} firewall', 'net1 virtio {hq} tag=100 firewall'],
      b: ['net0 virtio {hq} tag=100 firewall'],
    },
    aliases: { hq: true },
  },
  'reserved-bridge': {
    lab: 'reserved.yml',
    users: 'examples/reserved-bridge/users.yml',
    machines: {
      'student-pc': [
        'net0 virtio vmbr0 firewall',
        'net1 virtio {lab-net} firewall',
        'net2 virtio vmbr777 firewall',
      ],
    },
    aliases: { 'lab-net': false },
  },
};

/** As the seeds write them: quoted and unquoted, with an upper-case node and comments in Russian. */
const SEED_FILES = {
  'vlan.yml': `machines:
  - device_type: linux   # машина с тегом
    name: a
    template_node: SRV1-PVE
    template_vmid: 101
    networks:
      - bridge: hq
      - bridge: hq.100
  - device_type: "linux"
    name: "b"
    template_vmid: 101
    networks:
      - bridge: "hq.100"
        reserved: false
`,
  'reserved.yml': `machines:
  - device_type: "linux"           # Тип: linux или ecorouter
    name: "student-pc"             # Имя создаваемой машины
    template_node: "pve1"          # Нода где находится шаблон
    template_vmid: 100             # VMID шаблона-источника
    networks:
      - bridge: "vmbr0"            # Интернет
      - bridge: "lab-net"          # Локальная сеть
      - bridge: "**vmbr777**"      # Зарезервированный интерфейс
    full_clone: false              # false = linked clone, true = full clone
`,
};

const root = new URL('../../', import.meta.url).pathname;

function pathOf(file: string, folder: string): string {
  return file.startsWith('examples/') ? join(root, file) : join(folder, file);
}

function usersOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^\s*-\s*"?([\w.-]+@pve)/gm)].map((match) => match[1]!);
}

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version) => {
  test.each(Object.keys(cases))('%s', async (name) => {
    const { lab, users, machines, aliases } = cases[name]!;
    const folder = workFolder();
    writeFiles(folder, SEED_FILES);
    const simulator = await startCluster({ scenario: scenario({ version }) });
    const before = simulator.snapshot();
    const usersFile = pathOf(users, folder);
    const role = lab.startsWith('examples/') ? 'DeployStandStudent' : 'PVEVMAdmin';
    const run = await runCli(
      ['deploy', '-c', pathOf(lab, folder), '-u', usersFile, '--credentials', join(folder, 'c.csv')],
      simulator,
    );
    expect(run.stderr + run.stdout).toContain('10 stands: 10 complete');
    expect(run.code).toBe(0);
    const state = simulator.snapshot();
    const userids = usersOf(usersFile);
    expect(userids).toHaveLength(10);
    const given = new Set<string>();
    for (const userid of userids) {
      const pool = userid.split('@')[0]!;
      expect(state.users.find((user) => user.userid === userid)?.comment).toMatch(/^deploy-stand since=/);
      expect(state.acl.filter((entry) => entry.subject === userid)).toEqual([
        { path: `/pool/${pool}`, type: 'user', subject: userid, role, propagate: true },
      ]);
      const members = state.pools.find((entry) => entry.poolid === pool)!.vms;
      const guests = state.guests.filter((guest) => members.includes(guest.vmid));
      expect(guests.map((guest) => guest.config['name']).sort()).toEqual(Object.keys(machines).sort());
      const [node] = guests.map((guest) => guest.node);
      const bridges = new Map<string, string>();
      const host = state.nodes.find((entry) => entry.name === node)!;
      for (const row of host.interfaces) {
        const match = new RegExp(`user=${userid} net=(\\S+)`).exec(row.options['comments'] ?? '');
        if (!match) continue;
        bridges.set(match[1]!, row.iface);
        expect(row.iface).toMatch(/^vmbr1\d{3}$/);
        expect(given).not.toContain(row.iface);
        given.add(row.iface);
        expect(host.running[row.iface]?.vlanAware).toBe(aliases[match[1]!]);
      }
      expect([...bridges.keys()].sort()).toEqual(Object.keys(aliases).sort());
      for (const guest of guests) {
        expect(guest.node).toBe(node);
        const expected = machines[guest.config['name']!]!.map((text) =>
          text.replace(/\{(.+?)\}/, (_, alias: string) => bridges.get(alias)!),
        );
        expect(nicsOf(guest)).toEqual(expected);
        expect(guest.config['description']).toContain(`user=${userid}`);
        expect(guest.config['lock']).toBeUndefined();
      }
    }
    const foreign = new Set(before.guests.map((guest) => guest.vmid));
    const core = (guests: typeof state.guests) =>
      guests.map(({ vmid, node, config }) => ({ vmid, node, config }));
    expect(core(state.guests.filter((guest) => foreign.has(guest.vmid)))).toEqual(core(before.guests));
    expect(state.pools.some((pool) => pool.poolid === 'deploy-stand-lock')).toBe(false);
    expect(state.nodes.filter((entry) => entry.staged !== undefined)).toEqual([]);
  });
});
