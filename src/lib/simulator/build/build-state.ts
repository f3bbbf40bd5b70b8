/** Turns a scenario into the state of a cluster that has been running for a day. Pure, given the scenario's seed. */
import { defaultLatency, type Latency } from '../time/latency.ts';
import { buildNode } from './build-node.ts';
import { placeGuests } from './place-guests.ts';
import { nodesOf } from './scenario-nodes.ts';
import { randomUuid, secretHash } from '../access/secrets.ts';
import type { ScenarioNode, ScenarioStorage, ScenarioUser, Scenario } from '../scenario-types.ts';
import { without } from '../without.ts';
import type { AclState, ClusterState, SdnState, StorageState, UserState, VnetState } from '../state.ts';
import { usualVersion, versionFacts } from '../version.ts';
import { World } from '../world.ts';

const gib = 1024 ** 3;
const sharedTypes = new Set(['nfs', 'cifs', 'rbd']);
const rootToken = 'deploy-stand';

const defaultStart = '2026-09-01T08:00:00Z';

/** What the scenario has was applied long ago, except where it says that it is staged. */
function sdnOf(scenario: Scenario): SdnState {
  const { zones = [], vnets = [] } = scenario.sdn ?? {};
  const vnetStates = (list: typeof vnets): VnetState[] =>
    list.map((one) => ({ ...without(one, 'staged'), vlanaware: one.vlanaware === true }));
  const applied = vnets.filter(({ staged }) => staged !== true);
  const zoneStates = zones.map(({ zone, type, nodes, bridge, peers, mtu }) => ({
    zone,
    type,
    options: {
      ...(nodes ? { nodes: nodes.join(',') } : {}),
      ...(bridge === undefined ? {} : { bridge }),
      ...(peers ? { peers: peers.join(',') } : {}),
      ...(mtu === undefined ? {} : { mtu: String(mtu) }),
    },
  }));
  return {
    // Installed by default since 8.1, an optional package before.
    installed: versionFacts(scenario.version ?? usualVersion).major > 7 || scenario.sdn !== undefined,
    zones: zoneStates,
    vnets: vnetStates(vnets),
    ...(applied.length < vnets.length ? { running: { zones: zoneStates, vnets: vnetStates(applied) } } : {}),
    ...(zones.length === 0 ? {} : { version: 1 }),
  };
}

/** As a node knows it that has not generated anything yet. */
function sdnFor(node: string, sdn: SdnState, scenario: Scenario): SdnState {
  if (scenario.sdn?.pending_on?.includes(node) !== true) return sdn;
  return { ...sdn, running: { zones: [], vnets: [] }, version: 0 };
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
    ...(storage.cache_s === undefined ? {} : { cacheSeconds: storage.cache_s }),
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
  const empty = blank(scenario, start);
  const seeded = new World(empty);
  const secret = randomUuid(seeded);
  const ticketKey = randomUuid(seeded);
  const users = (scenario.users ?? []).map(buildUser);
  return {
    ...empty,
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
  const version = scenario.version ?? usualVersion;
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
    nodes: nodes.map((node, i) => buildNode(node, i, start, sdnFor(node.name, sdn, scenario))),
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
    ...(scenario.mappings ? { mappings: scenario.mappings } : {}),
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
