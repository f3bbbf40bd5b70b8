/** What an instructor does to a class while it runs, for the property test of whole runs; each as its command would ask for it. */
import fc from 'fast-check';
import type { PowerOptions } from '../../src/lib/plan/day-two/power-types.ts';
import type { PowerAction } from '../../src/lib/plan/document/plan.ts';
import type { StandSelection } from '../../src/lib/plan/stands/selection.ts';
import { changeAccess, type AccessWant } from '../../src/lib/workflow/access.ts';
import type { DeployContext } from '../../src/lib/workflow/deploy.ts';
import { extend } from '../../src/lib/workflow/extend.ts';
import { power } from '../../src/lib/workflow/power.ts';
import { reclone } from '../../src/lib/workflow/reset.ts';
import { changeSnapshots, type SnapshotsWant } from '../../src/lib/workflow/snapshots.ts';
import { lookAtStands } from '../../src/lib/workflow/status.ts';
import type { Taken } from './belongings.ts';
import { LABS } from './random-cluster.ts';

type Act = (context: DeployContext) => Promise<unknown>;

/** By name, so that a command that takes what its row does not say is found out. */
interface Day {
  readonly act: (selection: StandSelection) => Act;
  /** Of the machines that are selected. */
  readonly takes?: readonly Taken[];
  /** Of the students who are selected. */
  readonly changesRights?: boolean;
}

const lockWaitSeconds = 60;

const access = (work: AccessWant['work'], takes: readonly Taken[] = []): Day => ({
  act: (selection) => (context) => changeAccess({ selection, work }, context),
  changesRights: true,
  takes,
});
const snapshot = (work: SnapshotsWant['work'], takes: readonly Taken[] = []): Day => ({
  act: (selection) => (context) => changeSnapshots({ selection, work, lockWaitSeconds }, context),
  takes,
});
const switched = (
  action: PowerAction,
  more: Partial<PowerOptions> = {},
  takes: readonly Taken[] = [],
): Day => ({
  act: (selection) => (context) => {
    const options = { ...{ timeoutSeconds: 60, force: true, pause: false, fit: true }, ...more };
    return power({ stands: selection, options: { action, lockWaitSeconds, ...options } }, context);
  },
  takes,
});
const recloned = (discardSnapshots: boolean, takes: readonly Taken[]): Day => ({
  act: (selection) => (context) => {
    const want = { outdated: false, start: true, discardSnapshots, lockWaitSeconds };
    return reclone({ selection, lab: LABS.net, ...want }, context);
  },
  changesRights: true,
  takes,
});
const FREEZE = { do: 'freeze', allLabs: true, stop: false, suspend: false, lockWaitSeconds } as const;
const BACK: readonly Taken[] = ['config', 'memory'];

const DAYS = {
  freeze: access(FREEZE),
  'freeze with its state, off': access({ ...FREEZE, snapshot: 'exam', stop: true }, ['memory']),
  'freeze, suspended': access({ ...FREEZE, suspend: true }),
  thaw: access({ do: 'thaw', allLabs: true }),
  start: switched('start'),
  shutdown: switched('shutdown', {}, ['memory']),
  'shutdown of those who obey': switched('shutdown', { force: false }, ['memory']),
  stop: switched('stop', {}, ['memory']),
  reboot: switched('reboot', {}, ['memory']),
  suspend: switched('suspend'),
  pause: switched('suspend', { pause: true }),
  resume: switched('resume'),
  snapshot: snapshot({ do: 'create', name: 'ours', withMemory: true, keep: 1 }),
  'another snapshot, and one is kept': snapshot({ do: 'create', name: 'later', withMemory: false, keep: 1 }),
  'snapshot of a name that students use': snapshot({ do: 'create', name: 'mine', withMemory: false }),
  'snapshot delete': snapshot({ do: 'delete', name: 'ours' }),
  'snapshot delete of a name that students use': snapshot({ do: 'delete', name: 'mine' }),
  rollback: snapshot({ do: 'rollback', command: 'snapshot', to: 'ours', start: false }, BACK),
  'rollback to a snapshot of the student': snapshot(
    { do: 'rollback', command: 'snapshot', to: 'mine', start: true },
    BACK,
  ),
  reset: snapshot({ do: 'rollback', command: 'reset', start: true }, BACK),
  'reclone of what has no snapshot of the student': recloned(false, ['machine without snapshots']),
  'reclone, snapshots discarded': recloned(true, ['machine']),
  extend: {
    act: (selection) => (context) =>
      extend({ selection, options: { until: { date: '2027-01-01' }, shorten: false } }, context),
  },
  status: {
    act: (selection) => (context) => {
      const all = { ips: true, snapshots: true, ownership: true, drift: true, templates: true };
      return lookAtStands({ stands: selection, lab: LABS.net, sinceSeconds: 3600, ...all }, context);
    },
  },
} satisfies Record<string, Day>;
export type DayName = keyof typeof DAYS;

export const days = fc.constantFrom<DayName>(...(Object.keys(DAYS) as DayName[]));
export const dayOf = (name: DayName): Day => DAYS[name];

/** The lab's whole class, or one of it. */
export const daySelections: fc.Arbitrary<StandSelection> = fc.constantFrom<StandSelection>(
  { lab: 'net' },
  { lab: 'net' },
  { lab: 'net', users: [{ userid: 'anna@pve' }] },
);
