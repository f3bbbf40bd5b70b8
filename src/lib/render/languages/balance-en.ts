/** Balance in English: the planner's own sentences. */
import type { BalanceTexts } from './balance-texts.ts';

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;

const MOVE_WORDS = {
  moved: 'moved',
  partial: 'partly moved',
  failed: 'failed',
  skipped: 'not done',
  planned: 'planned',
} as const;

const TITLES: Readonly<Record<string, string>> = {
  done: 'balance: done',
  partial: 'balance: partly done',
  failed: 'balance: nothing could be moved',
  interrupted: 'balance: interrupted',
};

export const balanceEn: BalanceTexts = {
  head: ['NODE', 'CPU', 'MEMORY', 'LOAD/CORE', 'GUESTS'],
  vcpus: 'VCPU/CORE',
  before: 'before',
  after: 'after',
  planned: 'planned',
  offline: 'offline',
  maintenance: 'maintenance',
  breach: (text) => text,
  otherNodes: (number, cpu, memory) =>
    `${count(number, 'other node', 'other nodes')}: CPU ${cpu}, memory ${memory}`,
  moveWord: (status) => MOVE_WORDS[status],
  guestWord: (status, node) => `${status}, on ${node ?? 'an unknown node'}`,
  byHa: ', by HA',
  because: ({ reason }) => `because ${reason}`,
  anew: 'because a target failed, and it was planned anew',
  disks: (pairs) => `disks: ${pairs}`,
  restarts: (vmid, size) =>
    `CT ${vmid} is down meanwhile: ${['its shutdown (180 s at most)', ...(size === '' ? [] : [`${size} are copied`]), 'its start'].join(', ')}`,
  moves: 'Moves',
  gap: (percent) => `, within ${percent} % of the least that would do`,
  notMoved: 'Not moved',
  rejected: ({ reason }) => reason,
  several: (number, first) => `${number}, e.g. ${first}`,
  andMore: (first, more) => `${first} and ${more} more`,
  stuck: 'Stuck stands',
  warning: 'Warning',
  historyGone: (moment) => `the history of migrations before ${moment} is gone`,
  stays: (number, nodes, ids) => `${count(number, 'guest stays', 'guests stay')} on ${nodes}: ${ids}`,
  toMove: (number) => `${count(number, 'guest', 'guests')} to move`,
  moved: (number) => `${count(number, 'guest', 'guests')} moved`,
  failed: (number) => `${number} failed`,
  notDone: (number) => `${number} not done`,
  imbalance: 'imbalance',
  deferred: (number) => `${count(number, 'move', 'moves')} left for the next run`,
  title: (status) => TITLES[status],
  dryRun: 'dry run: ',
  verdict: ({ reason }) => reason,
  more: (number) => `… and ${number} more`,
  titled: (connection, text) =>
    connection === '' ? `deploy-stand balance: ${text}` : `deploy-stand balance, ${connection}: ${text}`,
  movedTo: ({ vmid, node, target, seconds }) => `VM ${vmid} moved from ${node} to ${target} in ${seconds} s`,
  failure: (what) => `FAILED: ${what}`,
  status: (status) => status,
  imbalanceWas: (value) => `imbalance was ${value}`,
};
