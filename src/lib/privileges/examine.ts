/** What a command will need, told before it is run: from the plan of a class that is not there yet, or in general. Pure. */
import type { Lab, User } from '../config/types.ts';
import { PlanRefusedError } from '../errors.ts';
import type { GuestInfo, Inventory, Rights } from '../inventory/types.ts';
import { planCleanup } from '../plan/cleanup/cleanup.ts';
import { isOfStand } from '../plan/cluster/templates.ts';
import { viewOf } from '../plan/cluster/view.ts';
import { nodeWarnings } from '../plan/deploy/deploy-warnings.ts';
import { planDeploy } from '../plan/deploy/deploy.ts';
import { chooseNodes } from '../plan/placement/nodes.ts';
import { resolveMachines } from '../plan/templates/find.ts';
import { standOf } from '../plan/cluster/stand-networks.ts';
import { parseReplicaMark, REPLICA_POOL } from '../marks/replica.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { Scope } from './command-rules.ts';
import { privilegesOf } from '../plan/stands/roles.ts';
import { majorOf, profileOf, type Profile } from '../plan/cluster/profile.ts';
import { requiredByPlan, requiredByScope, requiredInGeneral } from './required.ts';
import { cleanupScope, deployScope } from './scopes.ts';
import type { Command, Known, Requirement } from './types.ts';

export interface ExamineInput {
  readonly command: Command;
  readonly lab?: Lab;
  readonly users?: readonly User[];
  readonly have: Inventory;
  readonly profile: Profile;
}

export interface Examined {
  readonly required: readonly Requirement[];
  /** `class`: for exactly this lab and these users; `general`: for any. */
  readonly scope: 'class' | 'general';
  /** Why the class as such cannot be planned at present. */
  readonly refused?: string;
  /** Nodes on which none of the class can be made, and why; whoever lacks a right for them alone lacks nothing else. */
  readonly nodes?: readonly string[];
}

/** Enough for the planner to take the profile as given. */
const RIGHTS_OF: Readonly<Record<Profile, Rights>> = {
  full: { '/vms': { 'VM.Allocate': true } },
  confined: { '/pool': { 'VM.Allocate': true } },
};

/** The cluster as if nothing of any class were on it, replicas aside: then the plan makes everything. */
function beforeTheClass(
  have: Inventory,
  { lab: { machines }, users }: Required<Pick<ExamineInput, 'lab' | 'users'>>,
  profile: Profile,
): Inventory {
  const class_ = new Set(users.map(({ userid }) => userid));
  const numbers = new Set(machines.map(({ template }) => template.by === 'vmid' && template.vmid));
  const isNamed = ({ vmid }: GuestInfo): boolean => numbers.has(vmid);
  return {
    ...have,
    rights: RIGHTS_OF[profile],
    pools: have.pools.filter(({ pool }) => pool === REPLICA_POOL),
    acls: [],
    vms: have.vms.filter(({ values }) => parseReplicaMark(values['description'] ?? '') !== undefined),
    guests: have.guests.filter((guest) => guest.template && (isNamed(guest) || !isOfStand(guest, have))),
    users: have.users.filter(({ userid }) => !class_.has(userid)),
    networks: have.networks.map((network) => ({
      ...network,
      pending: [],
      bridges: network.bridges.filter((info) => !standOf(info)),
    })),
  };
}

function planOrReason(make: () => Plan): Plan | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof PlanRefusedError) return error.message;
    throw error;
  }
}

function nodesLost(lab: Lab, have: Inventory): string[] {
  const index = viewOf(have);
  return nodeWarnings(chooseNodes(lab, resolveMachines(lab, have), have, index));
}

function examineDeploy(lab: Lab, users: readonly User[], { have, profile }: ExamineInput): Examined {
  const before = beforeTheClass(have, { lab, users }, profile);
  const plan = planOrReason(() =>
    planDeploy({ lab, users, have: before, options: { adopt: false, updateRunning: false } }),
  );
  const seen = requiredByScope(deployScope(lab, users, before, true), before);
  if (typeof plan !== 'string')
    return {
      scope: 'class',
      required: [...seen, ...requiredByPlan(plan, before)],
      nodes: nodesLost(lab, before),
    };
  return { ...inGeneral({ command: 'deploy', lab, users, have, profile }, seen), refused: plan };
}

/** Of a class that is there; undefined when it is not. */
function examineCleanup(
  lab: Lab,
  users: readonly User[],
  { have, profile }: ExamineInput,
): Examined | undefined {
  const selection = {
    by: 'stands',
    lab: lab.name,
    labMachines: lab.machines,
    bridgeRange: lab.bridgeRange,
    users,
  } as const;
  const present = { ...have, rights: RIGHTS_OF[profile] };
  const options = {
    keepUsers: false,
    adopt: false,
    includeMembers: true,
    forceProtected: true,
    lockWaitSeconds: 0,
    minAgeSeconds: 0,
  };
  const plan = planOrReason(() => planCleanup({ selection, have: present, options }));
  if (typeof plan === 'string' || plan.steps.length === 0) return undefined;
  const scope = cleanupScope(selection, present, { keepUsers: false, locks: true });
  return { scope: 'class', required: [...requiredByScope(scope, present), ...requiredByPlan(plan, present)] };
}

function inGeneral(input: ExamineInput, seen: readonly Requirement[] = []): Examined {
  const { command, lab, users = [], have, profile } = input;
  const general = requiredInGeneral(command, {
    profile,
    major: majorOf(have),
    role: privilegesOfRole(lab?.access.role, have),
    realms: [...new Set(users.map(({ realm }) => realm))],
  });
  return { scope: 'general', required: [...seen, ...general] };
}

/** Of a run whose caller does not even see what it takes to plan: that, and what is needed in any case. */
export function requiredUnplanned(scope: Scope, have: Known): Requirement[] {
  const { command, role, realms, templates, machineKeys } = scope;
  const general = requiredInGeneral(command, {
    profile: profileOf(have.rights),
    major: majorOf(have),
    role: privilegesOfRole(role, have),
    realms,
    templates,
    machineKeys,
  });
  const seen = requiredByScope(scope, have);
  const known = new Set(seen.map(({ grantOn, anyOf }) => `${grantOn} ${anyOf.join()}`));
  return [...seen, ...general.filter(({ grantOn, anyOf }) => !known.has(`${grantOn} ${anyOf.join()}`))];
}

function privilegesOfRole(role: string | undefined, have: Known): readonly string[] {
  return privilegesOf(role === undefined || role === '' ? 'PVEVMAdmin' : role, have) ?? [];
}

export function examine(input: ExamineInput): Examined {
  const { command, lab, users } = input;
  if (lab && users) {
    if (command === 'deploy') return examineDeploy(lab, users, input);
    if (command === 'cleanup') return examineCleanup(lab, users, input) ?? inGeneral(input);
  }
  return inGeneral(input);
}
