/** Reads how much memory a VM's configuration gives it. Judges nothing. */
import { MIB } from '../bytes.ts';

/** Bytes. Since 8.1 `memory` may be written `current=2048`; PVE's default is 512 MiB (qemu-server, `get_current_memory`). */
export function memoryOf(values: Readonly<Record<string, string>>): number {
  const mib = Number(/^(?:current=)?(\d+)/.exec(values['memory'] ?? '')?.[1] ?? 512);
  return mib * MIB;
}
