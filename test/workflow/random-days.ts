/** What an instructor does to a class while it runs, for the property test of whole runs; each as its command would ask for it. */
import fc from 'fast-check';
import type { PowerOptions } from '../../src/lib/plan/day-two/power-types.ts';
import type { PowerAction } from '../../src/lib/plan/document/plan.ts';
import type { StandSelection } from '../../src/lib/plan/stands/selection.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { changeAccess, type AccessWant } from '../../src/lib/workflow/access.ts';
import type { DeployContext } from '../../src/lib/workflow/deploy.ts';
import { extend } from '../../src/lib/workflow/extend.ts';
import { power } from '../../src/lib/workflow/power.ts';
import { reclone } from '../../src/lib/workflow/reset.ts';
import { changeSnapshots, type SnapshotsWant } from '../../src/lib/workflow/snapshots.ts';
import { lookAtStands } from '../../src/lib/workflow/status.ts';
import { LABS } from './random-cluster.ts';

type Act = (context: DeployContext) => Promise<unknown>;

const NET: StandSelection = { lab: 'net' };
const lockWaitSeconds = 60;

const access =
  (work: AccessWant['work']): Act =>
  (context) =>
    changeAccess({ selection: NET, work }, context);
const snapshot =
  (work: SnapshotsWant['work']): Act =>
  (context) =>
    changeSnapshots({ selection: NET, work, lockWaitSeconds }, context);
const switched =
  (action: PowerAction, more: Partial<PowerOptions> = {}): Act =>
  (context) => {
    const options = { ...{ timeoutSeconds: 60, force: true, pause: false, fit: true }, ...more };
    return power({ stands: NET, options: { action, lockWaitSeconds, ...options } }, context);
  };
const FREEZE = { do: 'freeze', allLabs: true, stop: false, suspend: false, lockWaitSeconds } as const;
const RECLONE = { outdated: false, start: true, discardSnapshots: false, lockWaitSeconds };

const DAYS = {
  freeze: access(FREEZE),
  'freeze with its state, off': access({ ...FREEZE, snapshot: 'exam', stop: true }),
  'freeze, suspended': access({ ...FREEZE, suspend: true }),
  thaw: access({ do: 'thaw', allLabs: true }),
  start: switched('start'),
  shutdown: switched('shutdown'),
  stop: switched('stop'),
  reboot: switched('reboot'),
  suspend: switched('suspend'),
  pause: switched('suspend', { pause: true }),
  resume: switched('resume'),
  snapshot: snapshot({ do: 'create', name: 'ours', withMemory: true, keep: 1 }),
  'snapshot of a name that students use': snapshot({ do: 'create', name: 'mine', withMemory: false }),
  'snapshot delete': snapshot({ do: 'delete', name: 'ours' }),
  'snapshot delete of a name that students use': snapshot({ do: 'delete', name: 'mine' }),
  rollback: snapshot({ do: 'rollback', command: 'snapshot', to: 'ours', start: false }),
  reset: snapshot({ do: 'rollback', command: 'reset', start: true }),
  reclone: (context) => reclone({ selection: NET, lab: LABS.net, ...RECLONE }, context),
  extend: (context) =>
    extend({ selection: NET, options: { until: { date: '2027-01-01' }, shorten: false } }, context),
  status: (context) =>
    lookAtStands(
      { stands: {}, sinceSeconds: 3600, ips: true, snapshots: true, ownership: true, drift: false, templates: true },
      context,
    ),
} satisfies Record<string, Act>;
export type DayName = keyof typeof DAYS;

export const days = fc.constantFrom<DayName>(...(Object.keys(DAYS) as DayName[]));
export const dayOf = (name: DayName): Act => DAYS[name];

/** Students take a snapshot of each machine of theirs that `isOurs`. */
export function withStudentSnapshots(state: ClusterState, isOurs: (vmid: number) => boolean): ClusterState {
  const snaptime = Date.parse('2026-06-01T00:00:00Z') / 1000;
  return {
    ...state,
    guests: state.guests.map((guest) => {
      if (!isOurs(guest.vmid) || guest.config['template'] === '1' || guest.config['lock']) return guest;
      const mine = { name: 'mine', snaptime, description: 'homework', vmstate: false };
      const snapshots = [...guest.snapshots, { ...mine, config: { ...guest.config } }];
      return { ...guest, snapshots, config: { ...guest.config, parent: 'mine' } };
    }),
  };
}

/** VMIDs of the machines that still have it. */
export const withMine = ({ guests }: ClusterState): number[] =>
  guests
    .filter(({ snapshots }) =>
      snapshots.some(({ name, description }) => name === 'mine' && description === 'homework'),
    )
    .map(({ vmid }) => vmid);

/** Rights of students, as text. */
export const rightsOf = ({ acl }: ClusterState): string[] =>
  acl
    .map(({ path, type, subject, role, propagate }) => `${path} ${type} ${subject} ${role} ${propagate}`)
    .sort();
