/** The marks by which we know our own objects (pool, VM, bridge and user comments): writing and reading them. */
import { formatVmids, parseVmids } from './vmid-ranges.ts';

const MARK = 'deploy-stand';

/** Pool that serialises planning; never a student's. */
export const LOCK_POOL = 'deploy-stand-lock';

/** Pool that keeps two balancers apart for as long as one moves guests. */
export const BALANCE_LOCK_POOL = 'deploy-stand-balance-lock';

/** Tag on every VM of ours; for people, never evidence (clones inherit tags, students may edit them). */
export const TAG = 'deploy-stand';

/** One lab's line in a pool comment: the claim. */
export interface Claim {
  readonly lab: string;
  /** Ascending. */
  readonly vmids: readonly number[];
  /** ISO 8601 UTC. */
  readonly since: string;
  readonly expires?: string;
  /** Node the stand was placed on; tells only while none of its objects exists. */
  readonly node?: string;
}

/** A pool comment, taken apart. `others` are lines that are not ours; they are kept as they are. */
export interface PoolMark {
  /** Undefined: no header, the pool is not ours. */
  readonly user?: string;
  /** The pool existed before us: it is never deleted. */
  readonly adopted: boolean;
  /** Roles on the pool that the user had before we adopted it: never taken away. */
  readonly roles?: readonly string[];
  /** Wanted without a stand, too: no orphan. */
  readonly kept?: boolean;
  readonly claims: readonly Claim[];
  readonly others: readonly string[];
}

type Fields = Readonly<Record<string, string>>;

/** The `key=value` words of a line of ours. */
export function parseFields(text: string): Fields {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const word of text.split(/\s+/)) {
    const at = word.indexOf('=');
    if (at > 0) fields[word.slice(0, at)] = word.slice(at + 1);
  }
  return fields;
}

function parseClaim(line: string): Claim | undefined {
  if (!line.startsWith('lab=')) return undefined;
  const { lab, vmids, since, expires, node } = parseFields(line);
  if (!lab || vmids === undefined || !since) return undefined;
  return {
    lab,
    vmids: parseVmids(vmids),
    since,
    ...(expires ? { expires } : {}),
    ...(node ? { node } : {}),
  };
}

export function parsePoolComment(comment: string): PoolMark {
  const lines = comment.split('\n').map((line) => line.trimEnd());
  const header = lines.find((line) => line.startsWith(`${MARK} user=`));
  if (header === undefined)
    return { adopted: false, claims: [], others: lines.filter((line) => line !== '') };
  const { user, roles } = parseFields(header);
  const words = header.split(/\s+/);
  const claims: Claim[] = [];
  const others: string[] = [];
  for (const line of lines) {
    if (line === '' || line === header) continue;
    const claim = parseClaim(line);
    if (claim) claims.push(claim);
    else others.push(line);
  }
  return {
    ...(user ? { user } : {}),
    adopted: words.includes('adopted'),
    ...(roles ? { roles: roles.split(',') } : {}),
    ...(words.includes('kept') ? { kept: true } : {}),
    claims,
    others,
  };
}

function formatClaim(claim: Claim): string {
  return [
    `lab=${claim.lab}`,
    `vmids=${formatVmids(claim.vmids)}`,
    ...(claim.node === undefined ? [] : [`node=${claim.node}`]),
    `since=${claim.since}`,
    ...(claim.expires === undefined ? [] : [`expires=${claim.expires}`]),
  ].join(' ');
}

/** Foreign lines first, then our header, then the claims in the order given. */
export function formatPoolComment(mark: PoolMark & { readonly user: string }): string {
  const { roles = [], kept = false } = mark;
  const header = [
    `${MARK} user=${mark.user}`,
    ...(mark.adopted ? ['adopted'] : []),
    ...(roles.length === 0 ? [] : [`roles=${roles.join(',')}`]),
    ...(kept ? ['kept'] : []),
  ].join(' ');
  return [...mark.others, header, ...mark.claims.map(formatClaim)].join('\n');
}

/** What a VM's description says of it. */
export interface VmMark {
  readonly lab: string;
  readonly user: string;
  readonly machine: string;
  readonly vmid: number;
  /** Present once the VM is configured. */
  readonly spec?: string;
  /** The replica that it is a linked clone of: lvmthin does not tell (pve-storage LvmThinPlugin.pm). */
  readonly base?: number;
}

export function formatVmMark(mark: VmMark): string {
  return [
    `${MARK} lab=${mark.lab} user=${mark.user} machine=${mark.machine} vmid=${mark.vmid}`,
    ...(mark.base === undefined ? [] : [`base=${mark.base}`]),
    ...(mark.spec === undefined ? [] : [`spec=${mark.spec}`]),
  ].join(' ');
}

function isVmMarkLine(text: string): boolean {
  return text.startsWith(`${MARK} lab=`);
}

/** The notes with this mark in the place of the one they have, else at their end. */
export function withVmMark(description: string, mark: VmMark): string {
  const lines = description.trimEnd().split('\n');
  const at = lines.findIndex(isVmMarkLine);
  if (at >= 0) lines[at] = formatVmMark(mark);
  else lines.push(formatVmMark(mark));
  return lines.filter((line, index) => line !== '' || index > 0).join('\n');
}

export function parseVmMark(description: string): VmMark | undefined {
  const line = description.split('\n').find(isVmMarkLine);
  if (line === undefined) return undefined;
  const { lab, user, machine, vmid, spec, base } = parseFields(line);
  if (!lab || !user || !machine || !vmid || !/^\d{1,9}$/.test(vmid)) return undefined;
  return {
    lab,
    user,
    machine,
    vmid: Number(vmid),
    ...(spec ? { spec } : {}),
    ...(base !== undefined && /^\d{1,9}$/.test(base) ? { base: Number(base) } : {}),
  };
}

/** A stand's bridge (`lab`, `user`, `net`), or a reserved one (shared, never removed). */
export type BridgeMark =
  | { readonly kind: 'stand'; readonly lab: string; readonly user: string; readonly net: string }
  | { readonly kind: 'reserved' };

/** The bridge's own name is in it: what PVE shows of a staged change need not show whose change it is. */
export function formatBridgeMark(iface: string, mark: BridgeMark, since: string): string {
  const what = mark.kind === 'reserved' ? 'reserved' : `lab=${mark.lab} user=${mark.user} net=${mark.net}`;
  return `${MARK} bridge=${iface} ${what} since=${since}`;
}

/** 0.1.0 wrote no name; a mark that names another bridge was copied by somebody and says nothing. */
export function parseBridgeMark(iface: string, comments: string): BridgeMark | undefined {
  const line = comments.split('\n').find((text) => text.startsWith(`${MARK} `));
  if (line === undefined) return undefined;
  const { bridge = iface, lab, user, net } = parseFields(line);
  if (bridge !== iface) return undefined;
  if (line.split(/\s+/).includes('reserved')) return { kind: 'reserved' };
  return lab && user && net ? { kind: 'stand', lab, user, net } : undefined;
}

/** The moment of the inventory as marks write it: whole seconds, so that a plan reads the same however it was timed. */
export function markTime(now: string): string {
  return now.replace(/\.\d+Z$/, 'Z');
}

/** Comment of a user that we create. A user that existed before is used, never marked. */
export function formatUserMark(since: string): string {
  return `${MARK} since=${since}`;
}

export function isUserMarked(comment: string): boolean {
  return comment.startsWith(`${MARK} since=`);
}

const DISABLED = / disabled=\S+/;

/** A user that we disabled says so, to tell it from one that somebody else did. */
export function isDisabledByUs(comment: string): boolean {
  return isUserMarked(comment) && DISABLED.test(comment);
}

/** `since`: when it was disabled; absent: it is not any more. */
export function markDisabled(comment: string, since?: string): string {
  const mark = comment.replace(DISABLED, '');
  return since === undefined ? mark : mark.replace(/ since=\S+/, (text) => `${text} disabled=${since}`);
}

/** When a marked object was made, by its mark. */
export function sinceOf(comment: string): string | undefined {
  return /\bsince=(\S+)/.exec(comment)?.[1];
}

/** Undefined or unreadable times are not old: in doubt an object is left alone. */
export function isOlder(since: string | undefined, seconds: number, now: string): boolean {
  const at = Date.parse(since ?? '');
  return !Number.isNaN(at) && Date.parse(now) - at >= seconds * 1000;
}

/** VMIDs that any of these pools claims, for whatever lab. */
export function vmidsClaimedBy(pools: readonly { readonly comment: string }[]): number[] {
  return pools.flatMap(({ comment }) => parsePoolComment(comment).claims.flatMap(({ vmids }) => vmids));
}
