/** What a caller has of what each command needs for any class, in short: `doctor` tells the whole. Pure. */
import type { Rights } from '../inventory/types.ts';
import { COMMAND_STEPS } from './command-rules.ts';
import { majorOf, profileOf, type Profile } from '../plan/cluster/profile.ts';
import { missing, requiredInGeneral } from './required.ts';
import type { Command } from './types.ts';

export interface CommandRights {
  readonly command: Command;
  /** Path of the ACL that grants them best, and what is missing there, sorted; advice aside. Empty: nothing is missing. */
  readonly lacking: readonly { readonly path: string; readonly privileges: readonly string[] }[];
}

export interface RightsOverview {
  readonly profile: Profile;
  readonly commands: readonly CommandRights[];
}

interface Facts {
  readonly rights: Rights;
  /** As PVE tells it, e.g. `8.4`. */
  readonly version: string;
  /** Privileges of the role that students get; empty where it is not known. */
  readonly role: readonly string[];
}

export function rightsOverview({ rights, version, role }: Facts): RightsOverview {
  const profile = profileOf(rights);
  const facts = { profile, major: majorOf({ version }), role, realms: [] };
  const commands = Object.keys(COMMAND_STEPS) as Command[]; // a Record's own keys
  return {
    profile,
    commands: commands.map((command) => {
      const firm = requiredInGeneral(command, facts).filter(({ advice }) => !advice);
      const paths = new Map<string, Set<string>>();
      for (const { grantOn, anyOf } of missing(firm, rights)) {
        const [privilege = ''] = anyOf;
        paths.set(grantOn, (paths.get(grantOn) ?? new Set()).add(privilege));
      }
      const lacking = [...paths].map(([path, privileges]) => ({ path, privileges: [...privileges].sort() }));
      return { command, lacking: lacking.sort((a, b) => (a.path < b.path ? -1 : 1)) };
    }),
  };
}
