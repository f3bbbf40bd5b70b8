/** Endpoints of the guest agents inside virtual machines. What they answer is a student's word. Must not decide anything. */
import { isIP } from 'node:net';
import { isRecord } from './answer.ts';
import { AnswerTooLargeError } from './errors.ts';
import { guestPath } from './guest-path.ts';
import type { Requests } from './http.ts';
import { compact } from '../compact.ts';
import type { AgentAnswer, AgentProcess, PveApi } from './types.ts';
import { agentRefusal, isAgentOff, isAgentSilent } from './words.ts';

/** Of one machine; a guest could tell of any number. */
const MOST_ADDRESSES = 16;

/** What one process may have printed, JSON's escapes included. The agent itself keeps 16 MiB. */
const MOST_OUTPUT_BYTES = 1024 * 1024;

/** `takesArrays`: before PVE 8 a command is one text that is split, unless NULs do it. */
export function agentApi(
  http: Requests,
  takesArrays: (signal?: AbortSignal) => Promise<boolean>,
): Pick<PveApi, 'agentAddresses' | 'agentExec' | 'agentExecStatus'> {
  const inWords = async (argv: readonly string[], signal?: AbortSignal): Promise<readonly string[]> => {
    const isOne = argv.length === 1 && /[\s,;]/.test(argv[0] ?? '');
    // Two make a NUL, and the empty one at the end is lost again.
    return isOne && !(await takesArrays(signal)) ? [...argv, ''] : argv;
  };
  return {
    agentExec: async (guest, argv, signal) => {
      const command = { each: await inWords(argv, signal) };
      const url = `${guestPath(guest)}/agent/exec`;
      return asked(async () => pidIn((await http.post(url, { command }, signal)).data));
    },
    agentExecStatus: async (guest, pid, signal) => {
      const url = `${guestPath(guest)}/agent/exec-status`;
      return asked(async () => {
        try {
          return processIn((await http.get(url, { pid }, signal, MOST_OUTPUT_BYTES)).data);
        } catch (error) {
          if (error instanceof AnswerTooLargeError) return 'flood';
          throw error;
        }
      });
    },
    agentAddresses: async (guest, signal) => {
      try {
        const url = `${guestPath(guest)}/agent/network-get-interfaces`;
        return addressesIn((await http.get(url, {}, signal)).data);
      } catch (error) {
        if (isAgentOff(error)) return 'off';
        if (isAgentSilent(error)) return 'silent';
        throw error;
      }
    },
  };
}

/** `undefined`: no agent would say so. */
async function asked<T>(ask: () => Promise<T | undefined>): Promise<AgentAnswer<T>> {
  try {
    const value = await ask();
    return value === undefined ? { kind: 'garbage' } : { kind: 'answer', value };
  } catch (error) {
    if (isAgentOff(error)) return { kind: 'off' };
    const text = agentRefusal(error);
    if (text !== undefined) return { kind: 'refused', text };
    if (isAgentSilent(error)) return { kind: 'silent' };
    throw error;
  }
}

/** A number from 0 on that JSON and JavaScript hold. */
function countIn(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function pidIn(data: unknown): number | undefined {
  return isRecord(data) ? countIn(data['pid']) : undefined;
}

const YES: readonly unknown[] = [true, 1, '1'];
const NO: readonly unknown[] = [false, 0, '0'];

function processIn(data: unknown): AgentProcess | 'running' | undefined {
  if (!isRecord(data)) return undefined;
  if (NO.includes(data['exited'])) return 'running';
  if (!YES.includes(data['exited'])) return undefined;
  const [exit, signal] = [countIn(data['exitcode']), countIn(data['signal'])];
  const [stdout, stderr] = [printed(data['out-data']), printed(data['err-data'])];
  if ((exit === undefined && signal === undefined) || stdout === undefined || stderr === undefined)
    return undefined;
  const isTruncated = YES.includes(data['out-truncated']) || YES.includes(data['err-truncated']);
  return compact({ exit, signal, stdout, stderr, isTruncated });
}

/** PVE decodes the agent's base64 into bytes, and writes each as the character of its number (Agent.pm, qemu_exec_status). */
function printed(data: unknown): string | undefined {
  if (data === undefined || data === null) return '';
  if (typeof data !== 'string') return undefined;
  return /[^\0-\xff]/.test(data) ? data : Buffer.from(data, 'latin1').toString('utf8');
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
