/**
 * Who made what, written down when it was made: by the requests that made it, never by our marks. Judges the writes of a
 * command, and tells which objects of others are not as their owners left them.
 */
import type { Summary } from '../../src/lib/outcome/types.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import type { CommandWrite } from '../workflow/in-process.ts';
import { USERS, type Command } from './class.ts';

interface Guest {
  /** Whose it is: of what a run of ours made, the user whom it was made for, or `replica`. */
  readonly owner: string;
  readonly by: 'run' | 'other';
  /** Of what a run made for a user. */
  readonly machine?: string;
  /** Of what was made by others: did PVE make it? Undefined: not known yet. */
  made?: boolean;
  /** A run has asked PVE to remove it. */
  readonly isGoing?: true;
  /** A run has said that it is made anew: until it is gone, its notes alone tell it from one that its student made there. */
  readonly isRemade?: true;
  /** Since when it may be there, in simulated milliseconds. */
  readonly madeAt?: number;
}

export interface Finding {
  readonly text: string;
  /** What it depends on. */
  readonly guest?: Guest;
  readonly vmid?: number;
}

export interface Book {
  readonly guests: Map<number, Guest>;
  /** Ids at which a machine was handed out to that user. */
  readonly handedOut: Map<number, string>;
  /** Pools that a run of ours made → their user, or `lock`. */
  readonly pools: Map<string, string>;
  readonly users: Set<string>;
  /** `node iface`. */
  readonly bridges: Set<string>;
  /** Objects of others by name, as text. */
  prints: Map<string, string>;
}

const CLASS_POOLS: ReadonlySet<string> = new Set(USERS.map(({ pool }) => `/pool/${pool}`));
const TEMPLATES: ReadonlySet<number> = new Set([100, 101]);
/** Called like one of the lab. */
const MACHINE = /"name":"(eco|pc|late)"/;
const LOCKS = /^deploy-stand-(balance-)?lock$/;

export function openBook(pristine: ClusterState): Book {
  const book: Book = {
    guests: new Map(pristine.guests.map(({ vmid }) => [vmid, { owner: 'staff', by: 'other', made: true }])),
    handedOut: new Map(),
    pools: new Map(),
    users: new Set(),
    bridges: new Set(),
    prints: new Map(),
  };
  book.prints = printsOf(pristine, book);
  return book;
}

export function copyBook(book: Book): Book {
  return structuredClone(book);
}

function pathOf({ path }: CommandWrite): string[] {
  return path
    .split('/')
    .slice(1)
    .map((part) => decodeURIComponent(part));
}

function poolIn(write: CommandWrite): string {
  return pathOf(write).slice(1).join('/') || (write.params['poolid'] ?? '');
}

const listOf = (text = ''): number[] =>
  text
    .split(/[,; ]+/)
    .filter((word) => word !== '')
    .map(Number);

/** Is this guest one of the users' that the command is about? Made anew by the user whom it was handed out to, it still is. */
function isWithin(vmid: number, book: Book, { users, adopts }: Command): boolean {
  const guest = book.guests.get(vmid);
  if (!guest) return true; // nobody's: PVE refuses, or makes it
  if (guest.by === 'run') return guest.owner === 'replica' || users.includes(guest.owner);
  if (adopts && users.includes(guest.owner) && MACHINE.test(book.prints.get(`guest ${vmid}`) ?? ''))
    return true;
  return users.includes(guest.owner) && book.handedOut.get(vmid) === guest.owner;
}

function ofGuest(vmid: number, write: CommandWrite, what: string, { book, command }: Judging): Finding[] {
  const guest = book.guests.get(vmid);
  const text = `${write.method} ${write.path}: ${what} of ${guest?.owner ?? 'nobody'}`;
  if (!isWithin(vmid, book, command)) return [{ text, vmid, ...(guest ? { guest } : {}) }];
  if (write.params['cipassword'] === undefined || guest?.by !== 'other') return [];
  return [{ text: `a secret: ${text}`, guest, vmid }];
}

interface Judging {
  readonly book: Book;
  readonly command: Command;
  /** As it is now. */
  readonly state: () => ClusterState;
}

function ordered({ params }: CommandWrite): Guest {
  const mark = /^deploy-stand lab=\S+ user=(\S+) machine=(\S+)/m.exec(params['description'] ?? '');
  return mark ? { owner: mark[1]!, machine: mark[2]!, by: 'run' } : { owner: 'replica', by: 'run' };
}

/** Of a machine that is there, whatever its student made of it. */
function secondCopies(write: CommandWrite, { book, state }: Judging): Finding[] {
  const { owner, machine } = ordered(write);
  if (machine === undefined) return [];
  const there = new Set(state().guests.map(({ vmid }) => vmid));
  return [...book.guests]
    .filter(
      ([vmid, one]) => one.by === 'run' && one.owner === owner && one.machine === machine && there.has(vmid),
    )
    .filter(([vmid]) => vmid !== Number(write.params['newid']))
    .map(([vmid]) => ({ text: `a second ${machine} for ${owner}, beside VM ${vmid}` }));
}

/** The cards of a snapshot come back with it, onto whatever their bridges are by then. */
function pluggedBy(vmid: number, name: string, { book, state }: Judging): Finding[] {
  const { guests, nodes } = state();
  const guest = guests.find((one) => one.vmid === vmid);
  const saved = JSON.stringify(guest?.snapshots.find((one) => one.name === name) ?? {});
  const rows = nodes.find((node) => node.name === guest?.node)?.interfaces ?? [];
  const named = new Set([...saved.matchAll(/bridge=(\w+)/g)].map(([, iface]) => iface));
  return [...named].flatMap((iface) => {
    const row = rows.find((one) => one.iface === iface);
    const user = row && (/ user=(\S+)/.exec(row.options['comments'] ?? '')?.[1] ?? 'nobody');
    const isFine = user === 'nobody' || user === book.guests.get(vmid)?.owner;
    return isFine ? [] : [{ text: `VM ${vmid} goes back onto ${iface} of ${user ?? 'whoever gets it'}` }];
  });
}

function ofQemu(write: CommandWrite, judging: Judging): Finding[] {
  const [, , , id = '', ...rest] = pathOf(write);
  const vmid = Number(id);
  if (rest[0] === 'clone') {
    const source = judging.book.guests.get(vmid);
    const isTrusted = TEMPLATES.has(vmid) ? source?.owner === 'staff' : source?.owner === 'replica';
    return [
      ...(isTrusted ? [] : [{ text: `clone of VM ${vmid} of ${source?.owner ?? 'nobody'}` }]),
      ...secondCopies(write, judging),
    ];
  }
  if (rest[0] === 'migrate' && judging.command.movesForeign) return [];
  if (rest[2] === 'rollback')
    return [...pluggedBy(vmid, rest[1] ?? '', judging), ...ofGuest(vmid, write, 'a guest', judging)];
  return ofGuest(vmid, write, 'a guest', judging);
}

/** Members that the user of the pool did not get from us, and did not make. */
function strangersIn(pool: string, user: string, { book, state }: Judging): number[] {
  const there = state();
  const vms = there.pools.find(({ poolid }) => poolid === pool)?.vms ?? [];
  return vms.filter((vmid) => {
    const guest = book.guests.get(vmid);
    return guest !== undefined && guest.made !== false && guest.owner !== user;
  });
}

function ofPool(write: CommandWrite, judging: Judging): Finding[] {
  const pool = poolIn(write);
  if (LOCKS.test(pool) || write.method === 'POST') return [];
  const { book, command } = judging;
  const user = book.pools.get(pool);
  const text = `${write.method} pool ${pool}`;
  if (user === undefined) return [{ text: `${text}, which is somebody else's` }];
  if (user !== 'replica' && !command.users.includes(user)) return [{ text: `${text} of ${user}` }];
  return listOf(write.params['vms']).flatMap((vmid) => {
    const guest = book.guests.get(vmid);
    const isOwn = guest === undefined || (guest.by === 'run' && guest.owner === user);
    return isOwn || (isWithin(vmid, book, command) && guest.owner === user)
      ? []
      : [{ text: `${text}: VM ${vmid} of ${guest.owner}`, guest }];
  });
}

function ofAcl(write: CommandWrite, judging: Judging): Finding[] {
  const { path = '', users = '', roles = '' } = write.params;
  const { book, command } = judging;
  const text = `right ${roles} on ${path} for ${users}`;
  if (!command.users.includes(users)) return [{ text }];
  const [, kind, name = ''] = /^\/(pool|vms)\/(.+)$/.exec(path) ?? [];
  if (kind === 'vms') {
    if (write.params['delete'] === '1') return [];
    const guest = book.guests.get(Number(name));
    return guest === undefined || guest.owner === users ? [] : [{ text: `${text} of ${guest.owner}`, guest }];
  }
  if (kind !== 'pool' || book.pools.get(name) !== users)
    return [{ text: `${text}, which is somebody else's` }];
  if (write.params['delete'] === '1') return [];
  return strangersIn(name, users, judging).map((vmid) => ({
    text: `${text}, with VM ${vmid} of ${book.guests.get(vmid)?.owner}`,
    guest: book.guests.get(vmid)!,
  }));
}

/** What is wrong with a write that PVE carried out. Asked before it goes out, so that what was made since does not count. */
export function judgeWrite(write: CommandWrite, judging: Judging): Finding[] {
  const [first, second, third, fourth] = pathOf(write);
  const { book } = judging;
  const bad = [{ text: `${write.method} ${write.path}` }];
  if (first === 'pools') return ofPool(write, judging);
  if (first === 'access') {
    if (second === 'acl') return ofAcl(write, judging);
    const userid = third ?? write.params['userid'] ?? '';
    return write.method === 'POST' || book.users.has(userid) ? [] : bad;
  }
  if (first === 'cluster' && second === 'ha')
    return ofGuest(Number((fourth ?? '').split(':')[1]), write, 'HA', judging);
  if (first !== 'nodes') return bad;
  if (third === 'qemu' && fourth !== undefined) return ofQemu(write, judging);
  if (third !== 'network') return bad;
  if (fourth === undefined) return write.method === 'DELETE' ? bad : [];
  return book.bridges.has(`${second} ${fourth}`) ? [] : bad;
}

/** Notes what a write of ours made. */
export function noteWrite(write: CommandWrite, book: Book): void {
  const [first, second, third, fourth, fifth] = pathOf(write);
  const { method, params } = write;
  if (first === 'pools') {
    const pool = poolIn(write);
    if (method === 'POST')
      book.pools.set(pool, /^deploy-stand user=(\S+)/.exec(params['comment'] ?? '')?.[1] ?? 'replica');
    if (method === 'DELETE') book.pools.delete(pool);
    for (const [, text] of (params['comment'] ?? '').matchAll(/:(\d+)\?/g)) {
      const former = book.guests.get(Number(text));
      if (former?.by === 'run') book.guests.set(Number(text), { ...former, isRemade: true });
    }
    for (const vmid of listOf(params['delete'] === '1' ? '' : params['vms']))
      book.handedOut.set(vmid, book.pools.get(pool) ?? '');
  }
  if (first === 'access' && second === 'users' && method === 'POST') book.users.add(params['userid'] ?? '');
  if (first !== 'nodes') return;
  if (third === 'network' && method === 'POST') book.bridges.add(`${second} ${params['iface']}`);
  // A clone waits for the removal of what was there before it.
  if (third === 'qemu' && method === 'DELETE' && fifth === undefined) {
    const former = book.guests.get(Number(fourth));
    if (former) book.guests.set(Number(fourth), { ...former, isGoing: true });
  }
  if (third === 'qemu' && fifth === 'clone') {
    const vmid = Number(params['newid']);
    // PVE makes no second guest at an id; then the task fails.
    const there = book.guests.get(vmid);
    if (there?.by === 'other' && !there.isGoing) return;
    book.guests.set(vmid, ordered(write));
    // It is a member of that pool when its clone ends.
    if (params['pool'] !== undefined) book.handedOut.set(vmid, ordered(write).owner);
  }
}

/** Its student wrote the notes of a machine that is made anew: nobody can tell it any more from one of his own making. */
export function noteNotes(vmid: number, { guests }: Book): void {
  const guest = guests.get(vmid);
  if (guest?.isRemade) guests.set(vmid, { owner: guest.owner, by: 'other', made: true });
}

/** Somebody asks PVE for a guest at an id. The answer settles it. */
export function noteMaking(vmid: number, owner: string, madeAt: number, book: Book): (made: boolean) => void {
  const before = book.guests.get(vmid);
  const guest: Guest = { owner, by: 'other', madeAt };
  book.guests.set(vmid, guest);
  return (made) => {
    guest.made = made;
    const now = book.guests.get(vmid);
    // The command may have begun a removal there meanwhile, which the book writes on a copy.
    if (made || now?.owner !== owner || now.madeAt !== madeAt) return;
    if (before) book.guests.set(vmid, { ...before, ...(now.isGoing ? { isGoing: true } : {}) });
    else book.guests.delete(vmid);
  };
}

function isOthers(vmid: number, { guests, handedOut }: Book): boolean {
  const guest = guests.get(vmid);
  return guest?.by === 'other' && handedOut.get(vmid) !== guest.owner;
}

/** Everything that is somebody else's, by name. */
export function printsOf(state: ClusterState, book: Book): Map<string, string> {
  const prints = new Map<string, string>();
  const poolOf = new Map(state.pools.flatMap(({ poolid, vms }) => vms.map((vmid) => [vmid, poolid])));
  for (const { vmid, node, config, snapshots, runningSince } of state.guests) {
    if (!isOthers(vmid, book)) continue;
    const volumes = state.volumes.filter((volume) => volume.vmid === vmid);
    const isRunning = runningSince !== undefined;
    prints.set(
      `guest ${vmid}`,
      JSON.stringify({ node, config, snapshots, isRunning, pool: poolOf.get(vmid), volumes }),
    );
  }
  for (const { poolid, comment } of state.pools) {
    if (!book.pools.has(poolid) && !LOCKS.test(poolid)) prints.set(`pool ${poolid}`, comment);
  }
  for (const user of state.users) {
    if (!book.users.has(user.userid)) prints.set(`user ${user.userid}`, JSON.stringify(user));
  }
  // Rights on a pool end with it; who gets any there is judged write by write.
  const isOurs = (path: string): boolean =>
    CLASS_POOLS.has(path) ||
    (path.startsWith('/vms/') && !isOthers(Number(path.slice('/vms/'.length)), book));
  for (const { path, type, subject, role } of state.acl) {
    if (!isOurs(path)) prints.set(`right of ${type} ${subject} on ${path}: ${role}`, '');
  }
  for (const { name, interfaces } of state.nodes) {
    for (const row of interfaces) {
      if (!book.bridges.has(`${name} ${row.iface}`))
        prints.set(`interface ${name} ${row.iface}`, JSON.stringify(row));
    }
  }
  return prints;
}

/** Machines of ours that a cleanup left without a word about their user. */
export function findLeft(state: ClusterState, book: Book, summary: Summary, { users }: Command): Finding[] {
  const told = new Set(summary.stands.filter(({ error }) => error).map(({ user }) => user));
  const there = new Set(state.guests.map(({ vmid }) => vmid));
  return [...book.guests].flatMap(([vmid, { by, owner }]) =>
    by === 'run' && users.includes(owner) && !told.has(owner) && there.has(vmid)
      ? [{ text: `VM ${vmid} of ${owner} was left` }]
      : [],
  );
}

/** What of the others' is gone, changed or new since the book was last up to date, and forgets what of ours is gone. */
export function findHarm(state: ClusterState, book: Book, command: Command): Finding[] {
  const { movesForeign, adopts } = command;
  const there = new Set(state.guests.map(({ vmid }) => vmid));
  const findings: Finding[] = [];
  const now = printsOf(state, book);
  const withoutNode = (text: string | undefined) => text?.replace(/^\{"node":"\w+",/, '{');
  const isSame = (name: string) =>
    movesForeign
      ? withoutNode(now.get(name)) === withoutNode(book.prints.get(name))
      : now.get(name) === book.prints.get(name);
  const isAdopted = (name: string): boolean => {
    const [, vmid] = (adopts && /^guest (\d+)$/.exec(name)) || [];
    return vmid !== undefined && !now.has(name) && isWithin(Number(vmid), book, command);
  };
  for (const name of new Set([...book.prints.keys(), ...now.keys()])) {
    if (!isSame(name) && !isAdopted(name)) findings.push({ text: `not as it was left: ${name}` });
  }
  for (const vmid of book.guests.keys()) if (!there.has(vmid)) book.guests.delete(vmid);
  book.prints = now;
  return findings;
}
