/**
 * Who else can read the seal of a clone (marks/seal.ts) that is in no pool: whoever has VM.Audit on all machines, or
 * Sys.Audit on a node, whose report holds the configurations of its guests. Together with somebody who can put a machine into a pool and take it out again, a seal proves nothing any more. Whoever may make
 * and remove all machines administers them, and is not asked. Must not know what a claim says.
 */
import { groupBy } from '../group.ts';
import { holds, judgeOf, say, type Lists, type Trust } from './delegated.ts';
import type { AclEntry } from './types.ts';

/** Rights on these reach every machine that is in no pool. */
const PATHS = ['/', '/vms'];
/** A node's report (PVE/API2/Nodes.pm, `report`; PVE/Report.pm) asks for nothing else. */
const REPORTS = /^\/(?:nodes(?:\/[^/]+)?)?$/;
/** With one of these PVE shows the caller who has rights there (PVE/API2/ACL.pm, `read_acl`). */
const SHOWN_BY: Readonly<Record<string, readonly string[]>> = {
  '/': ['Permissions.Modify'],
  '/vms': ['VM.Allocate', 'Permissions.Modify'],
};

/** In words; what the caller is not shown counts as somebody's right. */
export function sealReaders(lists: Lists, trust: Trust): string[] {
  const { acls, roles, rights } = lists;
  const isTrusted = judgeOf(trust, lists);
  // A role that is not in the list may hold everything: to read, not to administer.
  const gives = (privilege: string, { role }: AclEntry): boolean => roles[role]?.includes(privilege) === true;
  const reaches = ({ path, propagate }: AclEntry): boolean => propagate && PATHS.includes(path);
  const reports = ({ path, propagate }: AclEntry): boolean =>
    REPORTS.test(path) && (propagate || path.startsWith('/nodes/'));
  const mayGive = (privilege: string, entry: AclEntry): boolean =>
    roles[entry.role] === undefined || gives(privilege, entry);
  const readsSeals = (entry: AclEntry): boolean =>
    (reaches(entry) && mayGive('VM.Audit', entry)) || (reports(entry) && mayGive('Sys.Audit', entry));
  const bySubject = groupBy(
    acls.filter((entry) => (reaches(entry) || reports(entry)) && !isTrusted(entry)),
    ({ type, subject }) => `${type} ${subject}`,
  );
  const readers = [...bySubject.values()].flatMap((entries) => {
    const reads = entries.find(readsSeals);
    const administers = entries.some((entry) => reaches(entry) && gives('VM.Allocate', entry));
    return reads && !administers ? [say(reads)] : [];
  });
  const unseen = holds(rights, '/access', ['Sys.Audit'])
    ? []
    : PATHS.filter((path) => !holds(rights, path, SHOWN_BY[path] ?? [])).map(
        (path) => `who has rights on ${path} is not shown to the caller`,
      );
  return [...readers, ...unseen];
}
