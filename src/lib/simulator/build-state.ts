/** Turns a scenario into the state of a cluster that has been running for a day. Pure, given the scenario's seed. */
import { defaultLatency, type Latency } from './latency.ts';
import { runningAfterReload } from './ifreload.ts';
import { portsOf, readInterfaces, writeInterfaces } from './interfaces-write.ts';
import { vnetBridges } from './sdn.ts';
import { placeGuests } from './place-guests.ts';
import { nodesOf } from './scenario-nodes.ts';
import { randomUuid, secretHash } from './secrets.ts';
import type {
  ScenarioBridge,
  ScenarioNode,
  ScenarioStorage,
  ScenarioUser,
  Scenario,
} from './scenario-types.ts';
import type {
  AclState,
  ClusterState,
  InterfaceState,
  NodeState,
  SdnState,
  StorageState,
  UserState,
} from './state.ts';
import { versionFacts } from './version.ts';
import { World } from './world.ts';

const gib = 1024 ** 3;
const dayMs = 86_400_000;
const sharedTypes = new Set(['nfs', 'cifs', 'rbd']);
const rootToken = 'deploy-stand';

const defaultStart = '2026-09-01T08:00:00Z';

function bridgeStanza(bridge: string | ScenarioBridge): InterfaceState {
  const {
    name,
    vlan_aware,
    ports,
    comments,
    autostart,
    type = 'bridge',
  } = typeof bridge === 'string' ? { name: bridge } : bridge;
  return {
    iface: name,
    type,
    options: {
      ...(autostart === false ? {} : { autostart: '1' }),
      ...(ports === undefined ? {} : { [type === 'bridge' ? 'bridge_ports' : 'ovs_ports']: ports }),
      ...(vlan_aware === true ? { bridge_vlan_aware: '1' } : {}),
      ...(comments === undefined ? {} : { comments }),
    },
  };
}

const uplink = 'eno1';

function interfacesOf(node: ScenarioNode, index: number): InterfaceState[] {
  const bridges = (node.bridges ?? ['vmbr0']).map(bridgeStanza).map((one) =>
    one.iface === 'vmbr0'
      ? patched(one, {
          ...(one.type === 'bridge' ? { bridge_ports: uplink } : { ovs_ports: uplink }),
          ...one.options,
          method: 'static',
          cidr: `192.0.2.${(index % 250) + 1}/24`,
          gateway: '192.0.2.254',
        })
      : one,
  );
  const own = (node.interfaces ?? []).map(({ iface, type, options = {} }) => ({ iface, type, options }));
  const named = new Set(own.map(({ iface }) => iface));
  const ports = [...bridges, ...own].flatMap(({ options }) => portsOf(options));
  // A VLAN of a port needs no stanza.
  const nics = [...new Set([uplink, ...ports])].filter((iface) => !named.has(iface) && !iface.includes('.'));
  const stanzas = [
    { iface: 'lo', type: 'loopback', options: { autostart: '1', method: 'loopback' } },
    ...nics.map((iface) => ({ iface, type: 'eth', options: {} })),
    ...own,
    ...bridges,
  ];
  return writeInterfaces(stanzas, []);
}

function patched(one: InterfaceState, options: InterfaceState['options']): InterfaceState {
  return { ...one, options };
}

function buildNode(node: ScenarioNode, index: number, start: number, sdn: SdnState): NodeState {
  const interfaces = interfacesOf(node, index);
  const { name, cpus = 32, memory_gib = 128, base_load = 0.02, online = true, maintenance = false } = node;
  const { sourced_bridges: sourcedBridges, hand_made_bridges: handMadeBridges } = node;
  const unlisted = {
    ...(sourcedBridges ? { sourcedBridges } : {}),
    ...(handMadeBridges ? { handMadeBridges } : {}),
  };
  return {
    name,
    id: index + 1,
    cpus,
    memory: memory_gib * gib,
    rootfs: 96 * gib,
    online,
    ...(online ? {} : { offlineSince: start - dayMs }),
    ...(node.offline_at_s === undefined ? {} : { offlineAt: start + node.offline_at_s * 1000 }),
    maintenance,
    bootTime: start - dayMs,
    baseLoad: base_load,
    ...(node.cpu_model === undefined ? {} : { cpuModel: node.cpu_model }),
    ...(node.pve_version === undefined ? {} : { pveVersion: node.pve_version }),
    fingerprint: Array.from({ length: 32 }, (_, i) => ((i * 7 + index) % 256).toString(16).padStart(2, '0'))
      .join(':')
      .toUpperCase(),
    interfaces,
    ...(node.staged ? { staged: [...interfaces, ...readInterfaces(node.staged.map(bridgeStanza))] } : {}),
    ...unlisted,
    running: runningAfterReload({ interfaces, running: {}, ...unlisted }, vnetBridges(sdn, name)),
    ...(sdn.version === undefined ? {} : { sdnVersion: sdn.version }),
    cyclePhase: (index * 1_370) % 10_000,
  };
}

/** What the scenario has was applied long ago. */
function sdnOf(scenario: Scenario): SdnState {
  const { zones = [], vnets = [] } = scenario.sdn ?? {};
  return {
    // Installed by default since 8.1, an optional package before.
    installed: versionFacts(scenario.version ?? '8.4').major > 7 || scenario.sdn !== undefined,
    zones: zones.map(({ zone, type, nodes, bridge, peers }) => ({
      zone,
      type,
      options: {
        ...(nodes ? { nodes: nodes.join(',') } : {}),
        ...(bridge === undefined ? {} : { bridge }),
        ...(peers ? { peers: peers.join(',') } : {}),
      },
    })),
    vnets: vnets.map((one) => ({ ...one, vlanaware: one.vlanaware === true })),
    ...(zones.length === 0 ? {} : { version: 1 }),
  };
}

function buildStorage(storage: ScenarioStorage, nodes: readonly ScenarioNode[]): StorageState {
  const { id, type, disabled = false, offline = [], size_gib = 1000, used_gib = 0 } = storage;
  const offlineOn = typeof offline === 'boolean' ? (offline ? nodes.map(({ name }) => name) : []) : offline;
  const shared = storage.shared ?? sharedTypes.has(type);
  return {
    storage: id,
    type,
    content: storage.content ?? ['images', 'rootdir'],
    shared: shared || sharedTypes.has(type),
    ...(storage.nodes ? { nodes: storage.nodes } : {}),
    disabled,
    ...(offlineOn.length === 0 ? {} : { offlineOn }),
    size: size_gib * gib,
    used: used_gib * gib,
    options: {},
    ...(storage.lock_s === undefined ? {} : { lockSeconds: storage.lock_s }),
  };
}

function buildUser(user: ScenarioUser): UserState {
  const {
    userid,
    password,
    comment = '',
    email = '',
    enable = true,
    expire = 0,
    groups = [],
    totp,
    tokens = [],
  } = user;
  return {
    userid,
    enable,
    expire,
    comment,
    email,
    firstname: '',
    lastname: '',
    keys: '',
    groups: [...groups],
    ...(password === undefined ? {} : { passwordHash: secretHash(userid, password) }),
    ...(totp === undefined ? {} : { totp }),
    tokens: Object.fromEntries(
      tokens.map(({ id, secret, privsep = true }) => [
        id,
        { privsep, expire: 0, comment: '', secretHash: secretHash(`${userid}!${id}`, secret) },
      ]),
    ),
  };
}

function rootUser(scenario: Scenario, secret: string): UserState {
  const password = scenario.root_password ?? 'simulator';
  return buildUser({
    userid: 'root@pam',
    password,
    tokens: [{ id: rootToken, secret, privsep: false }],
  });
}

function aclOf(scenario: Scenario): AclState[] {
  return (scenario.acl ?? []).map(({ path, role, user, group, token, propagate = true }) => {
    const type = user !== undefined ? 'user' : group !== undefined ? 'group' : 'token';
    return { path, role, type, subject: user ?? group ?? token ?? '', propagate };
  });
}

function haOf(scenario: Scenario): ClusterState['ha'] {
  const { groups = [], rules = [] } = scenario.ha ?? {};
  const guests = scenario.guests ?? [];
  const sidOf = (vmid: number): string =>
    `${guests.find((one) => one.vmid === vmid)?.type === 'lxc' ? 'ct' : 'vm'}:${vmid}`;
  return {
    resources: guests
      .filter((one) => one.ha === true)
      .map(({ vmid, running }) => {
        const group = groups.find((one) => one.vmids?.includes(vmid))?.group;
        const state = running === false ? 'stopped' : 'started';
        return { sid: sidOf(vmid), state, ...(group === undefined ? {} : { group }) };
      }),
    groups: groups.map(({ group, nodes, restricted = false, nofailback = false }) => ({
      ...{ group, nodes, restricted, nofailback },
    })),
    rules: rules.map(({ rule, type, vmids, nodes = [], strict = false, affinity }) => ({
      ...{ rule, type, resources: vmids.map(sidOf), nodes, strict },
      ...(affinity === undefined ? {} : { affinity }),
    })),
  };
}

/** Everything but guests and their disks. */
function emptyState(scenario: Scenario): ClusterState {
  const start = Date.parse(scenario.clock?.start ?? defaultStart);
  const seeded = new World(blank(scenario, start));
  const secret = randomUuid(seeded);
  const ticketKey = randomUuid(seeded);
  const users = (scenario.users ?? []).map(buildUser);
  return {
    ...blank(scenario, start),
    randomState: seeded.randomState,
    ticketKey,
    credentials: {
      tokenId: `root@pam!${rootToken}`,
      secret,
      user: 'root@pam',
      password: scenario.root_password ?? 'simulator',
    },
    users: [rootUser(scenario, secret), ...users.filter((user) => user.userid !== 'root@pam')],
  };
}

function blank(scenario: Scenario, start: number): ClusterState {
  const version = scenario.version ?? '8.4';
  const sdn = sdnOf(scenario);
  const nodes = nodesOf(scenario);
  return {
    format: 1,
    version,
    name: scenario.name ?? 'simulated',
    now: start,
    randomState: (scenario.seed ?? 1) >>> 0,
    nextPid: 4_000,
    ticketKey: '',
    credentials: { tokenId: '', secret: '', user: '', password: '' },
    nodes: nodes.map((node, i) => buildNode(node, i, start, sdn)),
    storages: scenario.storages.map((one) => buildStorage(one, nodes)),
    volumes: [],
    guests: [],
    realms: [
      { realm: 'pam', type: 'pam', comment: 'Linux PAM standard authentication' },
      { realm: 'pve', type: 'pve', comment: 'Proxmox VE authentication server' },
      ...(scenario.realms ?? []).map((one) => ({ ...one, comment: '' })),
    ],
    users: [],
    groups: Object.fromEntries((scenario.groups ?? []).map((one) => [one.group, one.comment ?? ''])),
    roles: scenario.roles ?? {},
    acl: aclOf(scenario),
    pools: (scenario.pools ?? []).map((one) => ({
      poolid: one.pool,
      comment: one.comment ?? '',
      vms: one.vms ?? [],
      storage: one.storages ?? [],
    })),
    datacenter: { keyboard: 'en-us', ...scenario.datacenter },
    sdn,
    ha: haOf(scenario),
    tasks: [],
  };
}

export function buildState(scenario: Scenario): ClusterState {
  const state = emptyState(scenario);
  const world = new World(state);
  placeGuests(scenario, world, state.now);
  return world.toState(state.now, []);
}

export function latencyOf(scenario: Scenario): Latency {
  return { ...defaultLatency, ...scenario.latency };
}
