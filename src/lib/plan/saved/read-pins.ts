/** The choices that a saved plan made, as wishes to the planner. Believes none of them. */
import { NO_ROOM } from '../placement/capacity-text.ts';
import type { DeployPlan } from '../document/plan.ts';
import { pinnedBridge, pinKey, pinnedReplica, type Pins } from '../cluster/pins.ts';

export function readPins({ since, stands, steps }: DeployPlan): Pins {
  const seated = stands.filter(({ refused }) => refused === undefined);
  return {
    ...(since === undefined ? {} : { since }),
    nodes: new Map(seated.flatMap(({ user, node }) => (node === undefined ? [] : [[user, node]]))),
    leftOut: new Set(stands.filter(({ refused }) => refused?.code === NO_ROOM).map(({ user }) => user)),
    vmids: new Map(
      seated.flatMap(({ user, vms }) => vms.map(({ name, vmid }) => [pinKey(user, name), vmid])),
    ),
    bridges: new Map(
      seated.flatMap(({ user, bridges }) =>
        bridges.map(({ node, alias, iface }) => [pinnedBridge(user, node, alias), iface]),
      ),
    ),
    replicas: new Map(
      steps.flatMap((step) =>
        step.kind === 'template.clone' ? [[pinnedReplica(step.templateVmid, step.home), step.vmid]] : [],
      ),
    ),
  };
}
