/** What `doctor` has to say, as plain data: what is there, what is missing, and the commands that grant it. Pure. */
import { addTokenCommand, addUserCommand } from '../pve-values/admin-commands.ts';
import type { Inventory, Rights } from '../inventory/types.ts';
import { addTo } from '../group.ts';
import { tokenIn } from '../pve-values/userid.ts';
import { examine, type ExamineInput, type Examined } from './examine.ts';
import { replugWarnings, studentRoleCommand } from '../plan/stands/roles.ts';
import { aclCommands, grantsFor, isRoleMaking, roleCommands, type Grant } from './grants.ts';
import { majorOf, type Profile } from '../plan/cluster/profile.ts';
import { isHeld } from './required.ts';
import type { Command, Requirement } from './types.ts';

/** Privileges that are needed for one reason and granted on one path. */
export interface DoctorRow {
  /** Path of the ACL that grants them best. */
  readonly path: string;
  readonly privileges: readonly string[];
  /** Each of these would do instead. */
  readonly or: readonly string[];
  readonly state: 'there' | 'missing';
  /** It works without. */
  readonly advice: boolean;
  readonly reason: string;
  /** Kinds of steps that need them. */
  readonly steps: readonly string[];
  /** The very paths, in natural order. */
  readonly on: readonly string[];
}

export interface DoctorReport {
  readonly version: string;
  readonly command: Command;
  readonly caller: string;
  readonly profile: Profile;
  /** `class`: for exactly this lab and these users; `general`: for any. */
  readonly scope: 'class' | 'general';
  /** Why the class as such cannot be planned at present; null: it can, or was not asked for. */
  readonly refused: string | null;
  /** Privileges and paths that are missing, advice aside. */
  readonly missing: number;
  readonly rows: readonly DoctorRow[];
  readonly notes: readonly string[];
  readonly grants: readonly Grant[];
  /** Shell commands for an administrator: roles, user, ACLs and token that can do exactly this. */
  readonly commands: readonly string[];
}

const USER = 'deploy-stand@pve';

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface Draft {
  readonly path: string;
  readonly state: DoctorRow['state'];
  readonly advice: boolean;
  readonly privilege: string;
  /** What would do instead for all that is asked. */
  or: readonly string[];
  readonly reasons: Set<string>;
  readonly steps: Set<string>;
  readonly on: Set<string>;
}

/** One per privilege and path of an ACL, whatever asks for it. */
function draftsOf(required: readonly Requirement[], rights: Rights): Draft[] {
  const drafts = new Map<string, Draft>();
  for (const need of required) {
    const [privilege = '', ...or] = need.anyOf;
    const { grantOn: path, advice } = need;
    const state = isHeld(need, rights) ? 'there' : 'missing';
    const key = [path, privilege, state, advice].join(' ');
    const draft = drafts.get(key) ?? {
      ...{ path, state, advice, privilege, or },
      ...{ reasons: new Set(), steps: new Set(), on: new Set() },
    };
    drafts.set(key, draft);
    draft.or = draft.or.filter((other) => or.includes(other));
    // Several reasons may have been merged into one text already.
    for (const reason of need.reason.split('; ')) draft.reasons.add(reason);
    draft.on.add(need.path);
    for (const step of need.steps) draft.steps.add(step);
  }
  return [...drafts.values()];
}

const SOMETIMES = /^(.*) \(when (.*)\)$/;

/** What is needed anyway is not said again for a circumstance, and what several circumstances need is said once. */
function told(reasons: ReadonlySet<string>): string {
  const conditions = new Map<string, string[]>();
  for (const reason of reasons) {
    const [, base = reason, when] = SOMETIMES.exec(reason) ?? [];
    if (when === undefined) conditions.set(reason, []);
    else if (!reasons.has(base)) addTo(conditions, base, when);
  }
  return [...conditions]
    .map(([base, when]) => (when.length === 0 ? base : `${base} (when ${when.join(', or when ')})`))
    .join('; ');
}

/** Privileges that are there for the same are one row. */
function toRows(required: readonly Requirement[], rights: Rights): DoctorRow[] {
  const rows = new Map<string, DoctorRow>();
  for (const { path, state, advice, privilege, or, ...sets } of draftsOf(required, rights)) {
    const reason = told(sets.reasons);
    const key = [path, state, advice, or.join(), reason].join(' ');
    const row = rows.get(key);
    rows.set(key, {
      ...{ path, state, advice, or, reason },
      privileges: [...(row?.privileges ?? []), privilege].sort(compare),
      steps: [...new Set([...(row?.steps ?? []), ...sets.steps])],
      on: [...new Set([...(row?.on ?? []), ...sets.on])].sort(compare),
    });
  }
  return [...rows.values()].sort(
    (a, b) =>
      Number(a.advice) - Number(b.advice) ||
      compare(a.path, b.path) ||
      compare(a.privileges.join(), b.privileges.join()),
  );
}

interface Circumstances {
  readonly caller: string;
  readonly major: 7 | 8 | 9;
  readonly profile: Profile;
  readonly command: Command;
  readonly required: readonly Requirement[];
}

/** Rules of PVE that surprise, as far as they concern this caller and command. */
function notesFor({ caller, major, profile, command, required }: Circumstances): string[] {
  const asks = (privilege: string): boolean => required.some(({ anyOf }) => anyOf[0] === privilege);
  const isToken = tokenIn(caller) !== undefined;
  const notes: [applies: boolean, text: string][] = [
    [
      isToken && (command === 'users' || asks('Realm.AllocateUser')),
      'an API token gives users a first password, but can never set one later: `users passwd` and `deploy --reset-passwords` take a login by password, `users passwd` also --recreate',
    ],
    [
      isToken,
      'a token with privilege separation (the default) may do what both its owner and its own ACLs allow: grant to both, or make it with --privsep 0',
    ],
    [
      caller.startsWith('root@pam!'),
      'a token of root@pam is not root@pam: what PVE keeps for root alone (unlocking and removing rests of failed tasks) is refused to it',
    ],
    [
      asks('Sys.Modify'),
      'Sys.Modify, for bridges, is in no role of PVE but Administrator: it takes a role of your own, as below',
    ],
    [major === 7, 'SDN.Use exists since PVE 8.0: on 7.4 everybody sees and uses all bridges'],
    [
      major > 7 && required.some(({ path }) => path.startsWith('/sdn/zones/localnetwork')),
      'SDN.Use on a bridge covers its VLAN tags (paths below it) with propagation only; on /sdn/zones/localnetwork, with propagation, it covers all bridges',
    ],
    [
      major > 7 && required.some(({ anyOf }) => anyOf.includes('Permissions.Modify')),
      "whoever gives students a role without having Permissions.Modify has to have all of the role's privileges on the pools, with propagation",
    ],
    [
      profile === 'confined',
      'profile confined: VMs are made inside pools (four at a time); guests outside the pools stay out of reach and, without VM.Audit on /vms, out of sight; networks of the nodes, users and storages take the rights listed beside /pool',
    ],
    [
      profile === 'full' && command === 'deploy',
      'VM.Allocate on /vms lets the caller make and remove every VM of the cluster; --profile confined tells how to do with /pool',
    ],
  ];
  return notes.flatMap(([applies, text]) => (applies ? [text] : []));
}

function commandsFor(grants: readonly Grant[], required: readonly Requirement[], have: Inventory): string[] {
  const isThere = have.users.some(({ userid }) => userid === USER);
  const makesRole = required.some((need) => isRoleMaking(need) && !need.advice);
  return [
    ...(makesRole ? [studentRoleCommand(have)] : []),
    ...roleCommands(grants, have.roles),
    ...(isThere ? [] : [addUserCommand(USER, 'runs deploy-stand')]),
    ...aclCommands(grants, USER),
    addTokenCommand(USER, 'cli'),
  ];
}

export function doctorReport(input: ExamineInput, caller: string): DoctorReport {
  const { have, command, profile } = input;
  const { required, scope, refused, nodes = [] }: Examined = examine(input);
  const rows = toRows(required, have.rights ?? {});
  const grants = grantsFor(required);
  return {
    version: have.version,
    command,
    caller,
    profile,
    scope,
    refused: refused ?? null,
    missing: required.filter((need) => !need.advice && !isHeld(need, have.rights ?? {})).length,
    rows,
    notes: [
      ...nodes,
      ...(input.lab ? replugWarnings(input.lab, have) : []),
      ...notesFor({ caller, major: majorOf(have), profile, command, required }),
    ],
    grants,
    commands: commandsFor(grants, required, have),
  };
}
