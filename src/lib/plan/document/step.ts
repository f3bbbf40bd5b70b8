/** A step: one change of the cluster as plain data, and the one place that makes its id. Does not know what a kind means. */
import { compareText } from '../../order.ts';
import type { AccessSteps } from './steps/access.ts';
import type { NetworkSteps } from './steps/network.ts';
import type { PoolSteps } from './steps/pools.ts';
import type { TemplateSteps } from './steps/templates.ts';
import type { UserSteps } from './steps/users.ts';
import type { VmSteps } from './steps/vms.ts';

/** Payload per step kind; everything else is derived from this map. In "Fail:", "run again" means: deploy with the same files. */
export interface StepPayloads
  extends UserSteps, PoolSteps, AccessSteps, NetworkSteps, TemplateSteps, VmSteps {}

export type StepKind = keyof StepPayloads;

export interface StepBase {
  /** `<kind>:<natural key>`. Same input, same id. */
  readonly id: string;
  /** Ids that must have succeeded; sorted. */
  readonly dependsOn: readonly string[];
  /** Ids that must have ended, however; sorted. */
  readonly after: readonly string[];
  /** Why the planner wants this; printed with the plan. */
  readonly reason: string;
  /** The stand (userid) it belongs to; absent for shared objects (reserved bridges, reloads). */
  readonly user?: string;
}

export type StepOf<K extends StepKind> = {
  [P in K]: StepBase & { readonly kind: P } & Readonly<StepPayloads[P]>;
}[K];
export type Step = StepOf<StepKind>;

/** `key` is the natural key of the object: a userid, a pool, `node/bridge`, `pool/machine`. */
export function stepId(kind: StepKind, key: string | number): string {
  return `${kind}:${key}`;
}

export interface StepFrame {
  readonly reason: string;
  readonly user?: string;
  readonly dependsOn?: readonly string[];
  readonly after?: readonly string[];
}

function sorted(ids: readonly string[] = []): string[] {
  return [...new Set(ids)].sort(compareText);
}

/** Derives the id, sorts the edges. */
export function makeStep<K extends StepKind>(
  kind: K,
  key: string,
  frame: StepFrame,
  payload: StepPayloads[K],
): StepOf<K> {
  return {
    id: stepId(kind, key),
    kind,
    ...(frame.user === undefined ? {} : { user: frame.user }),
    reason: frame.reason,
    dependsOn: sorted(frame.dependsOn),
    after: sorted(frame.after),
    ...payload,
  } as unknown as StepOf<K>; // the frame and the payload of K together are StepOf<K>; TypeScript cannot see it for a generic K
}
