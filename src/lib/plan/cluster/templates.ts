/** The one rule on which template a lab means, and what it is made of. Decides nothing about nodes. */
import { guestCommand } from '../../pve-values/admin-commands.ts';
import { isTemplate, nameIn } from '../../pve-values/guest-flags.ts';
import { mayBeMachine, toldKind, type GuestAt } from '../../pve-values/guest-kinds.ts';
import { isPoolMarked } from '../../marks/pool.ts';
import { parseReplicaPool, REPLICA_POOL } from '../../marks/replica.ts';
import { ownVmMark } from '../../marks/vm.ts';
import { volumesOf, type Volume } from '../../pve-values/volumes.ts';
import type { Machine, TemplateRef } from '../../config/types.ts';
import { delegatedBy } from '../../inventory/delegated.ts';
import { isNamedBy } from '../../inventory/template-ref.ts';
import type { GuestInfo, Inventory, StorageInfo, VmConfig } from '../../inventory/types.ts';
import type { Refusal } from '../document/plan.ts';

export interface Template extends GuestAt {
  readonly name: string;
  readonly digest: string;
  readonly volumes: readonly Volume[];
  readonly values: Readonly<Record<string, string>>;
}

/** The templates that fit what the lab names; several by name or tag, at most one per node. */
export interface FoundTemplates {
  /** The one to speak of: of several that with the lowest VMID. */
  readonly template: Template;
  /** By VMID, ascending. */
  readonly candidates: readonly Template[];
}

export function toTemplate(config: VmConfig, name = ''): Template {
  return {
    vmid: config.vmid,
    node: config.node,
    ...toldKind(config),
    name: nameIn(config.values) ?? name,
    digest: config.digest,
    volumes: volumesOf(config.values),
    values: config.values,
  };
}

/** A machine's wish, and where its lab says so. */
interface Wish {
  readonly machine: Machine;
  readonly file: string;
  readonly have: Inventory;
  /** VMIDs. */
  readonly copies: ReadonlySet<number>;
}

function refusal({ machine, file }: Wish, message: string, hint: string): Refusal {
  return { code: 'TEMPLATE', message: `${file}:${machine.line} machine ${machine.name}: ${message}`, hint };
}

export function describeTemplate({ vmid, node }: Pick<Template, 'vmid' | 'node'>): string {
  return `${vmid} on ${node}`;
}

function listTemplates({ have }: Wish): string {
  const names = nameable(have)
    .slice(0, 20)
    .map(({ name, vmid, node, tags = [] }) =>
      [`${name ?? '?'} (${vmid}, ${node}`, ...(tags.length > 0 ? [`tags ${tags.join(' ')}`] : [])]
        .join(', ')
        .concat(')'),
    );
  return names.length > 0
    ? `templates on the cluster: ${names.join(', ')}`
    : 'there are no templates on the cluster';
}

function missing(wish: Wish): Refusal {
  const ref = wish.machine.template;
  const text =
    ref.by === 'vmid'
      ? `template ${ref.vmid} does not exist, or the caller may not see it`
      : ref.by === 'name'
        ? `no template is called "${ref.name}"`
        : `no template has the tag "${ref.tag}"`;
  return refusal(wish, text, listTemplates(wish));
}

/** `templates called "debian12"`, for lists of several. */
export function sayRef(ref: TemplateRef): string {
  if (ref.by === 'vmid') return `template ${ref.vmid}`;
  return ref.by === 'name' ? `templates called "${ref.name}"` : `templates with the tag "${ref.tag}"`;
}

/** VMIDs of our own copies: they carry name-like marks of their sources, and come and go. */
function copiesIn({ pools }: Inventory): ReadonlySet<number> {
  const comment = pools.find(({ pool }) => pool === REPLICA_POOL)?.comment;
  return new Set(parseReplicaPool(comment).claims.map(({ vmid }) => vmid));
}

/**
 * A machine of a stand, whatever somebody has called it: students write names, tags and the template flag. Wider than the
 * verdict on purpose: whoever made it, what is in a pool of ours is no template by its name.
 */
export function isOfStand({ vmid, pool }: GuestInfo, have: Inventory): boolean {
  const comment = have.pools.find((info) => info.pool === pool)?.comment ?? '';
  if (isPoolMarked(comment)) return true;
  return ownVmMark(vmid, have.templates.find((config) => config.vmid === vmid)?.values) !== undefined;
}

/** Also where the claims of that pool are not believed: nobody keeps a template there that a lab means by name. */
function isAmongCopies({ pool }: GuestInfo): boolean {
  return pool === REPLICA_POOL;
}

/**
 * How far a name or tag is believed, the best first: of a guest in no pool, which administrators alone name; in a pool
 * whose members nobody else may name; in no pool, where somebody may take machines out of one; in any other pool, whose
 * members may be anybody's.
 */
const TIERS = ['unpooled', 'guarded', 'loose', 'open'] as const;
type Tier = (typeof TIERS)[number];

/** A guest that is called or tagged like the template. */
interface Named {
  readonly guest: GuestInfo;
  readonly tier: Tier;
  /** Of a loose or open one: who may have named it, and by which right. */
  readonly writer?: string;
}

function believed(guests: readonly GuestInfo[], have: Inventory): Named[] {
  const writerOf = delegatedBy(have.memberWriters);
  // Whoever writes a pool takes machines out of it (PVE/API2/Pool.pm), what was made and named there included.
  const [taker] = have.poolWriters;
  return guests.map((guest): Named => {
    if (guest.pool === undefined)
      return taker ? { guest, tier: 'loose', writer: taker.says } : { guest, tier: 'unpooled' };
    const writer = writerOf(guest.pool)?.says;
    return writer === undefined ? { guest, tier: 'guarded' } : { guest, tier: 'open', writer };
  });
}

function sayPlace({ pool }: GuestInfo): string {
  return pool === undefined ? 'in no pool' : `in pool ${pool}`;
}

function namedBy(ref: TemplateRef, have: Inventory): Named[] {
  return believed(
    have.guests.filter((guest) => isNamedBy(ref, guest)),
    have,
  );
}

function bestOf(named: readonly Named[]): readonly Named[] {
  const tier = TIERS.find((one) => named.some((candidate) => candidate.tier === one));
  return named.filter((candidate) => candidate.tier === tier);
}

/** Guests that are called or tagged like the template, and are not meant. */
export function passedOver(ref: TemplateRef, have: Inventory): string[] {
  if (ref.by === 'vmid') return [];
  const replicas = copiesIn(have);
  const mayBe = isNameable(have, replicas);
  const named = namedBy(ref, have).filter(({ guest }) => !replicas.has(guest.vmid));
  const others = named.filter(({ guest }) => mayBe(guest));
  const meant = new Set(bestOf(others));
  const say = (guest: GuestInfo, why: string): string =>
    `${sayRef(ref)}: ${describeTemplate(guest)} ${why} and was passed over`;
  return named.flatMap((one) => {
    const { guest, writer } = one;
    if (isAmongCopies(guest)) return [say(guest, `is in pool ${REPLICA_POOL}, which is for copies,`)];
    if (!others.includes(one)) return [say(guest, 'is a machine of a stand')];
    if (meant.has(one)) return one.tier === 'open' ? [isTaken(ref, one)] : [];
    return [say(guest, `is ${sayPlace(guest)}${writer === undefined ? '' : ` (${writer})`}`)];
  });
}

/** There is no other, and somebody may have put it there for the one that is meant. */
function isTaken(ref: TemplateRef, { guest, writer = '' }: Named): string {
  return `${sayRef(ref)}: ${describeTemplate(guest)} is in pool ${guest.pool ?? ''} (${writer}), who may have made it: name it with template_vmid if it is meant`;
}

/** By name or tag no lab means a copy, nor a machine of a stand. */
function isNameable(have: Inventory, copies = copiesIn(have)): (guest: GuestInfo) => boolean {
  return (guest) => !copies.has(guest.vmid) && !isAmongCopies(guest) && !isOfStand(guest, have);
}

/** The templates that a lab may name, by VMID. */
export function nameable(have: Inventory): GuestInfo[] {
  return have.guests
    .filter((guest) => guest.template && mayBeMachine(guest))
    .filter(isNameable(have))
    .sort((a, b) => a.vmid - b.vmid);
}

/** Those of them whose names are believed most; `writer`: who may have named it, by which right. */
export function bestNameable(have: Inventory): { readonly guest: GuestInfo; readonly writer?: string }[] {
  return [...bestOf(believed(nameable(have), have))];
}

/** Those that the lab means. Of those that it may name the ones that are believed most. */
export function meantBy(ref: TemplateRef, have: Inventory): GuestInfo[] {
  return findNamed(ref, have).map(({ guest }) => guest);
}

function findNamed(ref: TemplateRef, have: Inventory, copies = copiesIn(have)): Named[] {
  const fitting = namedBy(ref, have);
  if (ref.by === 'vmid') return fitting;
  const mayBe = isNameable(have, copies);
  const named = bestOf(fitting.filter(({ guest }) => mayBe(guest)));
  const hinted = named.filter(({ guest }) => guest.node === ref.node);
  return [...(hinted.length > 0 ? hinted : named)].sort((a, b) => a.guest.vmid - b.guest.vmid);
}

/** Where they are, and what to do that one of them is meant; undefined: only administrators have named them. */
function strangeness(
  tier: Tier,
  named: readonly Named[],
): readonly [where: string, wayOut: string] | undefined {
  if (tier === 'loose') {
    const list = named.map(({ guest }) => describeTemplate(guest)).join(', ');
    const where = `in no pool, and others may take theirs out of one (${named[0]?.writer ?? ''}): ${list}`;
    return [where, 'put those that are meant into a pool of their own'];
  }
  if (tier !== 'open') return undefined;
  const list = named
    .map(({ guest, writer = '' }) => `${describeTemplate(guest)} ${sayPlace(guest)} (${writer})`)
    .join(', ');
  return [`in pools whose members others may name: ${list}`, 'take it out of its pool'];
}

/** Of several that anybody may have named none is taken, not even on different nodes. */
function strangers(named: readonly Named[], wish: Wish): Refusal | undefined {
  const [first, second] = named;
  if (wish.machine.template.by === 'vmid' || !first || !second) return undefined;
  const strange = strangeness(first.tier, named);
  if (!strange) return undefined;
  const [where, wayOut] = strange;
  return refusal(
    wish,
    `${sayRef(wish.machine.template)} are ${where}`,
    `nothing tells which one is meant: name one with template_vmid, or ${wayOut}`,
  );
}

/** The same name or tag twice on a node: nothing tells which one is meant. */
function ambiguity(guests: readonly GuestInfo[], wish: Wish): Refusal | undefined {
  const nodes = guests.map(({ node }) => node);
  const twice = nodes.find((node, at) => nodes.indexOf(node) !== at);
  if (twice === undefined) return undefined;
  const list = guests.map(describeTemplate).join(', ');
  const ref = sayRef(wish.machine.template).replace(/^templates/, `${guests.length} templates are`);
  const text = ref.replace('are with the tag', 'have the tag');
  return refusal(wish, `${text}: ${list}`, `several are on ${twice}: name one with template_vmid`);
}

function toCandidate(guest: GuestInfo, wish: Wish): Template | Refusal {
  const config = wish.have.templates.find((candidate) => candidate.vmid === guest.vmid);
  const where = describeTemplate(guest);
  if (!mayBeMachine(guest)) return refusal(wish, `${where} is a container`, 'name a VM template');
  if (wish.copies.has(guest.vmid)) {
    return refusal(
      wish,
      `${where} is a replica, which deploy-stand makes and removes as it needs them`,
      'name the template that it is a copy of',
    );
  }
  if (!config) {
    return refusal(
      wish,
      `the configuration of template ${where} could not be read`,
      `see that node ${guest.node} is online and that the caller has VM.Audit on /vms/${guest.vmid}`,
    );
  }
  if (!isTemplate(config.values)) {
    return refusal(
      wish,
      `VM ${where} is not a template`,
      `convert it (\`${guestCommand(guest, 'template')}\` on ${guest.node}), or name another VMID`,
    );
  }
  return toTemplate(config, guest.name);
}

/** The machine's templates, or why there is none. Of several, those that cannot be read are passed over. */
export function resolveTemplate(machine: Machine, have: Inventory, file: string): FoundTemplates | Refusal {
  const copies = copiesIn(have);
  const wish: Wish = { machine, file, have, copies };
  const named = findNamed(machine.template, have, copies);
  const guests = named.map(({ guest }) => guest);
  const unclear = strangers(named, wish) ?? ambiguity(guests, wish);
  if (unclear) return unclear;
  const found = guests.map((guest) => toCandidate(guest, wish));
  const candidates = found.flatMap((entry) => ('code' in entry ? [] : [entry]));
  const [template] = candidates;
  if (template) return { template, candidates };
  return found.find((entry) => 'code' in entry) ?? missing(wish);
}

/** Storage rows by `node/storage`, for many look-ups. */
export type StorageIndex = ReadonlyMap<string, StorageInfo>;
