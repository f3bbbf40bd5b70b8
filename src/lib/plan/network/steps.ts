/**
 * How a network comes, changes, goes, and is put into force: nobody else makes such a step, whatever the network is for.
 * Does not decide whether.
 */
import type { BridgeInfo } from '../../inventory/types.ts';
import { formatBridgeMark, type BridgeMark } from '../../marks/bridge.ts';
import { sortedUnique } from '../../order.ts';
import {
  makesNetwork,
  networkDeed,
  type NetworkApply,
  type NetworkEdit,
  type NetworkMake,
  type NetworkRemoval,
} from '../document/network-steps.ts';
import { makeStep, stepId, type StepFrame } from '../document/step.ts';

interface Made {
  readonly node: string;
  readonly iface: string;
  readonly vlanAware: boolean;
  readonly mark: BridgeMark;
  readonly since: string;
  /** VMIDs that may name it before it is made. */
  readonly own?: readonly number[];
}

interface Present {
  readonly node: string;
  readonly info: Pick<BridgeInfo, 'iface' | 'comments'>;
}

export function makeNetwork(
  { node, iface, vlanAware, mark, since, own }: Made,
  frame: StepFrame,
): NetworkMake {
  return makeStep('bridge.create', `${node}/${iface}`, frame, {
    ...{ node, bridge: iface, vlanAware },
    comment: formatBridgeMark(iface, mark, since),
    ...(own === undefined ? {} : { own }),
  });
}

/** `newComment`: the mark of whose it becomes. */
export function changeNetwork(
  { node, info: { iface, comments } }: Present,
  change: { readonly vlanAware?: true; readonly newComment?: string },
  frame: StepFrame,
): NetworkEdit {
  const payload = { node, bridge: iface, comment: comments, ...change };
  return makeStep('bridge.update', `${node}/${iface}`, frame, payload);
}

export function removeNetwork(
  { node, info: { iface, comments } }: Present,
  frame: StepFrame,
): NetworkRemoval {
  return makeStep('bridge.delete', `${node}/${iface}`, frame, { node, bridge: iface, comment: comments });
}

/**
 * What a machine waits for that is to be on a network which is not up: the steps that make or change it, and the one that
 * puts them into force before machines come, the first on its node.
 */
export function upAfter(node: string, edits: readonly NetworkEdit[]): string[] {
  return [...edits.map(({ id }) => id), stepId('network.reload', node)];
}

/** With the machines that may name it before it is made: one that somebody removed is made again under its name. */
export function namedBy(steps: readonly NetworkEdit[], own: readonly number[]): NetworkEdit[] {
  return steps.map((step) => (makesNetwork(step) ? { ...step, own } : step));
}

type ByNode = ReadonlyMap<string, readonly string[]>;

/** What one step puts into force. */
interface Force {
  readonly node: string;
  readonly edits: readonly (NetworkEdit | NetworkRemoval)[];
}

/** `key`: of a node that is reloaded a second time. */
export type ForceFrame = (force: Force) => StepFrame & { readonly key?: string };

/**
 * Once for each node on which something is staged, in natural order. `up`, `gone`: names that have to be so afterwards,
 * beside what `edits` make and remove. Goes ahead however the edits have ended; where its frame says on what it depends,
 * not without that.
 */
export function putIntoForce(
  {
    edits,
    up = new Map(),
    gone = new Map(),
  }: { readonly edits: Force['edits']; readonly up?: ByNode; readonly gone?: ByNode },
  frameOf: ForceFrame,
): NetworkApply[] {
  const nodes = sortedUnique([...edits.map(({ node }) => node), ...up.keys(), ...gone.keys()]);
  return nodes.flatMap((node) => {
    const own = edits.filter((step) => step.node === node);
    const removed = own.filter((step) => networkDeed(step) === 'remove');
    const made = own.filter((step) => networkDeed(step) !== 'remove');
    const bridges = sortedUnique([...(up.get(node) ?? []), ...made.map(({ bridge }) => bridge)]);
    const away = sortedUnique([...(gone.get(node) ?? []), ...removed.map(({ bridge }) => bridge)]);
    if (bridges.length + away.length === 0) return [];
    const { key = node, ...frame } = frameOf({ node, edits: own });
    const after = frame.dependsOn ? {} : { after: own.map(({ id }) => id) };
    const payload = { node, bridges, ...(away.length === 0 ? {} : { gone: away }) };
    return [makeStep('network.reload', key, { ...after, ...frame }, payload)];
  });
}
