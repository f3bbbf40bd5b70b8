/** Runs one handler against the cluster of the tests, and the objects that its tests have in common. */
import { handlers } from '../../src/lib/execute/handlers/index.ts';
import type { Handler, StepIo } from '../../src/lib/execute/types.ts';
import type { StepKind, StepOf, StepPayloads } from '../../src/lib/plan/document/step.ts';
import { sealHash } from '../../src/lib/marks/seal.ts';
import { type PveWorld, sealOf } from './world.ts';

export const MARK = 'deploy-stand lab=net user=anna@pve net=hq since=2026-01-15T09:00:00Z';
export const VM_MARK = 'deploy-stand lab=net user=anna@pve machine=pc vmid=10001';

/** What the clone of this run says of itself until it is configured. */
export const SEALED = `${VM_MARK} seal=${sealOf(10001)}`;
/** Of a run that was killed; its hash may still be in the claim. */
export const FORMER_SEAL = 'f0'.repeat(16);

/** A comment of anna's pool that claims these machines; without more, the one that is made. */
export function claim(vms = 'pc:10001'): string {
  return `deploy-stand user=anna@pve\nlab=net vms=${vms} since=2026-01-15T09:00:00Z`;
}

/** The machine as claimed before its clone. */
export const reserved = (...seals: readonly string[]) =>
  `pc:10001${seals.map((seal) => `?${sealHash(seal, 10001)}`).join('')}`;

/** Anna's pool, of which the machine is a member. */
export const OURS = { pool: 'anna', comment: claim(), vms: [10001] };
/** The same before its clone: a late one of a killed run may come, too. */
export const RESERVED = { pool: 'anna', comment: claim(reserved(sealOf(10001), FORMER_SEAL)) };

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
