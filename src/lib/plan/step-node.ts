/** The node that a step is about. */
import type { Step } from './types.ts';

/** For copies of templates the node they are made for, wherever the work is done; undefined for the cluster's steps. */
export function nodeOfStep(step: Step): string | undefined {
  if ('home' in step) return step.home;
  return 'node' in step ? step.node : undefined;
}
