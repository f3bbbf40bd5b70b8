/** Puts together what is planned machine by machine: stands with their steps, and what is left undone with its reason. */
import { frozenSince } from '../../marks/pool.ts';
import { machineKind } from '../../pve-values/guest-kinds.ts';
import { machinePower } from '../../pve-values/machine-power.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { PlannedStand, PlannedVm, Refusal } from '../document/plan.ts';
import { refuseWhereNothingRemains } from '../document/refuse.ts';
import type { Step } from '../document/step.ts';
import type { StandMachine, StandView } from '../stands/selected.ts';
import { isReady, machineRefusal, sayMachine, type ReadyMachine } from './machines.ts';

export interface MachineWork {
  readonly steps?: readonly Step[];
  /** It is left as it is, and the run ends "partial". */
  readonly refused?: Refusal;
  readonly notes?: readonly string[];
}

export interface StandsWork {
  readonly stands: readonly PlannedStand[];
  readonly steps: readonly Step[];
}

export interface Judged {
  readonly one: StandMachine;
  readonly why: Refusal;
}

interface SaidOf {
  readonly one: StandMachine;
  readonly text: string;
}

/** What is true of several machines is said once. */
function sayOnce(all: readonly SaidOf[]): string[] {
  const machines = new Map<string, string[]>();
  for (const { one, text } of all) {
    const name = [sayMachine(one), `VM ${one.vmid}`].find((it) => text.startsWith(`${it} `));
    const said = text.slice(name?.length ?? 0);
    machines.set(said, [...(machines.get(said) ?? []), ...(name === undefined ? [] : [name])]);
  }
  return [...machines].map(
    ([said, names]) => `${names.length > 1 ? 'each of ' : ''}${names.join(', ')}${said}`,
  );
}

export function joined(judged: readonly Judged[]): Refusal | undefined {
  const [first] = judged;
  if (!first) return undefined;
  const hints = [...new Set(judged.flatMap(({ why }) => why.hint ?? []))];
  return {
    code: first.why.code,
    message: sayOnce(judged.map(({ one, why }) => ({ one, text: why.message }))).join('; '),
    ...(hints.length === 0 ? {} : { hint: hints.join('; ') }),
  };
}

function toPlannedVm(one: StandMachine, fallback: string): PlannedVm {
  return {
    vmid: one.vmid,
    name: one.machine ?? one.guest?.name ?? `VM ${one.vmid}`,
    node: one.guest?.node ?? fallback,
    state: one.verdict === 'ours' ? 'complete' : 'unfinished',
    power: one.guest ? machinePower(one.guest) : 'missing',
    ...(one.guest ? machineKind(one.guest) : {}),
  };
}

function planStand(
  view: StandView,
  index: ClusterView,
  planMachine: (view: StandView, one: ReadyMachine) => MachineWork,
): { readonly stand: PlannedStand; readonly steps: readonly Step[] } {
  const selected = view.machines.filter(({ isSelected }) => isSelected);
  const works = selected.map((one): MachineWork => {
    const refused = machineRefusal(view, one, index);
    if (refused) return { refused };
    return isReady(one) ? planMachine(view, one) : {};
  });
  const steps = works.flatMap((work) => work.steps ?? []);
  const left = joined(
    selected.flatMap((one, at) => {
      const why = works[at]?.refused;
      return why ? [{ one, why }] : [];
    }),
  );
  const isRefused = left !== undefined && works.every(({ refused }) => refused !== undefined);
  const frozen = frozenSince(index.marks.get(view.pool));
  const stand: PlannedStand = {
    user: view.user,
    pool: view.pool,
    ...(view.node === undefined ? {} : { node: view.node }),
    vms: selected.map((one) => toPlannedVm(one, view.node ?? '')),
    bridges: [],
    ...(frozen === undefined ? {} : { frozen }),
    ...(left ? (isRefused ? { refused: left } : { left }) : {}),
    notes: sayOnce(
      selected.flatMap((one, at) => (works[at]?.notes ?? []).map((text): SaidOf => ({ one, text }))),
    ),
  };
  return { stand, steps };
}

/** Throws PlanRefusedError where nothing can be done for any stand. */
export function planEachMachine(
  views: readonly StandView[],
  index: ClusterView,
  planMachine: (view: StandView, one: ReadyMachine) => MachineWork,
): StandsWork {
  const planned = views.map((view) => planStand(view, index, planMachine));
  const stands = planned.map(({ stand }) => stand);
  refuseWhereNothingRemains(stands);
  return { stands, steps: planned.flatMap(({ steps }) => steps) };
}
