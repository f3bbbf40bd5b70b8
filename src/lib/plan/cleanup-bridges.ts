/** Which bridges go with the selected stands: ours, and named by no guest that stays. */
import { stepId, makeStep, type StepOf } from './document/step.ts';
import type { Inventory, PendingRow } from '../inventory/types.ts';
import { isAdoptableBridge, isAdoptableName } from './adopt.ts';
import type { CleanupContext } from './cleanup-context.ts';
import type { PlannedRemoval } from './cleanup-users.ts';
import { isOlder, sinceOf } from '../marks/time.ts';
import { parseBridgeMark } from '../marks/bridge.ts';
import { compareNatural } from '../order.ts';
import { foreignPendingOn } from './network/foreign-pending.ts';
import type { PlannedBridge, Refusal } from './document/plan.ts';

export interface BridgeRemoval {
  readonly steps: readonly StepOf<'bridge.delete'>[];
  readonly reloads: readonly StepOf<'network.reload'>[];
  /** User → bridges that go. */
  readonly planned: ReadonlyMap<string, readonly PlannedBridge[]>;
  readonly notes: ReadonlyMap<string, readonly string[]>;
  /** User → why bridges that should go stay in this run, which ends "partial". */
  readonly refused: ReadonlyMap<string, Refusal>;
}

interface Candidate {
  readonly user: string;
  readonly node: string;
  readonly iface: string;
  readonly ports: readonly string[];
  readonly alias: string;
  readonly comment: string;
  readonly reason: string;
}

/** Is this bridge of a stand among those selected? */
function isSelected(
  mark: { readonly lab: string; readonly user: string },
  planned: readonly PlannedRemoval[],
): boolean {
  return planned.some(({ stand }) => stand.user === mark.user && (stand.labs?.has(mark.lab) ?? true));
}

/** Labs that users still have after the cleanup, as `lab user`. */
function remainingStands(planned: readonly PlannedRemoval[], context: CleanupContext): Set<string> {
  const touched = new Map(
    planned.flatMap(({ stand, removal }) => (stand.mark ? [[stand.pool, removal]] : [])),
  );
  return new Set(
    [...context.index.marks].flatMap(([pool, mark]) =>
      (touched.get(pool)?.left ?? mark.claims).map((claim) => `${claim.lab} ${mark.user ?? ''}`),
    ),
  );
}

function isOld(comment: string, { have, options }: CleanupContext): boolean {
  return isOlder(sinceOf(comment), options.minAgeSeconds, have.now);
}

function marked(planned: readonly PlannedRemoval[], context: CleanupContext): Candidate[] {
  const orphansOnly = context.selection.by === 'orphans';
  const living = orphansOnly ? remainingStands(planned, context) : new Set<string>();
  return context.have.networks.flatMap(({ node, bridges }) =>
    bridges.flatMap(({ iface, comments, ports }): Candidate[] => {
      const mark = parseBridgeMark(iface, comments);
      if (mark?.kind !== 'stand' || !isSelected(mark, planned)) return [];
      if (orphansOnly && (!isOld(comments, context) || living.has(`${mark.lab} ${mark.user}`))) return [];
      return [
        {
          user: mark.user,
          node,
          iface,
          ports,
          alias: mark.net,
          comment: comments,
          reason: 'no guest names it any more',
        },
      ];
    }),
  );
}

/**
 * The staged removal of a bridge without mark, ports and comment: with `--adopt` it is what a killed cleanup left.
 * Otherwise it is somebody else's.
 */
function withAdoptedEdits(have: Inventory): Inventory {
  const isAdopted = ({ iface, change, text }: PendingRow): boolean =>
    change === 'removed' &&
    isAdoptableName(iface) &&
    /^-\s*bridge[-_]ports none\s*$/m.test(text) &&
    !/^-#/m.test(text);
  return {
    ...have,
    networks: have.networks.map((network) => ({
      ...network,
      pending: network.pending.map((row) => (isAdopted(row) ? { ...row, ours: true } : row)),
    })),
  };
}

/** Unmarked `vmbr1000`+ that VMs adopted by this plan name, and later none that stays: made by the older Python tool. */
function adopted(planned: readonly PlannedRemoval[], context: CleanupContext): Candidate[] {
  if (!context.options.adopt) return [];
  const ownerByVm = new Map<number, string>();
  for (const { stand, removal } of planned) {
    for (const vmid of removal.adopted) ownerByVm.set(vmid, stand.user);
  }
  return context.have.networks.flatMap(({ node, bridges }) =>
    bridges.flatMap((info): Candidate[] => {
      if (!isAdoptableBridge(info)) return [];
      const { iface, ports } = info;
      const user = context.have.bridgeUse
        .filter((use) => use.node === node && use.bridges.includes(iface))
        .sort((a, b) => a.vmid - b.vmid)
        .map((use) => ownerByVm.get(use.vmid))
        .find((owner) => owner !== undefined);
      if (user === undefined) return [];
      return [
        {
          user,
          node,
          iface,
          ports,
          alias: '',
          comment: '',
          reason: 'no mark; adopted: only VMs removed here name it',
        },
      ];
    }),
  );
}

const HIDDEN = 'guests may be hidden from the caller, who lacks VM.Audit on /vms';

/** The way out, by code. */
const HINTS = {
  FOREIGN_PENDING_CHANGES: (node: string) =>
    `apply or revert them in ${node} → System → Network, then run cleanup again`,
  GUESTS_UNREADABLE: (node: string) =>
    `see that ${node} is online and all its guests may be read, then run cleanup again`,
  GUESTS_HIDDEN: () => 'give the caller VM.Audit on /vms, with propagation, then run cleanup again',
} as const;

export function planCleanupBridges(
  planned: readonly PlannedRemoval[],
  context: CleanupContext,
): BridgeRemoval {
  const removed = new Set(planned.flatMap(({ removal }) => [...removal.removed]));
  const have = context.options.adopt ? withAdoptedEdits(context.have) : context.have;
  const read = new Set(have.bridgeUseNodes);
  const steps: StepOf<'bridge.delete'>[] = [];
  const going = new Map<string, PlannedBridge[]>();
  const notes = new Map<string, string[]>();
  const refused = new Map<string, Refusal>();
  const refuse = (user: string, code: keyof typeof HINTS, iface: string, node: string, why: string): void => {
    const hint = HINTS[code](node);
    if (!refused.has(user))
      refused.set(user, { code, message: `bridge ${iface} on ${node} stays: ${why}`, hint });
  };
  const note = (user: string, text: string): void => void notes.set(user, [...(notes.get(user) ?? []), text]);
  const candidates = [...marked(planned, context), ...adopted(planned, context)].sort(
    (a, b) => compareNatural(a.node, b.node) || compareNatural(a.iface, b.iface),
  );
  for (const { user, node, iface, ports, alias, comment, reason } of candidates) {
    const pending = foreignPendingOn(node, have.networks);
    const users = have.bridgeUse
      .filter((use) => use.node === node && (use.bridges.includes(iface) || use.bridges.includes('*')))
      .sort((a, b) => a.vmid - b.vmid);
    const staying = users.filter((use) => !removed.has(use.vmid)).map((use) => use.vmid);
    if (!read.has(node)) refuse(user, 'GUESTS_UNREADABLE', iface, node, 'the guests there cannot be read');
    else if (have.hidden?.guests === true) refuse(user, 'GUESTS_HIDDEN', iface, node, HIDDEN);
    else if (staying.length > 0)
      note(user, `bridge ${iface} on ${node} stays: guest ${staying.join(', ')} names it`);
    else if (ports.length > 0)
      note(user, `bridge ${iface} on ${node} stays: somebody gave it the port ${ports.join(' ')}`);
    else if (pending !== undefined) refuse(user, 'FOREIGN_PENDING_CHANGES', iface, node, pending);
    else {
      const dependsOn = users.map((use) => stepId('vm.delete', use.vmid));
      steps.push(
        makeStep(
          'bridge.delete',
          `${node}/${iface}`,
          { user, reason, dependsOn },
          { node, bridge: iface, comment },
        ),
      );
      going.set(user, [...(going.get(user) ?? []), { node, iface, alias }]);
    }
  }
  return { steps, reloads: reloadsFor(steps, have), planned: going, notes, refused };
}

/** Removals of ours that an earlier run staged and did not apply. */
function stagedRemovals(node: string, have: Inventory): string[] {
  const rows = have.networks.find((network) => network.node === node)?.pending ?? [];
  if (rows.some((row) => !row.ours)) return [];
  return rows.filter((row) => row.change === 'removed').map((row) => row.iface);
}

function reloadsFor(steps: readonly StepOf<'bridge.delete'>[], have: Inventory): StepOf<'network.reload'>[] {
  const nodes = have.networks.map(({ node }) => node).sort(compareNatural);
  return nodes.flatMap((node) => {
    const edits = steps.filter((step) => step.node === node);
    const staged = stagedRemovals(node, have);
    const gone = [...new Set([...edits.map((step) => step.bridge), ...staged])].sort(compareNatural);
    if (gone.length === 0) return [];
    const reason =
      edits.length > 0 ? 'once, for all of them' : 'an earlier run staged this and did not apply it';
    return [
      makeStep(
        'network.reload',
        node,
        { reason, after: edits.map((step) => step.id) },
        { node, bridges: [], gone },
      ),
    ];
  });
}
