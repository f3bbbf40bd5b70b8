/** What holds for the roles that students get: which are refused, which are warned of, and the making of our own. */
import { hasOwnNetworks } from '../../config/lab/networks.ts';
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { STUDENT, STUDENT_PRIVILEGES, STUDENT_ROLE } from '../../marks/role.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import { isAtLeast } from '../../pve-values/version.ts';
import type { Refusal } from '../document/plan.ts';
import { makeStep, type Step } from '../document/step.ts';
import { addRoleCommand, setRoleCommand, widenRoleCommand } from '../../pve-values/admin-commands.ts';

type Roles = Pick<Inventory, 'roles' | 'rolePrivileges'>;

/** Who holds one of these on the pool writes the claims in its comment, or gives himself whatever he wants. */
const HANDS_OVER = ['Pool.Allocate', 'Permissions.Modify'];

/** Of our own role, those that this server knows: Administrator has them all. */
function studentPrivileges({ rolePrivileges }: Pick<Roles, 'rolePrivileges'>): readonly string[] {
  const all = rolePrivileges?.['Administrator'];
  const known = STUDENT_PRIVILEGES.filter((name) => all?.includes(name) ?? true);
  return known.length === STUDENT_PRIVILEGES.length ? STUDENT_PRIVILEGES : known;
}

/** Undefined: not known. Of our own role also while it is still to be made. */
export function privilegesOf(
  role: string,
  have: Pick<Roles, 'rolePrivileges'>,
): readonly string[] | undefined {
  const present = have.rolePrivileges?.[role];
  return present === undefined && role === STUDENT_ROLE ? studentPrivileges(have) : present;
}

/** The roles that a lab gives: on the pool, and on single machines. */
export function rolesOf(lab: Lab): string[] {
  return sortedUnique([lab.access.role, ...lab.machines.flatMap(({ poolRole }) => poolRole ?? [])]);
}

/** Empty where the list of roles cannot be read: then nothing is known to be missing. */
function isMissing(role: string, { roles }: Roles): boolean {
  return roles.length > 0 && !roles.includes(role);
}

/** What an administrator runs where the caller may make no roles. */
export function studentRoleCommand(have: Roles): string {
  return addRoleCommand(STUDENT_ROLE, studentPrivileges(have));
}

/** Our own role is never changed, so one that gives more than it says is not given to anybody. */
function tooWide(have: Roles, file: string): Refusal[] {
  const ours = studentPrivileges(have);
  const more = (have.rolePrivileges?.[STUDENT_ROLE] ?? []).filter((name) => !ours.includes(name));
  if (more.length === 0) return [];
  return [
    {
      code: 'ROLE_TOO_WIDE',
      message: `${file}: role ${STUDENT_ROLE} of the cluster holds more than "role: ${STUDENT}" means: ${more.join(', ')}`,
      hint: `an administrator brings it back with\n  ${setRoleCommand(STUDENT_ROLE, ours)}\nor name another role in the lab`,
    },
  ];
}

/** Why a role cannot be given to students: it is not there, or it would make them administrators of their pool. */
export function roleRefusals(wanted: readonly string[], have: Roles, file: string): Refusal[] {
  return sortedUnique(wanted).flatMap((role): Refusal[] => {
    if (role === STUDENT_ROLE) return tooWide(have, file);
    if (isMissing(role, have)) {
      return [
        {
          code: 'NO_ROLE',
          message: `${file}: the cluster has no role "${role}"`,
          hint: `roles there: ${[...have.roles].sort(compareNatural).join(', ')}`,
        },
      ];
    }
    const held = HANDS_OVER.filter((name) => have.rolePrivileges?.[role]?.includes(name));
    if (held.length === 0) return [];
    return [
      {
        code: 'ROLE_HANDS_OVER',
        message: `${file}: role "${role}" holds ${held.join(' and ')}: students could change what is written in their pools about what is whose`,
        hint: `give a role without it, such as ${STUDENT}, PVEVMAdmin or PVEVMUser`,
      },
    ];
  });
}

/** Privileges on the nodes or the cluster mean nothing on a pool, but nobody gives them to students on purpose. */
function systemWarnings(role: string, have: Roles): string[] {
  const held = (have.rolePrivileges?.[role] ?? []).filter((name) => name.startsWith('Sys.'));
  return held.length === 0 ? [] : [`role ${role} holds ${held.join(', ')}: is it meant for students?`];
}

function narrowWarnings(role: string, have: Roles): string[] {
  const present = have.rolePrivileges?.[role];
  if (role !== STUDENT_ROLE || !present) return [];
  const less = studentPrivileges(have).filter((name) => !present.includes(name));
  return less.length === 0
    ? []
    : [
        `role ${role} of the cluster lacks ${less.join(', ')}: it is given as it is; an administrator completes it with: ${widenRoleCommand(role, less)}`,
      ];
}

export function roleWarnings(wanted: readonly string[], have: Roles): string[] {
  return sortedUnique(wanted).flatMap((role) => [
    ...systemWarnings(role, have),
    ...narrowWarnings(role, have),
  ]);
}

const REPLUGS = 'VM.Config.Network';
/** PVE's own roles that hold it, and VM.Migrate, for those who cannot ask a server. */
const REPLUGGING = ['PVEVMAdmin', 'PVEAdmin', 'Administrator'];

/** The snapshot to which students may go back by themselves; machines without one, or with others, are not told apart. */
export function ownWayBack(lab: Lab, have: Pick<Roles, 'rolePrivileges'>): string | undefined {
  const { role } = lab.access;
  const may = privilegesOf(role, have)?.includes('VM.Snapshot.Rollback') ?? REPLUGGING.includes(role);
  return may
    ? lab.machines.find(({ baselineSnapshot }) => baselineSnapshot !== undefined)?.baselineSnapshot
    : undefined;
}

/** May students move their machines to another node? */
export function letsMigrate(lab: Lab, have: Pick<Roles, 'rolePrivileges'>): boolean {
  return rolesOf(lab).some(
    (role) => privilegesOf(role, have)?.includes('VM.Migrate') ?? REPLUGGING.includes(role),
  );
}

/** Of a lab whose students have networks of their own: the roles that could leave them. */
function repluggingRoles(lab: Lab, have: Pick<Roles, 'rolePrivileges'>): string[] {
  if (!hasOwnNetworks(lab)) return [];
  return rolesOf(lab).filter(
    (role) => privilegesOf(role, have)?.includes(REPLUGS) ?? REPLUGGING.includes(role),
  );
}

function replugText(roles: readonly string[]): string {
  return `on PVE 7.4, role ${roles.join(', ')} lets students plug their machines into any bridge of the node, other students' networks included; "role: ${STUDENT}" does not (from PVE 8 on it takes SDN.Use on the bridge, too)`;
}

/** Said once, however many students there are. */
export function replugWarnings(lab: Lab, have: Pick<Inventory, 'version' | 'rolePrivileges'>): string[] {
  const roles = isAtLeast(have.version, 8) ? [] : repluggingRoles(lab, have);
  return roles.length === 0 ? [] : [replugText(roles)];
}

/** The same of a lab alone, for whatever server it is meant. */
export function replugNotes(lab: Lab): string[] {
  const roles = repluggingRoles(lab, {});
  return roles.length === 0 ? [] : [replugText(roles)];
}

/** The plan with the making of our own role in front, where something gives it and the cluster has none. */
export function withStudentRole(steps: readonly Step[], have: Roles): Step[] {
  const gives = (step: Step): boolean => step.kind === 'acl.grant' && step.role === STUDENT_ROLE;
  if (!isMissing(STUDENT_ROLE, have) || !steps.some(gives)) return [...steps];
  const privileges = studentPrivileges(have);
  const reason = `missing; "role: ${STUDENT}" means ${privileges.join(', ')}`;
  const make = makeStep('role.create', STUDENT_ROLE, { reason }, { role: STUDENT_ROLE, privileges });
  return [
    make,
    ...steps.map((step) =>
      gives(step) ? { ...step, dependsOn: sortedUnique([...step.dependsOn, make.id]) } : step,
    ),
  ];
}
