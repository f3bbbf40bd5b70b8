/** Makes steps: derives the id, sorts the edges. */
import { compareText } from '../order.ts';
import type { StepKind, StepOf, StepPayloads } from './types.ts';

interface StepFrame {
  readonly reason: string;
  readonly user?: string;
  readonly dependsOn?: readonly string[];
  readonly after?: readonly string[];
}

function sorted(ids: readonly string[] = []): string[] {
  return [...new Set(ids)].sort(compareText);
}

/** `key` is the natural key of the object: a userid, a pool, `node/bridge`, `pool/machine`. */
export function makeStep<K extends StepKind>(
  kind: K,
  key: string,
  frame: StepFrame,
  payload: StepPayloads[K],
): StepOf<K> {
  return {
    id: `${kind}:${key}`,
    kind,
    ...(frame.user === undefined ? {} : { user: frame.user }),
    reason: frame.reason,
    dependsOn: sorted(frame.dependsOn),
    after: sorted(frame.after),
    ...payload,
  } as unknown as StepOf<K>; // the frame and the payload of K together are StepOf<K>; TypeScript cannot see it for a generic K
}
