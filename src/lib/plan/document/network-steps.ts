/** Which steps are about networks, and what each does to one: whoever is handed a step asks here. */
import type { PlannedStand } from './plan.ts';
import type { Step, StepKind, StepOf } from './step.ts';

export const NETWORK_STEPS = {
  create: ['bridge.create'],
  update: ['bridge.update'],
  remove: ['bridge.delete'],
  /** Puts the others into force. */
  apply: ['network.reload'],
} as const satisfies Readonly<Record<string, readonly StepKind[]>>;

type Deed = keyof typeof NETWORK_STEPS;
type Doing<D extends Deed> = StepOf<(typeof NETWORK_STEPS)[D][number]>;

export type NetworkMake = Doing<'create'>;
/** What a stand's networks take before its machines are plugged in. */
export type NetworkEdit = Doing<'create' | 'update'>;
export type NetworkRemoval = Doing<'remove'>;
export type NetworkApply = Doing<'apply'>;

const DEEDS = Object.entries(NETWORK_STEPS) as [Deed, readonly StepKind[]][];

export function networkDeed(step: NetworkEdit | NetworkRemoval | NetworkApply): Deed;
export function networkDeed(step: Step): Deed | undefined;
export function networkDeed({ kind }: Step): Deed | undefined {
  return DEEDS.find(([, kinds]) => kinds.includes(kind))?.[0];
}

export function makesNetwork(step: Step): step is NetworkMake {
  return networkDeed(step) === 'create';
}

export function editsNetwork(step: Step): step is NetworkEdit | NetworkRemoval {
  const deed = networkDeed(step);
  return deed !== undefined && deed !== 'apply';
}

export function appliesNetwork(step: Step): step is NetworkApply {
  return networkDeed(step) === 'apply';
}

/** Is what this step, of no stand's own, does to networks done for this one, too? Until it is, the stand lacks what it needs. */
export function servesStand(step: Step, { node, bridges }: Pick<PlannedStand, 'node' | 'bridges'>): boolean {
  if (makesNetwork(step)) return step.node === node;
  return (
    appliesNetwork(step) &&
    step.node === node &&
    bridges.some((bridge) => bridge.node === step.node && step.bridges.includes(bridge.iface))
  );
}
