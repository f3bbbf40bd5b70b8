/** The steps that switch the machines of one stand, one rank of `start_order` after the other. Decides nothing. */
import { makeStep, type Step } from '../document/step.ts';
import { oursAt } from '../document/steps/place.ts';
import { ranksOf } from '../stands/start-order.ts';
import type { Planned, PowerRequest } from './power-types.ts';

const REASONS: Readonly<Record<Planned['power'], string>> = {
  running: 'it runs',
  paused: 'it is paused',
  suspended: 'it is suspended to disk',
  suspending: 'it is being suspended to disk',
  stopped: 'it is off',
  unknown: '',
};

/** The machines that a step waits for, and the ids of their steps. */
interface Former {
  readonly names: readonly string[];
  readonly ids: readonly string[];
}

const nameOf = ({ one, guest }: Planned): string => one.machine ?? guest.name ?? String(guest.vmid);

function stepOf(
  { view, guest, deed, power, storage }: Planned,
  { names, ids }: Former,
  request: PowerRequest,
): Step {
  const { timeoutSeconds, lockWaitSeconds, force } = request.options;
  const { pool, user } = view;
  const order = names.length === 0 ? '' : `, after ${names.join(', ')}`;
  const frame = { user, reason: `${REASONS[power]}${order}`, after: ids };
  const key = `${pool}/${guest.vmid}`;
  const vm = { ...oursAt(guest, pool), lockWaitSeconds };
  switch (deed) {
    case 'start':
      return makeStep('vm.start', key, frame, vm);
    case 'resume':
      return makeStep('vm.resume', key, frame, { ...vm, fromDisk: true });
    case 'go-on':
      return makeStep('vm.resume', key, frame, { ...vm, fromDisk: false });
    case 'shutdown':
      return makeStep('vm.shutdown', key, frame, { ...vm, timeoutSeconds, force });
    case 'stop':
      return makeStep('vm.stop', key, frame, vm);
    case 'reboot':
      return makeStep('vm.reboot', key, frame, { ...vm, timeoutSeconds });
    case 'suspend':
      return makeStep('vm.suspend', key, frame, { ...vm, ...(storage === undefined ? {} : { storage }) });
    case 'pause':
      return makeStep('vm.suspend', key, frame, vm);
  }
}

/** Those that start first go off last. */
export function stepsOf(machines: readonly Planned[], request: PowerRequest): Step[] {
  const { lab, options } = request;
  const orders = new Map(lab?.machines.map(({ name, startOrder }) => [name, startOrder]));
  const ranks = ranksOf(machines, ({ one }) => orders.get(one.machine ?? ''));
  const brings = options.action === 'start' || options.action === 'resume' || options.action === 'reboot';
  let former: Former = { names: [], ids: [] };
  return (brings ? ranks : ranks.reverse()).flatMap((members) => {
    const steps = members.map((planned) => stepOf(planned, former, request));
    former = { names: members.map(nameOf), ids: steps.map(({ id }) => id) };
    return steps;
  });
}
