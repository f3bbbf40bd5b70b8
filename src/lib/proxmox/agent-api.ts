/** Endpoints of the guest agents inside virtual machines. What they answer is a student's word. Must not decide anything. */
import { isIP } from 'node:net';
import { isRecord } from './answer.ts';
import { path } from './form.ts';
import type { Requests } from './http.ts';
import type { PveApi } from './types.ts';
import { isAgentOff, isAgentSilent } from './words.ts';

/** Of one machine; a guest could tell of any number. */
const MOST_ADDRESSES = 16;

export function agentApi(http: Requests): Pick<PveApi, 'agentAddresses'> {
  return {
    agentAddresses: async (node, vmid, signal) => {
      try {
        const url = path`/nodes/${node}/qemu/${vmid}/agent/network-get-interfaces`;
        return addressesIn((await http.get(url, {}, signal)).data);
      } catch (error) {
        if (isAgentOff(error)) return 'off';
        if (isAgentSilent(error)) return 'silent';
        throw error;
      }
    },
  };
}

/** A guest says what it likes: what is not as the agent's protocol has it is left out. */
function addressesIn(data: unknown): string[] {
  const list = isRecord(data) && Array.isArray(data['result']) ? (data['result'] as unknown[]) : [];
  const nics = list.filter(isRecord).filter((nic) => nic['name'] !== 'lo');
  const rows = nics.flatMap((nic) =>
    Array.isArray(nic['ip-addresses']) ? (nic['ip-addresses'] as unknown[]).filter(isRecord) : [],
  );
  const texts = rows.flatMap((row) => (typeof row['ip-address'] === 'string' ? [row['ip-address']] : []));
  // Every interface has a link-local one, and nobody reaches it from elsewhere.
  return texts.filter((text) => isIP(text) !== 0 && !/^fe80:/i.test(text)).slice(0, MOST_ADDRESSES);
}
