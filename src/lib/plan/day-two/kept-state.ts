/** What a freeze does to machines once nobody may use them: a snapshot for grading, then the power. Takes no right away. */
import { formatSnapshotMark } from '../../marks/snapshot.ts';
import type { Refusal } from '../document/plan.ts';
import { makeStep, type Step } from '../document/step.ts';
import type { SnapshotLists } from '../stands/snapshots.ts';
import { actionable, type StandMachine, type StandView } from '../stands/selected.ts';

export interface KeepOptions {
  /** Power machines off: the one way to end open consoles. */
  readonly stop: boolean;
  readonly snapshot?: string;
  /** How long a stop waits for a backup or the like. */
  readonly lockWaitSeconds: number;
}

export interface KeepInput {
  readonly options: KeepOptions;
  /** VMID → its snapshots, where one is to be taken. */
  readonly snapshots?: SnapshotLists;
}

interface Kept {
  readonly steps: readonly Step[];
  readonly left?: Refusal;
}

interface Before {
  readonly dependsOn: readonly string[];
  readonly after: readonly string[];
}

/** `theirs`: there before the freeze, so that it keeps an earlier state. */
type Present = 'none' | 'done' | 'theirs' | 'unreadable';

/** Whoever may make snapshots cannot any more once the stand is frozen. */
function presentOne(vmid: number, frozen: string | undefined, name: string, input: KeepInput): Present {
  const list = input.snapshots?.get(vmid);
  if (!list) return 'unreadable';
  const one = list.find((snapshot) => snapshot.name === name);
  if (!one) return 'none';
  return frozen !== undefined && (one.time ?? 0) * 1000 >= Date.parse(frozen) ? 'done' : 'theirs';
}

function snapshotRefusal(
  machines: readonly { vmid: number; present: Present }[],
  name: string,
): Refusal | undefined {
  const idsOf = (wanted: Present): string =>
    machines
      .filter(({ present }) => present === wanted)
      .map(({ vmid }) => vmid)
      .join(', ');
  const theirs = idsOf('theirs');
  if (theirs !== '') {
    return {
      code: 'SNAPSHOT_NAME_TAKEN',
      message: `VM ${theirs} had a snapshot "${name}" before the freeze: it keeps an earlier state, and stays as it is`,
      hint: 'give another name with --snapshot NAME',
    };
  }
  const unreadable = idsOf('unreadable');
  if (unreadable === '') return undefined;
  return {
    code: 'VM_UNREADABLE',
    message: `the snapshots of VM ${unreadable} cannot be read: none is taken`,
    hint: 'see that its node is online and that the caller has VM.Audit on it, then run again',
  };
}

/** Neither ours to write to nor somebody else's: told, since its state is not kept. */
function unreachable(stands: readonly StandView[]): Refusal | undefined {
  const machines = stands.flatMap((stand) => {
    const able = new Set(actionable(stand).map(({ vmid }) => vmid));
    return stand.machines.filter(
      ({ vmid, guest, verdict }: StandMachine) => guest && verdict !== 'foreign' && !able.has(vmid),
    );
  });
  if (machines.length === 0) return undefined;
  return {
    code: 'VM_NOT_REACHED',
    message: `left as it is: ${machines.map(({ vmid, verdict }) => `VM ${vmid} (${verdict})`).join(', ')}`,
    hint: 'see `deploy-stand status --ownership` for the way out of each',
  };
}

/** A snapshot comes before the power goes: nothing that somebody types into an open console is in it. */
export function keptState(stands: readonly StandView[], before: Before, input: KeepInput): Kept {
  const { snapshot, stop, lockWaitSeconds } = input.options;
  if (snapshot === undefined && !stop) return { steps: [] };
  const judged = stands.flatMap((stand) =>
    actionable(stand)
      .filter(({ guest }) => !guest.template)
      .map((machine) => ({
        machine,
        stand,
        vmid: machine.vmid,
        present:
          snapshot === undefined
            ? ('done' as const)
            : presentOne(machine.vmid, stand.claim.frozen, snapshot, input),
      })),
  );
  const steps = judged.flatMap(({ machine, stand, present }): Step[] => {
    const { vmid, guest } = machine;
    const at = { node: guest.node, vmid, pool: stand.pool };
    const frame = { user: stand.user, ...before };
    const taken =
      snapshot !== undefined && present === 'none'
        ? [
            makeStep(
              'vm.snapshot',
              `${vmid}`,
              { ...frame, reason: 'the state for grading' },
              {
                ...at,
                snapshot,
                description: formatSnapshotMark({ lab: stand.claim.lab, vmid, isBaseline: false }),
              },
            ),
          ]
        : [];
    const isOn = stop && guest.status !== 'stopped';
    return [
      ...taken,
      ...(isOn
        ? [
            makeStep(
              'vm.stop',
              `${vmid}`,
              {
                ...frame,
                reason: 'consoles that are open stay open while it runs',
                after: [...before.after, ...taken.map(({ id }) => id)],
              },
              { ...at, lockWaitSeconds },
            ),
          ]
        : []),
    ];
  });
  const left =
    (snapshot === undefined ? undefined : snapshotRefusal(judged, snapshot)) ?? unreachable(stands);
  return { steps, ...(left ? { left } : {}) };
}
