/** Which privileges a plan, or a command as such, needs on which paths, and which of them the caller lacks. Pure. */
import type { Rights } from '../inventory/types.ts';
import { privilegesOn, type Held } from '../inventory/rights.ts';
import { REPLICA_POOL } from '../marks/replica.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { StepKind, StepOf } from '../plan/document/step.ts';
import { vmidIn } from '../pve-values/acl-path.ts';
import { COMMAND_STEPS, LOCK_RULES, readingRules, type Scope, type ScopeRule } from './command-rules.ts';
import { guestValues } from './guest-values.ts';
import { majorOf, profileOf, type Major, type Profile } from '../plan/cluster/profile.ts';
import { BEFORE_JOINING, BRINGS_IN, STEP_RULES } from './step-rules.ts';
import type { Command, Facts, Known, MachineKey, Requirement, Rule, RuleText } from './types.ts';

type Reader = string;

interface Entry {
  readonly need: Omit<Requirement, 'reason' | 'steps'>;
  readonly reasons: Set<string>;
  readonly steps: Set<Reader>;
}

/** Merges what is needed twice; keeps the order of what was needed first. */
class Needs {
  /** By what is needed, and then by path: a class of 500 has tens of thousands. */
  readonly #found = new Map<string, Map<string, Entry>>();
  readonly #order: Entry[] = [];
  readonly #names = new Map<readonly string[], string>();

  #nameOf(anyOf: readonly string[]): string {
    const name = this.#names.get(anyOf) ?? anyOf.join('|');
    this.#names.set(anyOf, name);
    return name;
  }

  /** `sets`: of each of them one privilege is needed. */
  add(
    need: Omit<Entry['need'], 'anyOf'>,
    sets: readonly (readonly string[])[],
    reason: string,
    step: Reader,
  ): void {
    const { reaches, advice, orOn, instead } = need;
    const kind = `${reaches} ${advice} ${orOn?.join() ?? ''} ${instead?.path ?? ''}`;
    for (const anyOf of sets) {
      const key = `${this.#nameOf(anyOf)} ${kind}`;
      const byPath = this.#found.get(key) ?? new Map<string, Entry>();
      this.#found.set(key, byPath);
      const known = byPath.get(need.path);
      // Before and after a VM joins its pool are two things.
      if (known?.need.viaPool === need.viaPool && known) {
        known.reasons.add(reason);
        known.steps.add(step);
        continue;
      }
      const entry = { need: { ...need, anyOf }, reasons: new Set([reason]), steps: new Set([step]) };
      byPath.set(need.path, entry);
      this.#order.push(entry);
    }
  }

  list(): Requirement[] {
    return this.#order.map(({ need, reasons, steps }) => ({
      ...need,
      reason: [...reasons].join('; '),
      steps: [...steps],
    }));
  }
}

interface Granting {
  readonly profile: Profile;
  readonly inPool: boolean;
  /** A VM that the plan makes, a copy of a template among them. */
  readonly isNew?: boolean;
}

/**
 * Where it is best granted: objects of which the next run makes others are granted as a whole. An ACL on a number that is to
 * be made would take from it what is granted on all, and the next run takes another number.
 */
function grantOn(rulePath: string, path: string, { profile, inPool, isNew = false }: Granting): string {
  if (isNew || rulePath === '/vms/{vmid}') return profile === 'confined' && inPool ? '/pool' : '/vms';
  if (path.startsWith('/pool')) return '/pool';
  if (path.startsWith('/nodes')) return '/nodes';
  if (path.startsWith('/sdn/zones/localnetwork')) return '/sdn/zones/localnetwork';
  return path;
}

function applies({ since }: RuleText, major: Major): boolean {
  return since === undefined || major >= since;
}

function fill(path: string, value: string): string {
  return path.replace(/\{\w+\}/, value);
}

/** VMs whose pool gives rights on them: members as they are, and those that the plan brings into their pools. */
function poolsByVm(plan: Plan, have: Known): Map<number, string> {
  const pools = new Map(
    have.guests.flatMap(({ vmid, pool }) => (pool === undefined ? [] : [[vmid, pool] as const])),
  );
  for (const step of plan.steps) {
    if (step.kind === 'template.join') pools.set(step.vmid, REPLICA_POOL);
    if (step.kind === 'pool.join') for (const { vmid } of step.machines) pools.set(vmid, step.pool);
  }
  return pools;
}

/** Of those, the ones that are in no pool while they are made. */
function joiningVms({ steps }: Plan): Set<number> {
  const atOnce = new Set(steps.flatMap((step) => ('joinsAtOnce' in step ? [step.vmid] : [])));
  const joining = steps.flatMap((step) => {
    if (step.kind === 'template.join') return [step.vmid];
    return step.kind === 'pool.join' ? step.machines.map(({ vmid }) => vmid) : [];
  });
  return new Set(joining.filter((vmid) => !atOnce.has(vmid)));
}

/**
 * Where a step needs its rights. One on a VM that is cloned anew finds it in no pool: what the caller may do to it today, the
 * pool included, is gone by then, and so are the ACLs on it (PVE removes them with the VM).
 */
function placeOf(
  kind: StepKind,
  path: string,
  { poolOf, joining, members }: Facts,
): { readonly path: string; readonly reaches?: true; readonly viaPool?: string } {
  const vmid = vmidIn(path);
  if (vmid === undefined) return { path };
  const isBefore = BRINGS_IN.has(kind) || (BEFORE_JOINING.has(kind) && joining.has(vmid));
  if (isBefore) return members.has(vmid) ? { path: '/vms', reaches: true } : { path };
  const pool = poolOf.get(vmid);
  return pool === undefined ? { path } : { path, viaPool: `/pool/${pool}` };
}

/** The lists of one role are made once, not for each of its students. */
function setsOf(
  { anyOf }: RuleText,
  each: readonly string[] | undefined,
  { sets }: Facts,
): readonly (readonly string[])[] {
  if (!each) return [anyOf];
  const known = sets.get(each) ?? each.map((privilege) => [privilege, ...anyOf]);
  sets.set(each, known);
  return known;
}

function addStep<K extends StepKind>(step: StepOf<K>, facts: Facts, needs: Needs): void {
  const major = majorOf(facts.have);
  const rules: readonly Rule<K>[] = STEP_RULES[step.kind];
  for (const rule of rules) {
    if (!applies(rule, major)) continue;
    const orOn = rule.orOn?.(step) ?? [];
    const sets = setsOf(rule, rule.eachOf?.(step, facts), facts);
    for (const value of rule.at(step, facts)) {
      const place = placeOf(step.kind, fill(rule.path, value), facts);
      const inPool = place.viaPool !== undefined;
      const common = {
        grantOn: grantOn(rule.path, place.path, {
          ...{ profile: facts.profile, inPool },
          isNew: facts.joining.has(vmidIn(place.path) ?? 0),
        }),
        reaches: rule.reaches ?? rule.reachesIf?.(step) ?? false,
        advice: rule.advice ?? false,
        ...place,
        ...(orOn.length === 0 ? {} : { orOn }),
      };
      needs.add(common, sets, rule.why, step.kind);
    }
  }
}

/** What the steps of a plan need. The paths are those that the plan names. */
export function requiredByPlan(plan: Plan, have: Known): Requirement[] {
  const facts: Facts = {
    have,
    profile: plan.profile ?? profileOf(have.rights),
    configs: guestValues([...have.templates, ...have.vms]),
    poolOf: poolsByVm(plan, have),
    joining: joiningVms(plan),
    members: new Set(have.guests.flatMap(({ vmid, pool }) => (pool === undefined ? [] : [vmid]))),
    sets: new Map(),
  };
  const needs = new Needs();
  for (const step of plan.steps) addStep(step, facts, needs);
  return needs.list();
}

function addScope(
  rules: readonly ScopeRule[],
  scope: Scope,
  { have, needs }: { readonly have: Known; readonly needs: Needs },
  reader: Reader,
): void {
  for (const rule of rules) {
    if (!applies(rule, majorOf(have))) continue;
    const orOn = rule.orOn?.(scope) ?? [];
    for (const value of rule.at(scope)) {
      const path = fill(rule.path, value);
      const pool = rule.path === '/vms/{vmid}' ? scope.vmids.get(Number(value)) : undefined;
      const need = {
        path,
        grantOn: grantOn(rule.path, path, { profile: profileOf(have.rights), inPool: pool !== undefined }),
        reaches: rule.reaches ?? false,
        advice: rule.advice ?? false,
        ...(pool === undefined ? {} : { viaPool: `/pool/${pool}` }),
        ...(orOn.length === 0 ? {} : { orOn }),
        ...(rule.instead === undefined ? {} : { instead: rule.instead }),
      };
      needs.add(need, [rule.anyOf], rule.why, reader);
    }
  }
}

/** What has to be seen before the plan is made, and the planning lock. */
export function requiredByScope(scope: Scope, have: Known): Requirement[] {
  const needs = new Needs();
  addScope(LOCK_RULES, scope, { have, needs }, 'planning lock');
  addScope(readingRules(scope.command), scope, { have, needs }, 'reading');
  return needs.list();
}

export interface GeneralFacts {
  readonly profile: Profile;
  readonly major: Major;
  /** Privileges of the role that students get. */
  readonly role: readonly string[];
  /** Realms of the users; empty: any. */
  readonly realms: readonly string[];
  /** VMIDs of the templates, where they are known. */
  readonly templates?: readonly number[];
  /** What the machines of the lab have; then what is needed in other cases only is left out. */
  readonly machineKeys?: ReadonlySet<MachineKey>;
}

/** Paths for all objects of a kind; VMs of a confined caller are reached through their pools. */
function wholePaths(path: string, { profile, realms, templates = [] }: GeneralFacts): readonly string[] {
  if (path === '/vms/{vmid}' && profile === 'confined') return ['/pool'];
  if (path === '/vms/{template}' && templates.length > 0)
    return templates.map((vmid) => fill(path, String(vmid)));
  if (path === '/access/realm/{realm}' && realms.length > 0) return realms.map((realm) => fill(path, realm));
  const at = path.indexOf('/{');
  return [at < 0 ? path : path.slice(0, at)];
}

/** Is it the path above all objects, and not that of one? */
function isWhole(path: string, rule: RuleText): boolean {
  return (
    path === rule.path.slice(0, rule.path.indexOf('/{')) || (path === '/pool' && rule.path.includes('{'))
  );
}

/** Commands that meet machines in no pool yet: they make some, or remove some that are half made. */
function meetsUnjoined({ steps }: { readonly steps: readonly StepKind[] }): boolean {
  return steps.some((kind) => kind === 'vm.clone' || kind === 'template.clone' || kind === 'vm.delete');
}

/** Of VMs that need not be in a pool of ours: those to come, and any guest that balance moves. */
function isOutside(command: Command, reader: Reader): boolean {
  if (BEFORE_JOINING.has(reader)) return meetsUnjoined(COMMAND_STEPS[command]);
  return BRINGS_IN.has(reader) || reader === 'vm.migrate';
}

/** Rights on everything of a kind that few have. */
function isFarReaching({ path }: RuleText): boolean {
  return path === '/' || path === '/access' || path.startsWith('/mapping/');
}

interface Asked {
  readonly command: Command;
  readonly reader: Reader;
}

function addGeneral(rule: RuleText, { command, reader }: Asked, needs: Needs, facts: GeneralFacts): void {
  const { profile } = facts;
  const ofProfile = rule.when?.startsWith('profile ') === true;
  if (!applies(rule, facts.major) || (ofProfile && rule.when !== `profile ${profile}`)) return;
  const { machineKeys } = facts;
  const isGiven = rule.forKey !== undefined && machineKeys?.has(rule.forKey) === true;
  const isConditional = rule.when !== undefined && !ofProfile && !isGiven;
  if (isConditional && machineKeys !== undefined) return;
  const why = isConditional ? `${rule.why} (when ${rule.when ?? ''})` : rule.why;
  for (const path of wholePaths(rule.path, facts)) {
    const need = {
      path,
      grantOn: grantOn(rule.path, path, { profile, inPool: true }),
      reaches: isWhole(path, rule) || rule.reaches === true,
      // These are not asked for in case they are needed.
      advice: rule.advice === true || (isConditional && isFarReaching(rule)),
      ...(rule.path === '/vms/{vmid}' && !isOutside(command, reader) ? { viaPool: '/pool' } : {}),
      ...(rule.instead === undefined ? {} : { instead: rule.instead }),
    };
    const sets =
      rule.each === undefined ? [rule.anyOf] : facts.role.map((privilege) => [privilege, ...rule.anyOf]);
    needs.add(need, sets, why, reader);
  }
}

/** A copy of a template is in no pool while it is made, and balance moves guests of everybody: pools are not enough. */
const FULL_ONLY: ReadonlySet<Command> = new Set(['templates', 'balance']);

/** Nobody plans by what they change. */
const LOCKLESS: ReadonlySet<Command> = new Set(['power', 'status']);

/** What a command needs for whatever lab and class: the paths are those above all objects of a kind. */
export function requiredInGeneral(command: Command, given: GeneralFacts): Requirement[] {
  const facts: GeneralFacts = FULL_ONLY.has(command) ? { ...given, profile: 'full' } : given;
  const needs = new Needs();
  const { steps, sometimes } = COMMAND_STEPS[command];
  if (!LOCKLESS.has(command)) {
    for (const rule of LOCK_RULES) addGeneral(rule, { command, reader: 'planning lock' }, needs, facts);
  }
  for (const rule of readingRules(command)) addGeneral(rule, { command, reader: 'reading' }, needs, facts);
  for (const kind of steps) {
    const when = sometimes?.[kind];
    for (const rule of STEP_RULES[kind] as readonly RuleText[]) {
      // Its own condition says more.
      const conditional = when === undefined ? rule : { ...rule, when: rule.when ?? when };
      addGeneral(conditional, { command, reader: kind }, needs, facts);
    }
  }
  return needs.list();
}

function has(held: Held, anyOf: readonly string[], reaches: boolean): boolean {
  return anyOf.some((privilege) => (reaches ? held[privilege] === true : held[privilege] !== undefined));
}

/** Is it there? Rights on a pool reach the paths of its members, never below (RPCEnvironment.pm, compile_acl_path). */
export function isHeld(
  { path, anyOf, reaches, viaPool, orOn = [], instead }: Requirement,
  rights: Rights,
): boolean {
  if (has(privilegesOn(rights, path), anyOf, reaches)) return true;
  if (instead && has(privilegesOn(rights, instead.path), instead.anyOf, true)) return true;
  const inGeneral = path === '/vms';
  if (
    viaPool !== undefined &&
    (inGeneral || !reaches) &&
    has(privilegesOn(rights, viaPool), anyOf, inGeneral)
  )
    return true;
  return orOn.length > 0 && orOn.every((other) => has(privilegesOn(rights, other), anyOf, reaches));
}

export function missing(required: readonly Requirement[], rights: Rights): Requirement[] {
  return required.filter((need) => !isHeld(need, rights));
}
