/** What is said in a cell of a machine or a stand, in every format and language. */
import type { MachineState, MachineStatus, StandStatus } from '../plan/views/status-types.ts';
import { reportEn } from './languages/report-en.ts';
import type { SpanTexts, StateTexts } from './languages/report-texts.ts';

const EN = reportEn.states;

/** `3d 4h`, `2h 5m`, `12m`. */
export function sayAge(seconds: number | null, { day, hour, minute }: SpanTexts = EN.span): string {
  if (seconds === null) return '-';
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days}${day} ${hours % 24}${hour}`;
  return hours > 0 ? `${hours}${hour} ${minutes % 60}${minute}` : `${minutes}${minute}`;
}

export function shareOf(fraction: number | null): string {
  return fraction === null ? '-' : `${Math.round(fraction * 100)}%`;
}

/** `3 running`, `2 of 3 running, 1 missing`. */
export function machinesText({ machines, running }: StandStatus, texts: StateTexts = EN): string {
  if (machines.length === 0) return texts.none;
  const others = new Map<MachineState, number>();
  for (const { state } of machines) {
    if (state !== 'running') others.set(state, (others.get(state) ?? 0) + 1);
  }
  if (others.size === 0) return texts.allRunning(machines.length);
  const parts = [...others].map(([state, count]) => texts.counted(count, texts.state[state]));
  return (running === 0 ? parts : [texts.someRunning(running, machines.length), ...parts]).join(', ');
}

/** Neither running nor wrong. */
const CALM: ReadonlySet<string> = new Set(['stopped', 'suspended', 'cloning', 'being made', 'being removed']);

const isRunning = ({ state }: MachineStatus): boolean => state === 'running';

/** How its lab has it: nobody has to look. */
const isAsMeant = (one: MachineStatus): boolean => isRunning(one) || one.rests === true;

/** Of one machine, or the worst of several. `calm`: all are as their lab has them, and none runs. */
export function moodOf(machines: readonly MachineStatus[]): 'good' | 'calm' | 'warn' | 'bad' {
  if (machines.every(isAsMeant)) return machines.length === 0 || machines.some(isRunning) ? 'good' : 'calm';
  return machines.every((one) => isAsMeant(one) || CALM.has(one.state)) ? 'warn' : 'bad';
}

export function addressText({ addresses }: MachineStatus, texts: StateTexts = EN): string {
  if (addresses === null || addresses === undefined) return '-';
  const { noAgent, silentAgent, forbidden } = texts;
  if (typeof addresses === 'string') return { off: noAgent, silent: silentAgent, forbidden }[addresses];
  return addresses.length === 0 ? texts.none : addresses.join(' ');
}

export function snapshotText({ snapshots }: MachineStatus, texts: StateTexts = EN): string {
  if (snapshots === null || snapshots === undefined) return '?';
  if (snapshots.length === 0) return texts.none;
  return snapshots.map(({ name, isBaseline }) => (isBaseline ? `${name}*` : name)).join(' ');
}

export function memoryShare({ memory, memoryTotal }: MachineStatus): number | null {
  return memory === null || !memoryTotal ? null : memory / memoryTotal;
}
