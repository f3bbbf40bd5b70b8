/** Sees that a node is up before something is put onto it. Must not write. */
import type { StepIo } from '../types.ts';

/** Steps of one node that start together ask once, or not at all where one has just had an answer from there. */
const GOOD_FOR_MS = 10_000;

/** A guest's configuration is read by its node. */
export function nodeHasAnswered(node: string, { clock, nodeAnswers }: StepIo): void {
  nodeAnswers.set(node, { at: clock.now(), answer: Promise.resolve() });
}

/**
 * PVE moves the configuration of a clone on shared storage onto a node that is off without a word (qemu-server,
 * `clone_vm` checks only that the node exists); there it could be neither configured nor made again elsewhere.
 */
export async function assertNodeAnswers(
  node: string,
  { pve, clock, signal, nodeAnswers }: StepIo,
): Promise<void> {
  const now = clock.now();
  const former = nodeAnswers.get(node);
  const answer =
    former && now - former.at < GOOD_FOR_MS
      ? former.answer
      : pve.tasks(node, { source: 'active', limit: 1 }, signal);
  if (answer !== former?.answer) nodeAnswers.set(node, { at: now, answer });
  try {
    await answer;
  } catch (error) {
    nodeAnswers.delete(node);
    throw error;
  }
}
