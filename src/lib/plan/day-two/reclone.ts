/** Which machines of the selected stands can be cloned anew, and why the others cannot. Plans no step: a deploy does. */
import { isProtected } from '../../pve-values/guest-flags.ts';
import { ourTasks } from '../../pve-values/guest-kinds.ts';
import { joined, type Judged } from './stand-work.ts';
import type { Lab } from '../../config/types.ts';
import type { Inventory, SnapshotInfo } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import { makeOf, type Make } from '../stands/made-as.ts';
import { isWritable } from '../stands/ownership.ts';
import type { StandMachine, StandView } from '../stands/selected.ts';
import { resolveMachines } from '../templates/find.ts';
import { removalObstacle, sayMachine } from './machines.ts';
import { sayReclone, type RecloneWords } from './reclone-hint.ts';
import { ownerOf, type Baselines, type SnapshotLists } from '../stands/snapshots.ts';

export interface RecloneInput {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly stands: readonly StandView[];
  readonly index: ClusterView;
  readonly snapshots: SnapshotLists;
  readonly baselines: Baselines;
  readonly discardSnapshots: boolean;
  /** Nothing is made anew that is as it would be made now. */
  readonly outdated?: boolean;
  readonly words?: RecloneWords;
}

interface StandTargets {
  /** What is made, or finished where it was begun. */
  readonly machines: ReadonlySet<string>;
  /** Of these, what goes first where it is there. */
  readonly anew: ReadonlySet<string>;
  readonly notes?: readonly string[];
  readonly left?: Refusal;
  readonly refused?: Refusal;
}

function ofStudent(one: StandMachine, { snapshots, baselines }: RecloneInput): readonly SnapshotInfo[] {
  const list = snapshots.get(one.vmid) ?? [];
  return list.filter((each) => ownerOf(each, one.vmid, baselines.get(one.machine ?? '')) === 'student');
}

/** Of what is there and ours; what is not there loses nothing. */
function lossRefusal(one: StandMachine, input: RecloneInput): Refusal | undefined {
  const { config, guest } = one;
  if (!config || !guest) return undefined;
  if (isProtected(config.values)) {
    return {
      code: 'PROTECTED',
      message: `${sayMachine(one)} is protected, so that PVE does not remove it`,
      hint: `take the protection off VM ${one.vmid} (Options → Protection), then run again`,
    };
  }
  if (guest.ha) {
    return {
      code: 'HA_MANAGED',
      message: `${sayMachine(one)} is managed by HA, which would start it again`,
      hint: `take VM ${one.vmid} out of HA (Datacenter → HA), then run again`,
    };
  }
  if (input.discardSnapshots) return undefined;
  if (!input.snapshots.has(one.vmid)) {
    return {
      code: 'SNAPSHOTS_UNREADABLE',
      message: `the snapshots of ${sayMachine(one)} cannot be read, and would be lost`,
    };
  }
  const lost = ofStudent(one, input);
  if (lost.length === 0) return undefined;
  return {
    code: 'SNAPSHOTS_LOST',
    message: `${sayMachine(one)} has snapshots that its student took, and that would be lost: ${lost.map(({ name }) => name).join(', ')}`,
  };
}

/**
 * Begun by us and not finished, or gone: they are made all the same. Where somebody else's guest stands at the number
 * that a removal gave free, the deploy takes another.
 */
const RESUMED: ReadonlySet<StandMachine['verdict']> = new Set([
  'missing',
  'foreign',
  'open',
  'in-flight',
  'unjoined',
]);

/**
 * Beside a clone of ours that is in no pool yet, its removal would be known by a seal that its student has read, and that
 * somebody who may write a pool could use for another machine (cluster/seal-risk.ts).
 */
function besideClones(
  { claim, machines }: StandView,
  one: StandMachine,
  { index }: RecloneInput,
): Refusal | undefined {
  if (index.remakeRisk === undefined || claim.joinsAtOnce || one.verdict !== 'ours') return undefined;
  const outside = machines.filter(({ verdict }) => verdict === 'unjoined' || verdict === 'in-flight');
  if (outside.length === 0) return undefined;
  return {
    code: 'STAND_UNFINISHED',
    message: `${sayMachine(one)} is not cloned anew while ${outside.map(sayMachine).join(', ')} of its stand ${outside.length === 1 ? 'is' : 'are'} not finished`,
    hint: 'deploy finishes the stand; then run again',
  };
}

interface JudgedMachine {
  readonly one: StandMachine;
  /** It is as it would be made now, as far as anybody knows: it loses nothing, and is finished where it was only begun. */
  readonly isCurrent: boolean;
  /** Nobody knows. */
  readonly isUntold?: boolean;
  readonly why?: Refusal;
}

type MakeOf = (one: StandMachine) => Make | undefined;

/** Undefined: there is none to tell of. Without `outdated` nobody asks. */
function makesIn({ lab, have, index, outdated }: RecloneInput): MakeOf {
  if (!outdated) return () => undefined;
  const wanted = new Map(resolveMachines(lab, have).map((one) => [one.machine.name, one]));
  return ({ machine, verdict, config }) => {
    const resolved = wanted.get(machine ?? '');
    if (!resolved || !config || !isWritable(verdict)) return undefined;
    return makeOf(lab, resolved, config, index);
  };
}

function obstacle(view: StandView, one: StandMachine, input: RecloneInput): Refusal | undefined {
  if (RESUMED.has(one.verdict)) return one.verdict === 'unjoined' ? lossRefusal(one, input) : undefined;
  return removalObstacle(view, one, input.index) ?? besideClones(view, one, input) ?? lossRefusal(one, input);
}

/** Of a claim of 0.1.0, whose student has written other notes, or removed the machine. */
function untoldMachine(one: StandMachine): Refusal {
  return {
    code: 'UNKNOWN_MACHINE',
    message: `which machine of the lab ${sayMachine(one)} is, neither its name nor its notes tell`,
    hint: one.guest ? `name VM ${one.vmid} after its machine again, or remove it` : 'deploy makes it again',
  };
}

function judge(view: StandView, one: StandMachine, input: RecloneInput, madeAs: MakeOf): JudgedMachine {
  if (one.machine === undefined) return { one, isCurrent: false, why: untoldMachine(one) };
  if (!input.lab.machines.some(({ name }) => name === one.machine)) {
    const why = {
      code: 'UNKNOWN_MACHINE',
      message: `${sayMachine(one)} is not in the lab any more: there is nothing to clone it from`,
      hint: 'deploy with --prune removes it; or go back to a snapshot with --to',
    };
    return { one, isCurrent: false, why };
  }
  const make = madeAs(one);
  if (make === 'current' || make === 'untold') return { one, isCurrent: true, isUntold: make === 'untold' };
  const why = obstacle(view, one, input);
  return { one, isCurrent: false, ...(why ? { why } : {}) };
}

/** At its end nothing tells whose it was: its number would be given up. */
function beingRemoved({ machines }: StandView, { index }: RecloneInput): Refusal | undefined {
  const removals = new Set(
    (index.tasks ?? []).flatMap(({ type, id }) => (ourTasks('destroy').includes(type) ? [id] : [])),
  );
  const going = machines.filter(({ vmid }) => removals.has(String(vmid)));
  if (going.length === 0) return undefined;
  return {
    code: 'REMOVAL_RUNNING',
    message: `${going.map(sayMachine).join(', ')} ${going.length === 1 ? 'is' : 'are'} being removed, by a run that was cut short or by somebody else`,
    hint: 'run again when the task has ended',
  };
}

interface JudgedStand {
  readonly view: StandView;
  readonly judged: readonly JudgedMachine[];
}

/** Codes of losses that can be allowed, and what else helps. */
const LOSSES: Readonly<Record<string, string>> = {
  SNAPSHOTS_LOST: 'go back to a snapshot with --to in place of --reclone',
  SNAPSHOTS_UNREADABLE: 'see that the caller has VM.Audit on /vms, and run again',
};

/** The command that gives up what would be lost is one for the whole class, and takes no machine that was made anew already. */
function lossHints(stands: readonly JudgedStand[], { outdated, words, stands: of }: RecloneInput) {
  const flags = [...(outdated ? ['--outdated'] : []), '--discard-snapshots'];
  const hints = new Map(
    Object.entries(LOSSES).map(([code, otherwise]) => {
      const losing = stands.flatMap(({ view, judged }) =>
        judged.flatMap(({ one, why }) => (why?.code === code ? [{ view, one }] : [])),
      );
      return [code, `give them up with ${sayReclone(losing, { words, flags, of })}, or ${otherwise}`];
    }),
  );
  return ({ one, why }: Judged): Judged => {
    const hint = hints.get(why.code);
    return { one, why: hint === undefined ? why : { ...why, hint } };
  };
}

function namesOf(judged: readonly JudgedMachine[]): Set<string> {
  return new Set(judged.flatMap(({ one }) => one.machine ?? []));
}

/** Of what is left as it is. They are told, since one that is made anew might be meant. */
function untoldNotes({ view, judged }: JudgedStand, { words }: RecloneInput): string[] {
  return judged.flatMap(({ one, isUntold = false }) => {
    if (!isUntold) return [];
    return [
      `the notes of ${sayMachine(one)} do not say from which template it was made, so that nobody knows whether it is outdated: it stays; ${sayReclone([{ view, one }], { words })} makes it anew`,
    ];
  });
}

/** By user: a lab is in one of a user's pools. */
export function recloneTargets(input: RecloneInput): ReadonlyMap<string, StandTargets> {
  const madeAs = makesIn(input);
  const stands = input.stands.map((view): JudgedStand => {
    const selected = view.machines.filter(({ isSelected }) => isSelected);
    return { view, judged: selected.map((one) => judge(view, one, input, madeAs)) };
  });
  const withHint = lossHints(stands, input);
  return new Map<string, StandTargets>(
    stands.map(({ view, judged }) => {
      const going = beingRemoved(view, input);
      if (going) return [view.user, { machines: new Set(), anew: new Set(), refused: going }] as const;
      const left = joined(judged.flatMap(({ one, why }) => (why ? [withHint({ one, why })] : [])));
      const able = judged.filter(({ why }) => why === undefined);
      const machines = namesOf(able);
      const anew = namesOf(able.filter((each) => !each.isCurrent));
      const isRefused = left !== undefined && machines.size === 0;
      return [
        view.user,
        {
          machines,
          anew,
          notes: untoldNotes({ view, judged }, input),
          ...(left ? (isRefused ? { refused: left } : { left }) : {}),
        },
      ] as const;
    }),
  );
}
