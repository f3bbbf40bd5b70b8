/**
 * Rights on single machines of a stand that the lab does not give. Who holds VM.Allocate on a machine may share what he has
 * there (PVE/API2/ACL.pm), and PVE keeps that when his own role is changed. They are told, and never taken away by deploy:
 * an administrator may have given them.
 */
import { groupBy } from '../../group.ts';
import { sortedUnique } from '../../order.ts';
import type { Lab } from '../../config/types.ts';
import type { AclEntry, Inventory } from '../../inventory/types.ts';
import { takeAwayCommand } from '../../pve-values/admin-commands.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import { protectedBecause } from './protected-accounts.ts';
import { privilegesOf } from './roles.ts';
import type { StandState } from './state.ts';

interface Context {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly index: ClusterView;
}

interface ForeignRights {
  /** They give more than the lab does, so that the access is not what the lab says it is. */
  readonly left?: Refusal;
  readonly notes: readonly string[];
}

function rightsOn(state: StandState, { lab, have, index }: Context): AclEntry[] {
  return [...state.present].flatMap(([name, { vmid }]) => {
    const given = lab.machines.find((machine) => machine.name === name)?.poolRole;
    const isOurs = ({ subject, role }: AclEntry): boolean => subject === state.user.userid && role === given;
    return (index.vmRights.get(`/vms/${vmid}`) ?? []).filter(
      (entry) => !isOurs(entry) && protectedBecause(entry.subject, have.caller) === undefined,
    );
  });
}

function isWithin(role: string, { lab, have }: Context): boolean {
  const given = privilegesOf(lab.access.role, have);
  const held = privilegesOf(role, have);
  return (
    role === lab.access.role || (given !== undefined && held?.every((one) => given.includes(one)) === true)
  );
}

interface Alike {
  readonly says: string;
  /** One for each machine. */
  readonly commands: readonly string[];
}

/** In one line those who have the same role on the same machines, and nobody beside them. */
function alike(entries: readonly AclEntry[]): Alike[] {
  const byMachine = groupBy(entries, ({ type, role, path }) => `${type} ${role} ${path}`);
  const machines = [...byMachine.values()].map((here) => {
    const subjects = sortedUnique(here.map(({ subject }) => subject));
    return { right: here[0], subjects };
  });
  const key = ({ right, subjects }: (typeof machines)[number]): string =>
    [right?.type, right?.role, ...subjects].join(' ');
  return [...groupBy(machines, key).values()].map((list) => {
    const [{ right, subjects } = { right: undefined, subjects: [] }] = list;
    const who = subjects.map((subject) => (right?.type === 'group' ? `@${subject}` : subject));
    return {
      says: `${who.join(', ')}: ${right?.role ?? ''} on ${list.map((one) => one.right?.path).join(', ')}`,
      commands: list.flatMap((one) => (one.right ? [takeAwayCommand(one.right, ...one.subjects)] : [])),
    };
  });
}

export function foreignRights(state: StandState, context: Context): ForeignRights {
  const entries = rightsOn(state, context);
  const { role } = context.lab.access;
  const more = alike(entries.filter((entry) => !isWithin(entry.role, context)));
  const other = alike(entries.filter((entry) => isWithin(entry.role, context)));
  const notes = other.map(({ says, commands }) => {
    const lines = commands.map((line) => `\`${line}\``).join(' and ');
    return `a right that the lab does not give: ${says} (${lines} ${commands.length === 1 ? 'takes' : 'take'} it away)`;
  });
  if (more.length === 0) return { notes };
  const commands = more.flatMap((one) => one.commands);
  return {
    notes,
    left: {
      code: 'RIGHTS_LEFT',
      message: `rights on machines of ${state.user.userid} go beyond role ${role} of the lab: ${more.map(({ says }) => says).join('; ')}`,
      hint: `an administrator takes them away with\n${commands.map((line) => `  ${line}`).join('\n')}`,
    },
  };
}
