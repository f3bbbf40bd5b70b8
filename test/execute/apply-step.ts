/** Runs one handler against the cluster of the tests, and the objects that its tests have in common. */
import { handlers } from '../../src/lib/execute/handlers/index.ts';
import type { Handler, StepIo } from '../../src/lib/execute/types.ts';
import type { StepKind, StepOf, StepPayloads } from '../../src/lib/plan/document/step.ts';
import type { PveWorld } from './world.ts';

export const MARK = 'deploy-stand lab=net user=anna@pve net=hq since=2026-01-15T09:00:00Z';
export const VM_MARK = 'deploy-stand lab=net user=anna@pve machine=pc vmid=10001';

export function step<K extends StepKind>(kind: K, payload: StepPayloads[K]): StepOf<K> {
  const frame = { id: `${kind}:test`, kind, reason: 'test', dependsOn: [], after: [] };
  return { ...frame, ...payload } as unknown as StepOf<K>;
}

export async function apply<K extends StepKind>(
  world: PveWorld,
  kind: K,
  payload: StepPayloads[K],
  secrets: Partial<StepIo['secrets']> = {},
) {
  const io = world.io(secrets);
  const given = step(kind, payload);
  Object.freeze(given); // a handler never alters its payload
  const handler: Handler<K> = handlers[kind];
  const outcome = await world.drive(handler(given, io));
  return { outcome, retries: io.retries.length };
}

/** The same configuration without these lines. */
export function without(config: Readonly<Record<string, string>> = {}, ...keys: readonly string[]) {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !keys.includes(key)));
}

export const count = (world: PveWorld, write: string) => world.writes.filter((line) => line === write).length;
