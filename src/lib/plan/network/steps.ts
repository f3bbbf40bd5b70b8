/**
 * How a network comes, changes, goes, and is put into force: nobody else makes such a step, whatever the network is for.
 * Does not decide whether.
 */
import type { BridgeInfo } from '../../inventory/types.ts';
import { formatBridgeMark, type BridgeMark } from '../../marks/bridge.ts';
import { sortedUnique } from '../../order.ts';
import {
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

/** Of the step that does so before machines come: the first on its node. */
export function forceId(node: string): string {
  return stepId('network.reload', node);
}

interface Force {
  readonly node: string;
  readonly edits: readonly (NetworkEdit | NetworkRemoval)[];
  /** That have to be up or gone afterwards, beside what `edits` make and remove. */
  readonly up?: readonly string[];
  readonly gone?: readonly string[];
  /** Where the node is reloaded a second time. */
  readonly key?: string;
}

/** After what is staged has ended, however; where the frame says on what it depends, not without that. */
export function putIntoForce(
  { node, edits, up = [], gone = [], key = node }: Force,
  frame: StepFrame,
): NetworkApply {
  const isGoing = (step: (typeof edits)[number]): boolean => networkDeed(step) === 'remove';
  const names = (going: boolean): string[] =>
    edits.flatMap((step) => (isGoing(step) === going ? [step.bridge] : []));
  const away = sortedUnique([...gone, ...names(true)]);
  const after = frame.dependsOn ? {} : { after: edits.map(({ id }) => id) };
  return makeStep(
    'network.reload',
    key,
    { ...after, ...frame },
    {
      node,
      bridges: sortedUnique([...up, ...names(false)]),
      ...(away.length === 0 ? {} : { gone: away }),
    },
  );
}
