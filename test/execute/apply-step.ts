/** Runs one handler against the small PVE of the tests, and the objects that its tests have in common. */
import { handlers } from '../../src/lib/execute/handlers/index.ts';
import type { Handler, StepIo } from '../../src/lib/execute/types.ts';
import type { StepKind, StepOf, StepPayloads } from '../../src/lib/plan/document/step.ts';
import type { NetworkRow } from '../../src/lib/proxmox/types.ts';
import type { FakePve } from './fake-pve.ts';

export const MARK = 'deploy-stand lab=net user=anna@pve net=hq since=2026-01-15T09:00:00Z';
export const VM_MARK = 'deploy-stand lab=net user=anna@pve machine=pc vmid=10001';

export function step<K extends StepKind>(kind: K, payload: StepPayloads[K]): StepOf<K> {
  const frame = { id: `${kind}:test`, kind, reason: 'test', dependsOn: [], after: [] };
  return { ...frame, ...payload } as unknown as StepOf<K>;
}

export async function apply<K extends StepKind>(
  pve: FakePve,
  kind: K,
  payload: StepPayloads[K],
  secrets: Partial<StepIo['secrets']> = {},
) {
  const io = pve.io(secrets);
  const given = step(kind, payload);
  Object.freeze(given); // a handler never alters its payload
  const handler: Handler<K> = handlers[kind];
  const outcome = await pve.clock.drive(handler(given, io));
  return { outcome, retries: io.retries.length };
}

export const count = (pve: FakePve, write: string) => pve.writes.filter((line) => line === write).length;

export function bridgeRow(iface: string, comments: string, active = false): NetworkRow {
  return { iface, type: 'bridge', active, vlanAware: false, ports: '', comments };
}

/** One bridge that is added (`+`) or removed (`-`). */
export function stagedDiff(sign: '+' | '-', comment: string, iface = 'vmbr1000'): string {
  return [
    '--- /etc/network/interfaces',
    '+++ /etc/network/interfaces.new',
    sign === '+' ? '@@ -10,3 +10,8 @@' : '@@ -10,8 +10,3 @@',
    ' ',
    `${sign}auto ${iface}`,
    `${sign}iface ${iface} inet manual`,
    `${sign}\tbridge-ports none`,
    ...(comment === '' ? [] : [`${sign}#${comment}`]),
    sign,
  ].join('\n');
}
