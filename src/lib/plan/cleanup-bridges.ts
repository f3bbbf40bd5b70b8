/** Which bridges go with the selected stands: ours, and named by no guest that stays. */
import type { CleanupContext } from './cleanup-context.ts';
import type { PlannedRemoval } from './cleanup-users.ts';
import { isOlder, parseBridgeMark, sinceOf } from './marks.ts';
import { compareNatural } from './order.ts';
import { foreignPending } from './placement.ts';
import { makeStep } from './step.ts';
import type { PlannedBridge, StepOf } from './types.ts';

export interface BridgeRemoval {
  readonly steps: readonly StepOf<'bridge.delete'>[];
  readonly reloads: readonly StepOf<'network.reload'>[];
  /** User → bridges that go. */
  readonly planned: ReadonlyMap<string, readonly PlannedBridge[]>;
  readonly notes: ReadonlyMap<string, readonly string[]>;
  readonly warnings: readonly string[];
}

interface Candidate {
  readonly user: string;
  readonly node: string;
  readonly iface: string;
  readonly ports: string;
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
  const touched = new Map(planned.map(({ stand, removal }) => [stand.pool, removal]));
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
      const mark = parseBridgeMark(comments);
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

/** Unmarked `vmbr1000`+ that only VMs adopted by this plan name: made by the older Python tool. */
function adopted(planned: readonly PlannedRemoval[], context: CleanupContext): Candidate[] {
  if (!context.options.adopt) return [];
  const ownerByVm = new Map<number, string>();
  for (const { stand, removal } of planned) {
    for (const vmid of removal.removed) ownerByVm.set(vmid, stand.user);
  }
  return context.have.networks.flatMap(({ node, bridges }) =>
    bridges.flatMap(({ iface, comments, ports }): Candidate[] => {
      const number = Number(/^vmbr(\d{4})$/.exec(iface)?.[1]);
      if (!(number >= 1000) || comments !== '' || ports !== '') return [];
      const user = context.have.bridgeUse
        .filter((use) => use.node === node && use.bridges.includes(iface))
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

export function planCleanupBridges(
  planned: readonly PlannedRemoval[],
  context: CleanupContext,
): BridgeRemoval {
  const removed = new Set(planned.flatMap(({ removal }) => [...removal.removed]));
  const read = new Set(context.have.bridgeUseNodes);
  const steps: StepOf<'bridge.delete'>[] = [];
  const going = new Map<string, PlannedBridge[]>();
  const notes = new Map<string, string[]>();
  const warnings: string[] = [];
  const note = (user: string, text: string): void => void notes.set(user, [...(notes.get(user) ?? []), text]);
  const candidates = [...marked(planned, context), ...adopted(planned, context)].sort(
    (a, b) => compareNatural(a.node, b.node) || compareNatural(a.iface, b.iface),
  );
  for (const { user, node, iface, ports, alias, comment, reason } of candidates) {
    const pending = foreignPending(node, context.have);
    const users = context.have.bridgeUse.filter(
      (use) => use.node === node && (use.bridges.includes(iface) || use.bridges.includes('*')),
    );
    const staying = users.filter((use) => !removed.has(use.vmid)).map((use) => use.vmid);
    if (!read.has(node)) note(user, `bridge ${iface} on ${node} stays: the guests there cannot be read`);
    else if (staying.length > 0)
      note(user, `bridge ${iface} on ${node} stays: guest ${staying.join(', ')} names it`);
    else if (ports !== '') note(user, `bridge ${iface} on ${node} stays: somebody gave it the port ${ports}`);
    else if (pending !== undefined) note(user, `bridge ${iface} on ${node} stays: ${pending}`);
    else {
      const dependsOn = users.map((use) => `vm.delete:${use.vmid}`);
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
  return { steps, reloads: reloadsFor(steps, context), planned: going, notes, warnings };
}

/** Removals of ours that an earlier run staged and did not apply. */
function stagedRemovals(node: string, context: CleanupContext): string[] {
  const rows = context.have.networks.find((network) => network.node === node)?.pending ?? [];
  if (rows.some((row) => !row.ours)) return [];
  return rows.filter((row) => row.change === 'removed').map((row) => row.iface);
}

function reloadsFor(
  steps: readonly StepOf<'bridge.delete'>[],
  context: CleanupContext,
): StepOf<'network.reload'>[] {
  const nodes = context.have.networks.map(({ node }) => node).sort(compareNatural);
  return nodes.flatMap((node) => {
    const edits = steps.filter((step) => step.node === node);
    const staged = stagedRemovals(node, context);
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
