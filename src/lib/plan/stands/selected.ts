/** The selected stands as they are: what commands on stands plan from, and what status shows. Plans nothing. */
import type { GuestInfo, VmConfig } from '../../inventory/types.ts';
import type { Claim } from '../../marks/pool.ts';
import { mayBeMachine } from '../../pve-values/guest-kinds.ts';
import type { ClusterView } from '../cluster/view.ts';
import { judgeClaimed } from './judge.ts';
import { claimedIds, isWritable, type ClaimedId, type Verdict } from './ownership.ts';
import { selectedClaims, type SelectedClaim, type StandSelection } from './selection.ts';
import { machineOf } from './which-machine.ts';

export interface StandMachine {
  readonly vmid: number;
  /** By the claim; of those of 0.1.0, which wrote no names, by notes and name, where they are ours and have been read. */
  readonly machine?: string;
  readonly state: ClaimedId['state'];
  /** Whose it is. Only `ours` and `unjoined` are written to. */
  readonly verdict: Verdict;
  /** Absent: nothing is there. */
  readonly guest?: GuestInfo;
  /** Where it was read. */
  readonly config?: VmConfig;
  /** False: of a selected stand, but left out by `--machine` or `--node`. */
  readonly isSelected: boolean;
}

export interface StandView extends SelectedClaim {
  /** Where it is, or, while nothing of it exists, was to be. */
  readonly node?: string;
  /** Nodes of its machines, each once; more than one: it is torn. */
  readonly nodes: readonly string[];
  /** In the order of their VMIDs. */
  readonly machines: readonly StandMachine[];
}

/** Of these the verdict needs the configuration: seals and the notes of 0.1.0 are in there. */
export function undecidedVmids(claim: Claim, guests: ReadonlyMap<number, GuestInfo>): number[] {
  return claimedIds(claim).flatMap(({ state, vmid }) => {
    const guest = guests.get(vmid);
    return state !== 'made' && guest && mayBeMachine(guest) ? [vmid] : [];
  });
}

/** As a deploy takes them (stands/state.ts): of two that say the same the first is it. */
function nameUnnamed(
  judged: readonly { readonly id: ClaimedId; readonly verdict: Verdict }[],
  lab: string,
  { configs }: ClusterView,
): ReadonlyMap<number, string> {
  const told = new Set(judged.flatMap(({ id }) => id.machine ?? []));
  const names = new Map<number, string>();
  for (const { id, verdict } of judged) {
    const config = configs.get(id.vmid);
    const name = config && isWritable(verdict) ? machineOf(id, config, lab) : id.machine;
    if (name === undefined || (id.machine === undefined && told.has(name))) continue;
    told.add(name);
    names.set(id.vmid, name);
  }
  return names;
}

function toView(
  selected: SelectedClaim,
  selection: StandSelection,
  index: ClusterView,
  isCloning: boolean | undefined,
): StandView {
  const { claim } = selected;
  const judged = claimedIds(claim).map((id) => ({
    id,
    verdict: judgeClaimed(id, selected, index, isCloning),
    guest: index.guests.get(id.vmid),
  }));
  // Somebody else's guest at an id of ours does not tell where the stand is.
  const own = judged.flatMap(({ verdict, guest }) => (guest && verdict !== 'foreign' ? [guest.node] : []));
  const nodes = [...new Set(own)];
  const node = nodes[0] ?? claim.node;
  const isPicked = (machine: string | undefined, at: string | undefined): boolean =>
    (selection.machines === undefined || selection.machines.includes(machine ?? '')) &&
    (selection.nodes === undefined || selection.nodes.includes(at ?? ''));
  const names = nameUnnamed(judged, claim.lab, index);
  const machines = judged.map(({ id, verdict, guest }): StandMachine => {
    const config = index.configs.get(id.vmid);
    const machine = names.get(id.vmid);
    return {
      vmid: id.vmid,
      ...(machine === undefined ? {} : { machine }),
      state: id.state,
      verdict,
      ...(guest ? { guest } : {}),
      ...(config ? { config } : {}),
      isSelected: isPicked(machine, guest?.node ?? node),
    };
  });
  return { ...selected, ...(node === undefined ? {} : { node }), nodes, machines };
}

/**
 * By user and pool; without those of which `--machine` and `--node` leave nothing. `isCloning`: is any clone under way in
 * the cluster? Absent: nobody asked.
 */
export function viewStands(selection: StandSelection, index: ClusterView, isCloning?: boolean): StandView[] {
  const isNarrowed = selection.machines !== undefined || selection.nodes !== undefined;
  return selectedClaims(selection, index.marks)
    .map((selected) => toView(selected, selection, index, isCloning))
    .filter(({ machines }) => !isNarrowed || machines.some(({ isSelected }) => isSelected));
}

/** The machines of a stand that a command may act on. */
export function actionable({ machines }: StandView): (StandMachine & { readonly guest: GuestInfo })[] {
  return machines.flatMap((one) =>
    one.isSelected && one.guest && isWritable(one.verdict) ? [{ ...one, guest: one.guest }] : [],
  );
}
