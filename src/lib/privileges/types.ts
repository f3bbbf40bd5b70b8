/** Words of the privilege check: rules of the table, and what they come to for one plan. Types only. */
import type { Inventory } from '../inventory/types.ts';
import type { Nic } from '../pve-values/nics.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { Profile } from '../plan/cluster/profile.ts';
import type { StepKind, StepOf } from '../plan/document/step.ts';

/** The commands of which it is known what they take: those that change a cluster, and what looks at stands. */
export type Command = Plan['command'] | 'status' | 'check';

/** What of a configuration needs rights to be taken over. */
export interface GuestValues {
  readonly nics: readonly Pick<Nic, 'bridge' | 'tag'>[];
  /** Storages on which a clone allocates. */
  readonly storages: readonly string[];
  /** Where it is told to save its memory. */
  readonly stateStorage: string | undefined;
  /** Does it pass on a CD drive of its host? */
  readonly hasHostDrive: boolean;
  /** Resource mappings that it uses: `pci/gpu`. */
  readonly mappings: readonly string[];
  /** A CPU model of the datacenter's own, without its `custom-`. */
  readonly cpuModel: string | undefined;
}

/** What of a cluster the check looks at; also balance, which reads another inventory, can tell as much. */
export type Known = Pick<
  Inventory,
  'version' | 'guests' | 'templates' | 'vms' | 'vnets' | 'roles' | 'rolePrivileges' | 'rights'
>;

/** What a rule may look at beside its step. */
export interface Facts {
  readonly have: Known;
  readonly profile: Profile;
  /** VMID → configuration of the VM or template, where it was read. */
  readonly configs: ReadonlyMap<number, GuestValues>;
  /** VMID → pool that the VM is in by the time the step runs. */
  readonly poolOf: ReadonlyMap<number, string>;
  /** VMs that are in no pool while they are made. */
  readonly joining: ReadonlySet<number>;
  /** VMs that are in a pool now. */
  readonly members: ReadonlySet<number>;
  /** Privileges of a role → what is enough for each; filled as roles are met. */
  readonly sets: Map<readonly string[], readonly (readonly string[])[]>;
}

/** Keys of a machine in lab.yml for which rules apply. */
export type MachineKey = 'cores' | 'memory' | 'cloud_init' | 'pool_role';

/** What a rule says, in the words of the documentation. */
export interface RuleText {
  /** ACL path, with at most one `{placeholder}`. */
  readonly path: string;
  /** One of them is enough. */
  readonly anyOf: readonly string[];
  /** Each of these, or one of `anyOf`: in words. */
  readonly each?: string;
  readonly why: string;
  /** First version with the rule; absent: all. */
  readonly since?: 8 | 9;
  /** When it applies, where not always. */
  readonly when?: string;
  /** Where that is a matter of the lab alone: which key of a machine says so. */
  readonly forKey?: MachineKey;
  /** It works without; `why` says what is lost. */
  readonly advice?: true;
  /** Must reach below the path, too. */
  readonly reaches?: true;
  /** Or one of these on another path, with propagation. */
  readonly instead?: { readonly path: string; readonly anyOf: readonly string[] };
}

/** One line of the table about a kind of step. */
export interface Rule<K extends StepKind> extends RuleText {
  /** What the placeholder stands for in this step (an empty text for a path without one); empty: does not apply. */
  readonly at: (step: StepOf<K>, facts: Facts) => readonly string[];
  readonly eachOf?: (step: StepOf<K>, facts: Facts) => readonly string[];
  /** Does the privilege have to reach below the path? */
  readonly reachesIf?: (step: StepOf<K>) => boolean;
  /** Or on every one of these paths instead. */
  readonly orOn?: (step: StepOf<K>) => readonly string[];
}

export type StepRules = { readonly [K in StepKind]: readonly Rule<K>[] };

/** One privilege that is needed on one path. */
export interface Requirement {
  readonly path: string;
  /** The path of the ACL that is best to grant it: above the objects that come and go. */
  readonly grantOn: string;
  /** One of them is enough. */
  readonly anyOf: readonly string[];
  /** Must reach below the path, too. */
  readonly reaches: boolean;
  /** Rights on this path of a pool count, too: the VM is in it by then. */
  readonly viaPool?: string;
  /** Or on every one of these paths instead. */
  readonly orOn?: readonly string[];
  readonly instead?: RuleText['instead'];
  readonly reason: string;
  /** It works without; `reason` says what is lost. */
  readonly advice: boolean;
  /** Kinds of steps that need it; `reading` for what has to be seen before, and `planning lock`. */
  readonly steps: readonly string[];
}
