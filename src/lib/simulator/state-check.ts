/** Tells a state that was saved from one that was damaged or edited since. Its shapes are those of state.ts; knows no files. */
import { Ajv } from 'ajv';
import { QUICKLY_COMPILED } from '../files/package.ts';
import { schemaProblem } from '../schema.ts';
import { versions } from './version.ts';
import type {
  AclState,
  AgentCommand,
  AgentProcess,
  AgentState,
  GuestHabits,
  ClusterState,
  GuestState,
  HaGroupState,
  HaResourceState,
  HaRuleState,
  MappingState,
  InterfaceState,
  NodeState,
  PoolState,
  PublishedGuest,
  RealmState,
  RunningInterface,
  SdnConfig,
  SdnState,
  SnapshotState,
  StorageState,
  TaskState,
  TokenState,
  UserState,
  VnetState,
  VolumeState,
  ZoneState,
} from './state.ts';

type Shape = Readonly<Record<string, unknown>>;

const text: Shape = { type: 'string' };
const flag: Shape = { type: 'boolean' };
const count: Shape = { type: 'integer' };
const number: Shape = { type: 'number', minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
const moment: Shape = { type: 'number', minimum: 0, maximum: Date.UTC(2100) };
const anything: Shape = {};
const list = (items: Shape): Shape => ({ type: 'array', items });
const map = (additionalProperties: Shape): Shape => ({ type: 'object', additionalProperties });
const oneOf = (...values: readonly (string | number)[]): Shape => ({ enum: values });
type OptionalKey<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T];

/** The compiler tells when a field of T is not named. */
const record = <T extends object>(
  needed: { readonly [K in Exclude<keyof T, OptionalKey<T>>]: Shape },
  optional: { readonly [K in OptionalKey<T>]: Shape },
): Shape => ({
  type: 'object',
  required: Object.keys(needed),
  properties: { ...needed, ...optional },
});

const face = record<InterfaceState>({ iface: text, type: text, options: map(text) }, {});
const kernel = record<RunningInterface>({ type: text, vlanAware: flag, ports: list(text) }, { mtu: number });
const config = map(text);

const node = record<NodeState>(
  {
    ...{ name: text, id: count, cpus: number, memory: number, rootfs: number, online: flag },
    ...{ maintenance: flag, bootTime: number, baseLoad: number, fingerprint: text, cyclePhase: number },
    ...{ interfaces: list(face), running: map(kernel) },
  },
  {
    ...{ offlineSince: number, offlineAt: number, cpuModel: text, pveVersion: text },
    ...{ cpuFlags: list(text), lacksKvm: flag },
    ...{ qemuVersion: text, arcSize: number },
    ...{
      staged: list(face),
      sourcedBridges: list(text),
      handMadeBridges: list(text),
      failingInterfaces: list(text),
      sdnVersion: count,
    },
  },
);

const storage = record<StorageState>(
  {
    ...{ storage: text, type: text, content: list(text), shared: flag, disabled: flag },
    ...{ size: number, used: number, options: map(text) },
  },
  { nodes: list(text), offlineOn: list(text), lockSeconds: number, cacheSeconds: number },
);

const volume = record<VolumeState>(
  { volid: text, storage: text, size: number, format: text, content: text },
  {
    node: text,
    vmid: count,
    parent: text,
    made: record<NonNullable<VolumeState['made']>>({ node: text, at: number }, {}),
  },
);

const snapshot = record<SnapshotState>(
  { name: text, snaptime: number, description: text, vmstate: flag, config },
  { parent: text },
);

const published = record<PublishedGuest>(
  {
    ...{ name: text, status: text, template: flag, maxcpu: number, maxmem: number, maxdisk: number },
    runningSince: { type: ['number', 'null'] },
  },
  {},
);

const command = record<AgentCommand>(
  {},
  {
    ...{ run: text, exitcode: count, signal: count, output: text, output_base64: text, repeat: count },
    ...{ error: text, seconds: number },
  },
);

const agent = record<AgentState>(
  {},
  {
    state: oneOf('running', 'absent', 'stuck', 'garbage'),
    ...{ addresses: list(text), os: text, claims_pid: count, commands: list(command) },
  },
);

const guest = record<GuestState>(
  {
    ...{ vmid: count, type: oneOf('qemu', 'lxc'), node: text, config, snapshots: list(snapshot) },
    ...{ pending: config, pendingDelete: list(text), paused: flag, load: number },
  },
  {
    ...{ parent: text, runningSince: number, pid: count, memoryLoad: number, agent, publishedUntil: number },
    habits: record<GuestHabits>({}, { deaf: flag, traffic: number, boot: number }),
    checkpointed: flag,
    process: record<NonNullable<GuestState['process']>>({ machine: text, qemu: text }, {}),
    halted: oneOf('io-error', 'internal-error'),
    agentProcesses: list(record<AgentProcess>({ pid: count, endsAt: number, command }, {})),
    published: { anyOf: [published, { type: 'null' }] },
  },
);

const token = record<TokenState>({ privsep: flag, expire: number, comment: text, secretHash: text }, {});

const user = record<UserState>(
  {
    ...{ userid: text, enable: flag, expire: number, comment: text, email: text, firstname: text },
    ...{ lastname: text, keys: text, groups: list(text), tokens: map(token) },
  },
  { passwordHash: text, totp: text },
);

/** What a task has done, what it has chosen, and until when it waits. */
const progress = map({ type: ['boolean', 'string', 'number'] });
const job = record<NonNullable<TaskState['job']>>({ kind: text, args: map(anything), progress }, {});

const task = record<TaskState>(
  {
    ...{ upid: text, node: text, pid: count, pstart: count, starttime: number, type: text },
    ...{ id: text, user: text, log: list(text) },
  },
  { endtime: number, exitstatus: text, job, fault: text },
);

const ha = record<ClusterState['ha']>(
  {
    resources: list(
      record<HaResourceState>(
        { sid: text, state: text },
        { status: text, group: text, comment: text, options: map(text) },
      ),
    ),
    groups: list(
      record<HaGroupState>(
        { group: text, nodes: list(text), restricted: flag, nofailback: flag },
        { comment: text },
      ),
    ),
  },
  {
    rules: list(
      record<HaRuleState>(
        {
          ...{ rule: text, type: oneOf('node-affinity', 'resource-affinity'), resources: list(text) },
          ...{ nodes: list(text), strict: flag },
        },
        { affinity: oneOf('positive', 'negative'), comment: text, disabled: flag },
      ),
    ),
  },
);

const zones = list(record<ZoneState>({ zone: text, type: text }, { options: map(text) }));
const vnets = list(
  record<VnetState>(
    { vnet: text, zone: text, vlanaware: flag },
    { tag: count, alias: text, isolatePorts: flag },
  ),
);
const sdn = record<SdnState>(
  { installed: flag, zones, vnets },
  { running: record<SdnConfig>({ zones, vnets }, {}), version: count, lock: text },
);

const acl = record<AclState>(
  { path: text, type: oneOf('user', 'group', 'token'), subject: text, role: text, propagate: flag },
  {},
);

const shape = record<ClusterState>(
  {
    ...{ format: oneOf(1), version: oneOf(...versions), name: text, now: moment },
    ...{ randomState: count, nextPid: count, ticketKey: text },
    credentials: record<ClusterState['credentials']>(
      { tokenId: text, secret: text, user: text, password: text },
      {},
    ),
    nodes: { ...list(node), minItems: 1 },
    ...{ storages: list(storage), volumes: list(volume), guests: list(guest), users: list(user) },
    realms: list(record<RealmState>({ realm: text, type: text, comment: text }, {})),
    ...{ groups: map(text), roles: map(list(text)), acl: list(acl), datacenter: map(text), ha, sdn },
    pools: list(
      record<PoolState>({ poolid: text, comment: text, vms: list(count), storage: list(text) }, {}),
    ),
    tasks: list(task),
  },
  {
    quorumLost: flag,
    mappings: list(
      record<MappingState>({ kind: oneOf('pci', 'usb', 'dir'), id: text, nodes: list(text) }, {}),
    ),
  },
);

/** What is on a node that is not there. */
function dangling({ nodes, guests, tasks }: ClusterState): string | undefined {
  const names = new Set(nodes.map(({ name }) => name));
  const lost = [...guests, ...tasks].find((one) => !names.has(one.node));
  return lost && `there is no node "${lost.node}"`;
}

const A_YEAR = 366 * 24 * 3600 * 1000;

/** Whoever waits for a task would wait for ever. */
function endless({ now, tasks }: ClusterState): string | undefined {
  const waits = ({ job }: ClusterState['tasks'][number]): boolean =>
    Object.values(job?.progress ?? {}).some((value) => typeof value === 'number' && value > now + A_YEAR);
  const task = tasks.find(waits);
  return task && `the task ${task.upid} would not end within a year`;
}

const compile = () =>
  new Ajv({ strict: true, allowUnionTypes: true, ...QUICKLY_COMPILED }).compile<ClusterState>(shape);
let check: ReturnType<typeof compile> | undefined;

/** The state, or in words why it is none. */
export function checkState(value: unknown): { readonly state: ClusterState } | { readonly problem: string } {
  check ??= compile();
  if (!check(value)) return { problem: schemaProblem(check.errors) };
  const problem = dangling(value) ?? endless(value);
  return problem === undefined ? { state: value } : { problem };
}
