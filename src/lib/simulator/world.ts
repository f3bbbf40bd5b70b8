/** The cluster in memory: the maps behind ClusterState. Owns consistency of the indexes, no PVE behaviour. */
import type {
  AclState,
  ClusterState,
  GuestState,
  HaGroupState,
  HaResourceState,
  HaRuleState,
  MappingState,
  NodeState,
  RealmState,
  SdnState,
  StorageState,
  UserState,
  VolumeState,
} from './state.ts';
import { rewrittenEmail, rewrittenUserid } from './access/user-config.ts';

export interface Pool {
  readonly poolid: string;
  comment: string;
  readonly vms: Set<number>;
  readonly storage: Set<string>;
}

/** Roles of one subject on one path, with their propagate flag. */
type RoleGrants = Map<string, boolean>;
export interface AclNode {
  readonly user: Map<string, RoleGrants>;
  readonly group: Map<string, RoleGrants>;
  readonly token: Map<string, RoleGrants>;
}

type Fixed = Pick<ClusterState, 'version' | 'name' | 'ticketKey' | 'credentials'>;

export class World {
  readonly fixed: Fixed;
  sdn: SdnState;
  randomState: number;
  nextPid: number;
  readonly nodes: ReadonlyMap<string, NodeState>;
  readonly storages: ReadonlyMap<string, StorageState>;
  readonly realms: ReadonlyMap<string, RealmState>;
  readonly guests = new Map<number, GuestState>();
  readonly users = new Map<string, UserState>();
  readonly groups = new Map<string, string>();
  readonly roles = new Map<string, ReadonlySet<string>>();
  readonly acl = new Map<string, AclNode>();
  readonly pools = new Map<string, Pool>();
  readonly datacenter: Record<string, string>;
  readonly mappings: readonly MappingState[];
  readonly haResources = new Map<string, HaResourceState>();
  haGroups: readonly HaGroupState[];
  haRules: readonly HaRuleState[];
  /** Counts changes of user.cfg, so that permission caches know when they are stale. */
  userConfigGeneration = 0;
  /** The other nodes are up, but do not count: the network between them is broken. */
  quorumLost: boolean;
  readonly #volumes = new Map<string, VolumeState>();
  readonly #volumesOf = new Map<number, Set<VolumeState>>();
  readonly #volumeUse = new Map<string, number>();
  readonly #guestsByNode = new Map<string, Set<GuestState>>();
  readonly #poolOf = new Map<number, string>();

  constructor(state: ClusterState) {
    const { version, name, ticketKey, credentials, sdn } = state;
    this.fixed = { version, name, ticketKey, credentials };
    this.sdn = sdn;
    this.randomState = state.randomState;
    this.nextPid = state.nextPid;
    this.quorumLost = state.quorumLost === true;
    this.nodes = new Map(state.nodes.map((node) => [node.name, node]));
    this.storages = new Map(state.storages.map((storage) => [storage.storage, storage]));
    this.realms = new Map(state.realms.map((realm) => [realm.realm, realm]));
    this.datacenter = { ...state.datacenter };
    this.mappings = state.mappings ?? [];
    this.haGroups = state.ha.groups;
    this.haRules = state.ha.rules ?? [];
    for (const node of state.nodes) this.#guestsByNode.set(node.name, new Set());
    for (const guest of state.guests) this.addGuest(guest);
    for (const volume of state.volumes) this.addVolume(volume);
    for (const user of state.users) this.users.set(user.userid, user);
    for (const [group, comment] of Object.entries(state.groups)) this.groups.set(group, comment);
    for (const [role, privs] of Object.entries(state.roles)) this.roles.set(role, new Set(privs));
    for (const entry of state.acl) this.grant(entry);
    for (const resource of state.ha.resources) this.haResources.set(resource.sid, resource);
    for (const pool of state.pools) {
      this.pools.set(pool.poolid, { ...pool, vms: new Set(), storage: new Set(pool.storage) });
      for (const vmid of pool.vms) this.joinPool(pool.poolid, vmid);
    }
  }

  userConfigChanged(): void {
    this.userConfigGeneration += 1;
  }

  /** Whether the cluster file system takes writes. */
  get quorate(): boolean {
    const online = [...this.nodes.values()].filter((node) => node.online).length;
    return !this.quorumLost && online * 2 > this.nodes.size;
  }

  node(name: string): NodeState {
    const node = this.nodes.get(name);
    if (!node) throw new Error(`no node ${name}`);
    return node;
  }

  guestsOn(node: string): ReadonlySet<GuestState> {
    return this.#guestsByNode.get(node) ?? new Set();
  }

  addGuest(guest: GuestState): void {
    this.guests.set(guest.vmid, guest);
    this.#guestsByNode.get(guest.node)?.add(guest);
  }

  removeGuest(vmid: number): void {
    const guest = this.guests.get(vmid);
    if (!guest) return;
    this.guests.delete(vmid);
    this.#guestsByNode.get(guest.node)?.delete(guest);
  }

  moveGuest(guest: GuestState, node: string): void {
    this.#guestsByNode.get(guest.node)?.delete(guest);
    guest.node = node;
    this.#guestsByNode.get(node)?.add(guest);
  }

  /** Local storages hold different volumes under one id on each node. */
  #volumeKey(volid: string, node: string): string {
    const storage = volid.slice(0, volid.indexOf(':'));
    return this.storages.get(storage)?.shared === true ? volid : `${node}/${volid}`;
  }

  volume(volid: string, node: string): VolumeState | undefined {
    return this.#volumes.get(this.#volumeKey(volid, node));
  }

  addVolume(volume: VolumeState): void {
    this.#volumes.set(this.#volumeKey(volume.volid, volume.node ?? ''), volume);
    if (volume.vmid !== undefined) {
      const own = this.#volumesOf.get(volume.vmid) ?? new Set();
      this.#volumesOf.set(volume.vmid, own.add(volume));
    }
    this.#use(volume, volume.size);
  }

  removeVolume(volid: string, node: string): void {
    const key = this.#volumeKey(volid, node);
    const volume = this.#volumes.get(key);
    if (!volume) return;
    this.#volumes.delete(key);
    this.#volumesOf.get(volume.vmid ?? 0)?.delete(volume);
    this.#use(volume, -volume.size);
  }

  resizeVolume(volume: VolumeState, size: number): void {
    this.#use(volume, size - volume.size);
    volume.size = size;
  }

  volumes(): Iterable<VolumeState> {
    return this.#volumes.values();
  }

  /** Volumes that carry a guest's number. */
  volumesOf(vmid: number): Iterable<VolumeState> {
    return this.#volumesOf.get(vmid) ?? [];
  }

  /** Bytes used by our volumes; linked clones count a tenth, as thin storages fill slowly. */
  usedBytes(storage: string, node: string): number {
    const shared = this.storages.get(storage)?.shared === true;
    return this.#volumeUse.get(shared ? storage : `${node}/${storage}`) ?? 0;
  }

  #use(volume: VolumeState, bytes: number): void {
    const key = volume.node === undefined ? volume.storage : `${volume.node}/${volume.storage}`;
    const share = volume.parent === undefined ? bytes : Math.round(bytes / 10);
    this.#volumeUse.set(key, (this.#volumeUse.get(key) ?? 0) + share);
  }

  poolOf(vmid: number): string | undefined {
    return this.#poolOf.get(vmid);
  }

  joinPool(poolid: string, vmid: number): void {
    this.pools.get(poolid)?.vms.add(vmid);
    this.#poolOf.set(vmid, poolid);
  }

  leavePool(vmid: number): void {
    const poolid = this.#poolOf.get(vmid);
    if (poolid === undefined) return;
    this.pools.get(poolid)?.vms.delete(vmid);
    this.#poolOf.delete(vmid);
  }

  /**
   * AccessControl.pm add_vm_to_pool: looks at no other pool. user.cfg then names the machine twice, and whoever reads it
   * keeps the pool whose name sorts first; the other one is gone with the next write.
   */
  addToPool(poolid: string, vmid: number): void {
    const other = this.#poolOf.get(vmid);
    if (!this.pools.has(poolid) || (other !== undefined && other <= poolid)) return;
    this.leavePool(vmid);
    this.joinPool(poolid, vmid);
  }

  /** What writing user.cfg does to names and addresses beyond ASCII, in every line that holds them. */
  rewriteUserids(): void {
    for (const user of [...this.users.values()]) {
      user.email = rewrittenEmail(user.email);
      const userid = rewrittenUserid(user.userid);
      if (userid === user.userid) continue;
      this.users.delete(user.userid);
      if (userid !== undefined) this.users.set(userid, { ...user, userid });
      for (const node of this.acl.values()) {
        const grants = node.user.get(user.userid);
        node.user.delete(user.userid);
        if (grants && userid !== undefined) node.user.set(userid, grants);
      }
    }
  }

  grant(entry: AclState): void {
    const node: AclNode = this.acl.get(entry.path) ?? { user: new Map(), group: new Map(), token: new Map() };
    this.acl.set(entry.path, node);
    const grants: RoleGrants = node[entry.type].get(entry.subject) ?? new Map<string, boolean>();
    grants.set(entry.role, entry.propagate);
    node[entry.type].set(entry.subject, grants);
  }

  revoke(entry: Omit<AclState, 'propagate'>): void {
    const subjects = this.acl.get(entry.path)?.[entry.type];
    const grants = subjects?.get(entry.subject);
    grants?.delete(entry.role);
    if (grants?.size === 0) subjects?.delete(entry.subject);
  }

  /** Every grant of a user, with those of the user's tokens. */
  revokeUser(userid: string): void {
    for (const node of this.acl.values()) {
      node.user.delete(userid);
      for (const token of node.token.keys()) if (token.startsWith(`${userid}!`)) node.token.delete(token);
    }
  }

  aclEntries(): AclState[] {
    const entries: AclState[] = [];
    for (const [path, node] of this.acl) {
      for (const type of ['user', 'group', 'token'] as const) {
        for (const [subject, grants] of node[type]) {
          for (const [role, propagate] of grants) entries.push({ path, type, subject, role, propagate });
        }
      }
    }
    return entries;
  }

  /** A uniform random integer below 2^32 (mulberry32), part of the saved state. */
  random32(): number {
    this.randomState = (this.randomState + 0x6d2b79f5) >>> 0;
    let t = this.randomState;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  toState(now: number, tasks: ClusterState['tasks']): ClusterState {
    const state: ClusterState = {
      format: 1,
      ...this.fixed,
      sdn: this.sdn,
      now,
      randomState: this.randomState,
      nextPid: this.nextPid,
      ...(this.quorumLost ? { quorumLost: true } : {}),
      nodes: [...this.nodes.values()],
      storages: [...this.storages.values()],
      volumes: [...this.#volumes.values()],
      guests: [...this.guests.values()],
      realms: [...this.realms.values()],
      users: [...this.users.values()],
      groups: Object.fromEntries(this.groups),
      roles: Object.fromEntries([...this.roles].map(([role, privs]) => [role, [...privs]])),
      acl: this.aclEntries(),
      pools: [...this.pools.values()].map((pool) => ({
        ...pool,
        vms: [...pool.vms],
        storage: [...pool.storage],
      })),
      datacenter: this.datacenter,
      ...(this.mappings.length === 0 ? {} : { mappings: this.mappings }),
      ha: { resources: [...this.haResources.values()], groups: this.haGroups, rules: this.haRules },
      tasks,
    };
    return structuredClone(state);
  }
}
