/** Stages a new bridge on a node. Never touches an interface that exists. */
import { isAlreadyExists } from '../../proxmox/errors.ts';
import { attempt } from '../retry.ts';
import { StepError } from '../step-error.ts';
import type { Handler } from '../types.ts';

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
    throw new StepError('BRIDGE_TAKEN', `${step.bridge} on ${step.node} ${what}`, {
      hint:
        step.user === undefined && !row ? rights : 'run the command again: it plans anew from what is there',
      cause: error,
    });
  }
};
