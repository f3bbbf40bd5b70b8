/**
 * How large PVE's user.cfg will be after a plan: users, pools with their claims, members and rights are one file, and pmxcfs
 * takes no file of more than 1 MiB (memdb.h), so that a cluster whose file is full takes no user, pool or right any more.
 */
import type { Inventory } from '../../inventory/types.ts';
import { drawnLength } from '../../marks/seal.ts';
import type { Step } from '../document/step.ts';

const MOST = 2 ** 20;
const WARN_FROM = 600 * 1024;

/** Each byte that is no printable ASCII, and `:` and `%`, becomes three characters (pve-common Tools.pm, encode_text). */
function encodedLength(text: string): number {
  let length = 0;
  for (const byte of Buffer.from(text, 'utf8')) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25 && byte !== 0x3a;
    length += isPlain ? 1 : 3;
  }
  return length;
}

function commentLength(comment: string): number {
  return encodedLength(comment) + drawnLength(comment);
}

interface UserText {
  readonly userid: string;
  readonly comment: string;
  readonly email?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly groups: readonly string[];
}

/** `user:anna@pve:1:0:Anna:A:anna@example.org:comment::`, and its name in the line of each of its groups. */
function userLength({
  userid,
  comment,
  email = '',
  firstName = '',
  lastName = '',
  groups,
}: UserText): number {
  const texts = [comment, email, firstName, lastName].map(encodedLength);
  const numbers = 'user::1:0000000000::::::\n'.length;
  return numbers + userid.length * (1 + groups.length) + groups.length + texts.reduce((a, b) => a + b, 0);
}

/** `acl:1:/pool/anna:anna@pve:PVEVMAdmin:` */
function aclLength({ path, role, subject }: { path: string; role: string; subject: string }): number {
  return 'acl:1::@::\n'.length + path.length + role.length + subject.length;
}

interface Sizes {
  readonly users: Map<string, number>;
  readonly pools: Map<string, number>;
  readonly acls: Map<string, number>;
  /** VMID → how long its name in its pool's line is. */
  readonly members: Map<number, number>;
}

function sizesOf(have: Inventory): Sizes {
  const { users, pools, acls, guests } = have;
  return {
    users: new Map(users.map((user) => [user.userid, userLength(user)])),
    pools: new Map(pools.map(({ pool, comment }) => [pool, poolLength(pool, comment)])),
    acls: new Map(acls.map((acl) => [aclKey(acl.path, acl.subject, acl.role), aclLength(acl)])),
    members: new Map(guests.flatMap(({ vmid, pool }) => (pool === undefined ? [] : [memberOf(vmid)]))),
  };
}

function poolLength(pool: string, comment: string): number {
  return 'pool:::::\n'.length + pool.length + commentLength(comment);
}

function memberOf(vmid: number): [number, number] {
  return [vmid, String(vmid).length + 1];
}

function aclKey(path: string, subject: string, role: string): string {
  return `${path} ${subject} ${role}`;
}

function applyTo({ users, pools, acls, members }: Sizes, step: Step): void {
  switch (step.kind) {
    case 'user.create':
      users.set(step.userid, userLength(step));
      return;
    case 'user.delete':
      users.delete(step.userid);
      return;
    case 'pool.create':
    case 'pool.update':
    case 'pool.release':
      pools.set(step.pool, poolLength(step.pool, step.comment));
      return;
    case 'pool.delete':
      pools.delete(step.pool);
      return;
    case 'pool.join':
      for (const { vmid } of step.machines) members.set(...memberOf(vmid));
      return;
    case 'template.join':
      members.set(...memberOf(step.vmid));
      return;
    case 'acl.grant': {
      const { path, userid: subject, role } = step;
      acls.set(aclKey(path, subject, role), aclLength({ path, subject, role }));
      return;
    }
    case 'acl.revoke':
      acls.delete(aclKey(step.path, step.userid, step.role));
      return;
    default:
      return;
  }
}

/** Characters; what the caller does not see is missing. */
export function userConfigSize(have: Inventory, steps: readonly Step[]): number {
  const sizes = sizesOf(have);
  for (const step of steps) applyTo(sizes, step);
  const { users, pools, acls, members } = sizes;
  let sum = 0;
  for (const map of [users, pools, acls, members]) for (const length of map.values()) sum += length;
  return sum;
}

/** Once for a plan that would fill it; empty where there is room, or nothing is added. */
export function userConfigWarnings(have: Inventory, steps: readonly Step[]): string[] {
  const size = userConfigSize(have, steps);
  if (size < WARN_FROM || size <= userConfigSize(have, [])) return [];
  const kib = (bytes: number): number => Math.round(bytes / 1024);
  const most = `PVE takes ${kib(MOST)} KiB at most`;
  return [
    `user.cfg, in which PVE keeps all users, pools and rights of the cluster, would have about ${kib(size)} KiB after this plan; ${most}, and beyond that no user, pool or right can be written any more\n  remove stands that are over (\`deploy-stand cleanup --expired\`, \`--orphans\`) and users that nobody needs, or divide the class between clusters`,
  ];
}
