/**
 * What is true of each kind of step, wherever it is asked: one row per kind, and a kind without a row does not compile.
 * Describes no step (render/step-text.ts), holds no privileges (privileges/), and sizes no limit (execute/limits.ts).
 */
import type { Step, StepKind, StepOf, StepPayloads } from './step.ts';

/** `takes-away`: a right; `removes`: an object is gone afterwards, which `--max-changes` counts. */
export type StepEffect = 'creates' | 'changes' | 'takes-away' | 'removes';

/**
 * `reserves`: takes names or numbers that others could take too.
 * `told-to-planners`: other runs plan by what it changes, so that it is done under the planning lock.
 * `takes-down`: part of the removal of a machine.
 * `gives-up`: a claim or an account goes; whatever it speaks of has to be gone by then.
 * `edits`: can be all there is to do for a stand that is complete.
 * `sets-password`: afterwards the user has a password that may be new.
 * `makes-replica`: part of the making of a copy of a template.
 * `deploys`: a deploy plans it, so that a saved plan may hold it; a removal is always planned anew.
 */
export type StepRole =
  | 'reserves'
  | 'told-to-planners'
  | 'takes-down'
  | 'gives-up'
  | 'edits'
  | 'sets-password'
  | 'makes-replica'
  | 'deploys';

/** What a step leaves a VM in. */
export type PowerState = 'running' | 'stopped' | 'suspended' | 'paused';

/** What progress is counted in, in the order in which it is shown. */
export const COUNTERS = [
  'accounts',
  'claims',
  'bridges',
  'reloads',
  'templates',
  'clones',
  'marked',
  'sealed',
  'configured',
  'snapshots',
  'rolled back',
  'joined',
  'roles',
  'access',
  'migrations',
  'started',
  'stopped',
  'shut down',
  'rebooted',
  'suspended',
  'resumed',
  'VMs removed',
] as const;

export type StepCounter = (typeof COUNTERS)[number];

interface StepTraits<K extends StepKind> {
  readonly effect: StepEffect;
  readonly counter: StepCounter;
  readonly roles: readonly StepRole[];
  /** Of which less is left to do when the rest of a plan is planned again: shorter lists, or nothing. Default: none. */
  readonly shrinks?: readonly (keyof StepPayloads[K])[];
  /** Claims: how much of one is made already, and by which seal the rest will be known, is no difference of two plans. */
  readonly claims?: readonly (keyof StepPayloads[K])[];
  /** What tells how far the work has come by now. */
  readonly progress?: readonly (keyof StepPayloads[K])[];
  /** The kind whose work, done in part, comes back as this one. */
  readonly resumes?: StepKind;
  /** How the VM is afterwards, where the step switches it. */
  readonly power?: (step: StepOf<K>) => PowerState | undefined;
  /** Keys of the limits that it falls under: by PVE's locks, and by what a node bears. */
  readonly limits: (step: StepOf<K>) => readonly string[];
}

interface OnNode {
  readonly node: string;
}

interface WithLocks {
  readonly locks: readonly string[];
}

/** Users, pools and ACLs are one file under one cluster-wide lock (pve-access-control AccessControl.pm). */
const userConfig = (): readonly string[] => ['user.cfg'];

/** Edits share one staged file per node, and ifupdown2 refuses a second reload instead of waiting. */
const network = ({ node }: OnNode): readonly string[] => [`network:${node}`];

const sync = ({ node }: OnNode): readonly string[] => [`sync:${node}`];

const task = ({ node }: OnNode): readonly string[] => [`task:${node}`];

const snapshot = ({ node }: OnNode): readonly string[] => [`snapshot:${node}`];

/** A guest that boots keeps its node busy long after the task that started it has ended: that alone says how many may. */
const boot = ({ node }: OnNode): readonly string[] => [`boot:${node}`];

const running = (): PowerState => 'running';

const storages = ({ locks }: WithLocks): readonly string[] => [
  ...new Set(locks.map((lock) => `storage:${lock}`)),
];

/** A removal frees its disks one after another, each under the lock of its storage. */
const removal = ({ locks = ['shared:'] }: StepPayloads['vm.delete']): readonly string[] => [
  'destroy',
  ...locks.filter((lock) => lock.startsWith('shared:')).map((lock) => `destroy-on:${lock}`),
];

const TRAITS: { readonly [K in StepKind]: StepTraits<K> } = {
  'user.create': {
    effect: 'creates',
    counter: 'accounts',
    roles: ['told-to-planners', 'sets-password', 'deploys'],
    limits: userConfig,
  },
  'user.update': { effect: 'changes', counter: 'accounts', roles: [], limits: userConfig },
  'user.password': {
    effect: 'changes',
    counter: 'accounts',
    roles: ['sets-password', 'edits', 'deploys'],
    limits: userConfig,
  },
  'user.recreate': {
    effect: 'changes',
    counter: 'accounts',
    roles: ['told-to-planners', 'sets-password'],
    limits: userConfig,
  },
  'user.delete': {
    effect: 'removes',
    counter: 'accounts',
    roles: ['told-to-planners', 'gives-up'],
    limits: userConfig,
  },
  'pool.create': {
    effect: 'creates',
    counter: 'claims',
    roles: ['told-to-planners', 'reserves', 'deploys'],
    claims: ['comment'],
    limits: userConfig,
  },
  'pool.update': {
    effect: 'changes',
    counter: 'claims',
    roles: ['told-to-planners', 'reserves', 'deploys'],
    resumes: 'pool.create',
    claims: ['comment'],
    shrinks: ['takeOver'],
    limits: userConfig,
  },
  'pool.join': {
    effect: 'changes',
    counter: 'joined',
    roles: ['told-to-planners', 'deploys'],
    shrinks: ['machines'],
    limits: userConfig,
  },
  'pool.release': {
    effect: 'changes',
    counter: 'claims',
    roles: ['told-to-planners', 'gives-up'],
    limits: userConfig,
  },
  'pool.leave': {
    effect: 'changes',
    counter: 'claims',
    roles: ['told-to-planners', 'gives-up'],
    limits: userConfig,
  },
  'pool.delete': {
    effect: 'removes',
    counter: 'claims',
    roles: ['told-to-planners', 'gives-up'],
    limits: userConfig,
  },
  'role.create': {
    effect: 'creates',
    counter: 'roles',
    roles: ['told-to-planners', 'deploys'],
    limits: userConfig,
  },
  'acl.grant': {
    effect: 'creates',
    counter: 'access',
    roles: ['told-to-planners', 'deploys'],
    limits: userConfig,
  },
  'acl.revoke': { effect: 'takes-away', counter: 'access', roles: ['deploys'], limits: userConfig },
  'bridge.create': { effect: 'creates', counter: 'bridges', roles: ['reserves', 'deploys'], limits: network },
  'bridge.update': {
    effect: 'changes',
    counter: 'bridges',
    roles: ['reserves', 'edits', 'deploys'],
    limits: network,
  },
  'bridge.delete': { effect: 'removes', counter: 'bridges', roles: [], limits: network },
  'network.reload': {
    effect: 'changes',
    counter: 'reloads',
    roles: ['edits', 'deploys'],
    shrinks: ['bridges'],
    limits: network,
  },
  'template.clone': {
    effect: 'creates',
    counter: 'templates',
    roles: ['makes-replica', 'deploys'],
    limits: (step) => [
      ...task(step),
      `copy:${step.node}`,
      ...(step.joinsAtOnce === true ? ['pool-clone'] : []),
      ...storages(step),
    ],
  },
  'template.configure': {
    effect: 'changes',
    counter: 'templates',
    roles: ['makes-replica', 'deploys'],
    limits: sync,
  },
  'template.migrate': {
    effect: 'changes',
    counter: 'templates',
    roles: ['makes-replica', 'deploys'],
    limits: (step) => [...task(step), `copy:${step.node}`, `copy:${step.home}`, ...storages(step)],
  },
  'template.convert': {
    effect: 'changes',
    counter: 'templates',
    roles: ['makes-replica', 'deploys'],
    limits: (step) => [...task(step), ...storages(step)],
  },
  'template.join': {
    effect: 'changes',
    counter: 'templates',
    roles: ['told-to-planners', 'makes-replica', 'deploys'],
    limits: userConfig,
  },
  'vm.clone': {
    effect: 'creates',
    counter: 'clones',
    roles: ['deploys'],
    progress: ['isUnderWay'],
    limits: (step) => [
      ...task(step),
      ...(step.joinsAtOnce === true ? ['pool-clone'] : []),
      ...storages(step),
    ],
  },
  'vm.seal': { effect: 'changes', counter: 'sealed', roles: [], limits: sync },
  'vm.mark': { effect: 'changes', counter: 'marked', roles: ['deploys'], limits: sync },
  'vm.configure': { effect: 'changes', counter: 'configured', roles: ['edits', 'deploys'], limits: sync },
  'vm.snapshot': {
    effect: 'creates',
    counter: 'snapshots',
    roles: ['deploys'],
    // The memory is written to disk as a copy is.
    limits: (step) => (step.withMemory === true ? [...task(step), `copy:${step.node}`] : snapshot(step)),
  },
  'vm.snapshot.delete': { effect: 'removes', counter: 'snapshots', roles: [], limits: task },
  'vm.rollback': {
    effect: 'changes',
    counter: 'rolled back',
    roles: [],
    power: ({ power }) => (power === 'start' ? 'running' : undefined),
    limits: snapshot,
  },
  'vm.start': { effect: 'changes', counter: 'started', roles: ['deploys'], power: running, limits: boot },
  'vm.stop': {
    effect: 'changes',
    counter: 'stopped',
    roles: ['takes-down'],
    power: () => 'stopped',
    limits: task,
  },
  'vm.shutdown': {
    effect: 'changes',
    counter: 'shut down',
    roles: [],
    power: () => 'stopped',
    limits: ({ node }) => [`shutdown:${node}`],
  },
  'vm.reboot': {
    effect: 'changes',
    counter: 'rebooted',
    roles: [],
    power: running,
    limits: (step) => [`shutdown:${step.node}`, `boot:${step.node}`],
  },
  'vm.suspend': {
    effect: 'changes',
    counter: 'suspended',
    roles: [],
    power: ({ storage }) => (storage === undefined ? 'paused' : 'suspended'),
    limits: (step) => [...task(step), ...(step.storage === undefined ? [] : [`copy:${step.node}`])],
  },
  'vm.resume': {
    effect: 'changes',
    counter: 'resumed',
    roles: [],
    power: running,
    limits: (step) => (step.fromDisk ? [...boot(step), `copy:${step.node}`] : task(step)),
  },
  'vm.unprotect': { effect: 'changes', counter: 'stopped', roles: ['takes-down'], limits: sync },
  'vm.delete': {
    effect: 'removes',
    counter: 'VMs removed',
    roles: ['takes-down'],
    limits: (step) => [...task(step), ...removal(step)],
  },
  'vm.migrate': {
    effect: 'changes',
    counter: 'migrations',
    roles: [],
    limits: ({ node, target }) => ['migrate', `migrate-from:${node}`, `migrate-to:${target}`],
  },
  // HA's resources are one file under one cluster-wide lock (ha-manager Config.pm, lock_ha_domain).
  'ha.remove': { effect: 'changes', counter: 'stopped', roles: ['takes-down'], limits: () => ['ha'] },
};

export function effectOf({ kind }: Pick<Step, 'kind'>): StepEffect {
  return TRAITS[kind].effect;
}

export function counterOf({ kind }: Pick<Step, 'kind'>): StepCounter {
  return TRAITS[kind].counter;
}

export function hasRole({ kind }: Pick<Step, 'kind'>, role: StepRole): boolean {
  return TRAITS[kind].roles.includes(role);
}

/** What of a kind may differ between a saved plan and the rest of it that is planned now. */
export interface Leeway {
  /** Parts of the payload of which a later plan may have less. */
  readonly shrinks: readonly string[];
  readonly claims: readonly string[];
  readonly progress: readonly string[];
  readonly resumes: StepKind | undefined;
}

export function leewayOf({ kind }: Pick<Step, 'kind'>): Leeway {
  const { shrinks = [], claims = [], progress = [], resumes } = TRAITS[kind];
  return { shrinks, claims, progress, resumes };
}

/** How the VM is once the step is done; undefined: it is not switched. */
export function powerAfter<K extends StepKind>(step: StepOf<K>): PowerState | undefined {
  return TRAITS[step.kind].power?.(step);
}

/** No switch and no cast: the map's type ties each kind to its function. */
export function limitsOf<K extends StepKind>(step: StepOf<K>): readonly string[] {
  return TRAITS[step.kind].limits(step);
}

/** The node that a step is about: of copies of templates the one they are made for, wherever the work is done; undefined for the cluster's steps. */
export function nodeOfStep(step: Step): string | undefined {
  if ('home' in step) return step.home;
  return 'node' in step ? step.node : undefined;
}
