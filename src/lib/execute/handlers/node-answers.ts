/** Sees that a node is up before something is put onto it. Must not write. */
import type { PveApi } from '../../proxmox/types.ts';
import type { StepIo } from '../types.ts';

/** Steps of one node that start together ask once. */
const GOOD_FOR_MS = 10_000;

interface Asked {
  readonly at: number;
  readonly answer: Promise<unknown>;
}

const asked = new WeakMap<PveApi, Map<string, Asked>>();

/**
 * PVE moves the configuration of a clone on shared storage onto a node that is off without a word (qemu-server,
 * `clone_vm` checks only that the node exists); there it could be neither configured nor made again elsewhere.
 */
export async function assertNodeAnswers(node: string, { pve, clock, signal }: StepIo): Promise<void> {
  const nodes = asked.get(pve) ?? new Map<string, Asked>();
  asked.set(pve, nodes);
  const now = clock.now();
  const former = nodes.get(node);
  const answer =
    former && now - former.at < GOOD_FOR_MS
      ? former.answer
      : pve.tasks(node, { source: 'active', limit: 1 }, signal);
  if (answer !== former?.answer) nodes.set(node, { at: now, answer });
  try {
    await answer;
  } catch (error) {
    nodes.delete(node);
    throw error;
  }
}
