/** Why a guest stays, on any platform: one named rule each. What only a platform knows is its own room's. */
import { isLastResort, isMending, type Purpose } from '../constraints.ts';
import type { Guest } from '../types.ts';
import type { World } from '../world.ts';

export function ignored({ vmid }: Guest, { rules }: World): string | undefined {
  const rule = rules.ignored.get(vmid);
  return rule === undefined ? undefined : `is left alone by rule ${rule}`;
}

/** Any move would break one of them. */
export function contradicted({ vmid }: Guest, { rules }: World): string | undefined {
  const text = rules.contradicted.get(vmid);
  return text === undefined ? undefined : `is left alone, as rules contradict each other: ${text}`;
}

export function busy({ vmid }: Guest, { history }: World): string | undefined {
  const task = history.of.get(vmid)?.busy;
  return task === undefined ? undefined : `is being worked on (${task})`;
}

export function noMove({ vmid }: Guest, { stands, closed }: World): string | undefined {
  const stand = stands.get(vmid);
  return stand && closed.labs.get(stand.lab);
}

export function ago(iso: string, { now }: World): string {
  const minutes = Math.max(Math.round((Date.parse(now) - Date.parse(iso)) / 60_000), 0);
  return minutes < 120 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
}

/** A stand that is torn apart does not wait; an order to empty a node sends others first. */
export function cooldown({ vmid }: Guest, world: World, purpose: Purpose): string | undefined {
  const moved = world.history.of.get(vmid)?.moved;
  if (!moved || isMending(purpose) || isLastResort(purpose)) return undefined;
  const from = moved.from === undefined ? '' : ` from ${moved.from}`;
  return `moved ${ago(moved.end ?? moved.start, world)}${from} (cooldown)`;
}

export function blacklisted({ vmid }: Guest, world: World, purpose: Purpose): string | undefined {
  const failed = world.history.of.get(vmid)?.failed;
  if (!failed || isLastResort(purpose)) return undefined;
  const what = failed.status === 'timeout' ? 'timed out' : 'failed';
  return `its last migration ${what} ${ago(failed.end ?? failed.start, world)}${failed.error === undefined ? '' : `: ${failed.error}`} (blacklist)`;
}

export function vetoed({ vmid }: Guest, { vetoes }: World): string | undefined {
  return vetoes.get(vmid)?.find(({ target }) => target === undefined)?.reason;
}

export function sourceExcluded({ node }: Guest, { config }: World): string | undefined {
  return config.excludeSource.includes(node) ? `is on ${node}, which is excluded as a source` : undefined;
}

export function sourceOffline({ node }: Guest, { nodes }: World): string | undefined {
  return nodes.get(node)?.online === true ? undefined : `is on ${node}, which is offline`;
}

export function unknownLoad({ loadUnknown }: Guest, _: World, purpose: Purpose): string | undefined {
  return loadUnknown === true && !isMending(purpose) ? 'takes nobody knows how much of its node' : undefined;
}
