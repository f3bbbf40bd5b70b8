/** Which tags of guests a user may set or take away: guest-common GuestHelpers.pm, get_allowed_tags and assert_tag_permissions. */
import { splitList } from '../contract/formats.ts';
import { rootUser } from '../access/permissions.ts';
import { permError } from '../pve-error.ts';
import type { Sim } from '../sim.ts';

interface TagRules {
  readonly allowed: ReadonlySet<string>;
  readonly registered: ReadonlySet<string>;
  readonly isFree: boolean;
}

function isPrivileged(sim: Sim, user: string): boolean {
  return user === rootUser || sim.rights.has(user, '/', 'Sys.Modify');
}

function tagsOfGuests(sim: Sim, user: string, all: boolean): string[] {
  return [...sim.world.guests.values()].flatMap(({ vmid, config }) => {
    const pool = sim.world.poolOf(vmid);
    const isSeen =
      all ||
      sim.rights.has(user, `/vms/${vmid}`, 'VM.Audit') ||
      (pool !== undefined && sim.rights.has(user, `/pool/${pool}`, 'VM.Audit'));
    return isSeen ? splitList(config['tags'] ?? '') : [];
  });
}

/** `user-tag-access` of datacenter.cfg. */
function access(sim: Sim): { readonly allow: string; readonly list: readonly string[] } {
  const parts = new Map(
    (sim.world.datacenter['user-tag-access'] ?? '').split(',').map((part) => {
      const at = part.indexOf('=');
      return [part.slice(0, at), part.slice(at + 1)] as const;
    }),
  );
  return { allow: parts.get('user-allow') ?? 'free', list: splitList(parts.get('user-allow-list') ?? '') };
}

export function tagRules(sim: Sim, user: string): TagRules {
  const all = isPrivileged(sim, user);
  const registered = new Set(splitList(sim.world.datacenter['registered-tags'] ?? ''));
  const { allow, list } = access(sim);
  const allowed = new Set<string>(allow !== 'none' || all ? list : []);
  if (allow === 'free' || allow === 'existing' || all) {
    for (const tag of tagsOfGuests(sim, user, all)) allowed.add(tag);
  }
  for (const tag of registered)
    if (all) allowed.add(tag);
    else allowed.delete(tag);
  return { allowed, registered, isFree: allow === 'free' };
}

/** What stays as it is, is not asked for. */
export function checkTags(sim: Sim, user: string, before: string, after: string): void {
  if (isPrivileged(sim, user)) return;
  const [was, is] = [new Set(splitList(before)), new Set(splitList(after))];
  const { allowed, registered, isFree } = tagRules(sim, user);
  for (const tag of [...new Set([...was, ...is])].sort()) {
    if (was.has(tag) === is.has(tag)) continue;
    if ((!allowed.has(tag) && !isFree) || registered.has(tag))
      throw permError(`/, Sys.Modify for modifying tag '${tag}'`);
  }
}
