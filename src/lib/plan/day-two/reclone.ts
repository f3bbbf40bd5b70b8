/** Which machines of the selected stands can be cloned anew, and why the others cannot. Plans no step: a deploy does. */
import { joined, type Judged } from './stand-work.ts';
import type { SnapshotInfo } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import type { StandMachine, StandView } from '../stands/selected.ts';
import { obstacleOf, sayMachine } from './machines.ts';
import { sayReclone, type RecloneWords } from './reclone-command.ts';
import { ownerOf, type Baselines, type SnapshotLists } from '../stands/snapshots.ts';

export interface RecloneInput {
  readonly stands: readonly StandView[];
  readonly index: ClusterView;
  readonly snapshots: SnapshotLists;
  readonly baselines: Baselines;
  /** Machines of the lab. */
  readonly machines: ReadonlySet<string>;
  readonly discardSnapshots: boolean;
  readonly outdated?: boolean;
  /** With `outdated`: by user, machines that are as they would be made now. Nothing happens to them. */
  readonly current?: ReadonlyMap<string, ReadonlySet<string>>;
  readonly words?: RecloneWords;
}

interface StandTargets {
  readonly machines: ReadonlySet<string>;
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
  if (config.values['protection'] === '1') {
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

/** Begun by us and not finished, or gone: they are made all the same. */
const RESUMED: ReadonlySet<StandMachine['verdict']> = new Set(['missing', 'open', 'in-flight', 'unjoined']);

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

function obstacle(view: StandView, one: StandMachine, input: RecloneInput): Refusal | undefined {
  if (one.machine === undefined || !input.machines.has(one.machine)) {
    return {
      code: 'UNKNOWN_MACHINE',
      message: `${sayMachine(one)} is not in the lab any more: there is nothing to clone it from`,
      hint: 'deploy with --prune removes it; or go back to a snapshot with --to',
    };
  }
  if (input.current?.get(view.user)?.has(one.machine)) return undefined;
  if (RESUMED.has(one.verdict)) return one.verdict === 'unjoined' ? lossRefusal(one, input) : undefined;
  return obstacleOf(view, one, input.index) ?? besideClones(view, one, input) ?? lossRefusal(one, input);
}

/** At its end nothing tells whose it was: its number would be given up. */
function beingRemoved({ machines }: StandView, { index }: RecloneInput): Refusal | undefined {
  const removals = new Set((index.tasks ?? []).flatMap(({ type, id }) => (type === 'qmdestroy' ? [id] : [])));
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
  readonly judged: readonly { readonly one: StandMachine; readonly why?: Refusal }[];
}

/** Codes of losses that can be allowed, and what else helps. */
const LOSSES: Readonly<Record<string, string>> = {
  SNAPSHOTS_LOST: 'go back to a snapshot with --to in place of --reclone',
  SNAPSHOTS_UNREADABLE: 'see that the caller has VM.Audit on /vms, and run again',
};

/** The command that gives up what would be lost is one for the whole class, and takes no machine that was made anew already. */
function lossHints(stands: readonly JudgedStand[], { outdated, words }: RecloneInput) {
  const flags = [...(outdated ? ['--outdated'] : []), '--discard-snapshots'];
  const hints = new Map(
    Object.entries(LOSSES).map(([code, otherwise]) => {
      const losing = stands.flatMap(({ view, judged }) =>
        judged.flatMap(({ one, why }) => (why?.code === code ? [{ view, one }] : [])),
      );
      return [code, `give them up with ${sayReclone(losing, { words, flags })}, or ${otherwise}`];
    }),
  );
  return ({ one, why }: Judged): Judged => {
    const hint = hints.get(why.code);
    return { one, why: hint === undefined ? why : { ...why, hint } };
  };
}

/** By user: a lab is in one of a user's pools. */
export function recloneTargets(input: RecloneInput): ReadonlyMap<string, StandTargets> {
  const stands = input.stands.map((view): JudgedStand => {
    const selected = view.machines.filter(({ isSelected }) => isSelected);
    return {
      view,
      judged: selected.map((one) => {
        const why = obstacle(view, one, input);
        return why ? { one, why } : { one };
      }),
    };
  });
  const withHint = lossHints(stands, input);
  return new Map(
    stands.map(({ view, judged }) => {
      const going = beingRemoved(view, input);
      if (going) return [view.user, { machines: new Set<string>(), refused: going }] as const;
      const left = joined(judged.flatMap(({ one, why }) => (why ? [withHint({ one, why })] : [])));
      const able = judged.filter(({ why }) => why === undefined).flatMap(({ one }) => one.machine ?? []);
      const isRefused = left !== undefined && able.length === 0;
      return [
        view.user,
        { machines: new Set(able), ...(left ? (isRefused ? { refused: left } : { left }) : {}) },
      ] as const;
    }),
  );
}
