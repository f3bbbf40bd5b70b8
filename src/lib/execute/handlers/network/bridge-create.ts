/** Stages a new bridge on a node. Never touches an interface that exists. */
import type { StepOf } from '../../../plan/document/step.ts';
import { isAlreadyExists } from '../../../proxmox/words.ts';
import { attempt } from '../../retry.ts';
import { addTo } from '../../../group.ts';
import { BridgeTakenError, StepError, type NamedBridge } from '../../step-error.ts';
import type { Handler, NamingGuest, StepIo } from '../../types.ts';
import { namingGuests } from './naming-guests.ts';

function byBridge(guests: readonly NamingGuest[]): NamedBridge[] {
  const vmids = new Map<string, number[]>();
  for (const { vmid, bridges } of guests) for (const bridge of bridges ?? []) addTo(vmids, bridge, vmid);
  return [...vmids].map(([bridge, by]) => ({ bridge, vmids: by }));
}

/** A number that a guest names may be that of a bridge which PVE does not list. The stand's own guests may name it. */
async function assertUnnamed({ node, bridge, own }: StepOf<'bridge.create'>, io: StepIo): Promise<void> {
  if (own === undefined) return;
  const others = (await namingGuests(node, io)).filter(({ vmid }) => !own.includes(vmid));
  const naming = others.filter(({ bridges }) => bridges?.has(bridge));
  if (naming.length > 0) {
    const vmids = naming.map(({ vmid }) => vmid).sort((a, b) => a - b);
    throw new BridgeTakenError(
      `${bridge} on ${node} is named by guest ${vmids.join(', ')} or a snapshot of it: PVE lists no such bridge, but not all are listed, and going back to a snapshot would lead into this one`,
      {
        hint: `run the command again: it chooses another number; if there is no such bridge, take it off guest ${vmids.join(', ')} and delete the snapshots that name it`,
        taken: byBridge(others),
      },
    );
  }
  const [unreadable] = others.filter(({ bridges }) => bridges === undefined);
  if (!unreadable) return;
  throw new StepError(
    'GUESTS_UNREADABLE',
    `whether ${bridge} is free on ${node} is not known: the configuration of guest ${unreadable.vmid} there cannot be read (${unreadable.because ?? ''})`,
    { hint: `see that guest ${unreadable.vmid} on ${node} can be read, then run the command again` },
  );
}

export const createBridge: Handler<'bridge.create'> = async (step, io) => {
  const present = async () => {
    const { rows } = await io.pve.network(step.node, io.signal);
    return rows.find(({ iface }) => iface === step.bridge);
  };
  const isOurs = async () => (await present())?.comments.trim() === step.comment;
  try {
    return await attempt(io, {
      id: step.id,
      act: async () => {
        await assertUnnamed(step, io);
        await io.pve.createBridge(
          step.node,
          { iface: step.bridge, vlanAware: step.vlanAware, comment: step.comment },
          io.signal,
        );
        return 'done';
      },
      look: async () => ((await isOurs()) ? 'done' : 'absent'),
    });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const row = await present();
    if (row?.comments.trim() === step.comment) return 'already-done';
    const whose = row && row.comments.trim() !== '' ? ` ("${row.comments.trim()}")` : '';
    const what = row ? `was created by somebody else${whose}` : 'exists, but is hidden from the caller';
    const rights = 'give the caller SDN.Audit on /sdn/zones/localnetwork, then run the command again';
    throw new BridgeTakenError(`${step.bridge} on ${step.node} ${what}`, {
      hint:
        step.user === undefined && !row ? rights : 'run the command again: it plans anew from what is there',
      cause: error,
    });
  }
};
