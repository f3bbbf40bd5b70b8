/** What a request sent, each parameter as one text. */
import type { SentParams } from '../src/lib/proxmox/form.ts';

export function sentWords(params: SentParams): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, [value].flat().join(' ')]));
}
