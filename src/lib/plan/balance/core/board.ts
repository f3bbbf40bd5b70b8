/** The cluster while the plan is being made: who is where by now, and what each node carries. Decides nothing. */
import {
  demandOf,
  isBelow,
  loadsOf,
  negative,
  presentDemandOf,
  severityOf,
  sum,
  NO_DEMAND,
  type Demand,
  type Level,
  type Loads,
  type NodeDemand,
} from './load.ts';
import type { World } from './world.ts';

/** What no node measures. */
type Given = { -readonly [K in 'committed' | 'vcpus' | 'guests']: number };

/** A search moves guests to and fro hundreds of thousands of times: it is added up in place. */
interface State {
  readonly demand: { -readonly [K in keyof Demand]: number } & Pick<NodeDemand, 'node' | 'measured'>;
  /** What was asked for since it last changed. */
  loads: Loads | undefined;
  below: { [K in Level]?: boolean };
}

export class Board {
  readonly #world: World;
  readonly #nodes = new Map<string, State>();
  readonly #where = new Map<number, string>();
  /** By node: guests under way of which nobody tells where to, and what they would bring. */
  readonly #awaited = new Map<string, { readonly vmids: readonly number[]; readonly demand: Demand }>();
  readonly #antiAffinity = new Map<string, Set<number>>();
  /** Bytes taken by planned copies of local disks, by `node storage`. */
  readonly #copied = new Map<string, number>();

  /** Starts with the migrations that are under way as if they had arrived. */
  constructor(world: World) {
    this.#world = world;
    const given = new Map<string, Given>();
    const coming = new Map<string, Demand>();
    for (const guest of world.guests.values()) {
      this.#where.set(guest.vmid, guest.node);
      this.#joinGroups(guest.vmid, guest.node);
      const own = presentDemandOf(guest);
      let sums = given.get(guest.node);
      if (!sums) given.set(guest.node, (sums = { committed: 0, vcpus: 0, guests: 0 }));
      sums.committed += own.committed;
      sums.vcpus += own.vcpus;
      sums.guests += own.guests;
      if (guest.lessonCpu === undefined) continue;
      const more = sum([demandOf(guest), negative(own)]);
      coming.set(guest.node, sum([coming.get(guest.node) ?? NO_DEMAND, more]));
    }
    for (const node of world.nodes.values()) {
      const { committed = 0, vcpus = 0, guests = 0 } = given.get(node.name) ?? {};
      const measured = {
        ...{ threads: node.cpu * node.cpus, memory: node.memoryUsed },
        ...{ committed, vcpus, guests },
      };
      const expected = sum([measured, coming.get(node.name) ?? NO_DEMAND]);
      this.#nodes.set(node.name, { demand: { node, measured, ...expected }, loads: undefined, below: {} });
    }
    for (const { vmid, to } of world.history.inFlight) {
      if (to === undefined) this.#await(vmid);
      else if (this.#nodes.has(to) && world.guests.has(vmid)) this.move([vmid], to);
    }
  }

  /** It leaves its node, and may arrive anywhere or not at all: each node keeps room for it. */
  #await(vmid: number): void {
    const guest = this.#world.guests.get(vmid);
    if (!guest || this.awaited(guest.node).includes(vmid)) return;
    const own = demandOf(guest);
    this.#add(guest.node, own, -1);
    for (const node of this.#nodes.keys()) {
      const { vmids, demand } = this.#awaited.get(node) ?? { vmids: [], demand: NO_DEMAND };
      this.#awaited.set(node, { vmids: [...vmids, vmid], demand: sum([demand, own]) });
      this.#joinGroups(vmid, node);
    }
  }

  whereIs(vmid: number): string | undefined {
    return this.#where.get(vmid);
  }

  /** Loads of a node, projected. */
  loads(node: string): Loads {
    const state = this.#state(node);
    return (state.loads ??= loadsOf(state.demand));
  }

  /** Loads of a node if this came on top (or went, with negative numbers). */
  loadsWith(node: string, plus: Demand): Loads {
    return loadsOf(this.#state(node).demand, plus);
  }

  /** What a target has to reckon with, `plus` on top: whatever is under way and may arrive there, too. */
  loadsAsTarget(node: string, plus: Demand = NO_DEMAND): Loads {
    const awaited = this.#awaited.get(node);
    if (awaited) return this.loadsWith(node, sum([awaited.demand, plus]));
    return plus === NO_DEMAND ? this.loads(node) : this.loadsWith(node, plus);
  }

  /** Guests under way that may arrive there. */
  awaited(node: string): readonly number[] {
    return this.#awaited.get(node)?.vmids ?? [];
  }

  /** As a target, below all limits of that level? */
  isBelow(node: string, level: Level): boolean {
    const { below } = this.#state(node);
    return (below[level] ??= isBelow(this.loadsAsTarget(node), this.#world.config, level));
  }

  severity(node: string): number {
    return severityOf(this.loads(node), this.#world.config);
  }

  /** As it is now; it changes with every move. */
  demand(node: string): NodeDemand {
    return this.#state(node).demand;
  }

  copied(node: string, storage: string): number {
    return this.#copied.get(`${node} ${storage}`) ?? 0;
  }

  /** Members of an anti-affinity rule on a node. */
  antiMembers(rule: number, node: string): ReadonlySet<number> {
    return this.#antiAffinity.get(`${rule} ${node}`) ?? new Set();
  }

  move(vmids: readonly number[], to: string): void {
    for (const vmid of vmids) {
      const guest = this.#world.guests.get(vmid);
      const from = this.#where.get(vmid);
      if (!guest || from === undefined || from === to) continue;
      const demand = demandOf(guest);
      this.#add(from, demand, -1);
      this.#add(to, demand);
      this.#where.set(vmid, to);
      for (const rule of this.#world.rules.antiAffinity.of.get(vmid) ?? [])
        this.#antiAffinity.get(`${rule} ${from}`)?.delete(vmid);
      this.#joinGroups(vmid, to);
      this.#copyDisks(vmid, from, to);
    }
  }

  #joinGroups(vmid: number, node: string): void {
    for (const rule of this.#world.rules.antiAffinity.of.get(vmid) ?? []) {
      const key = `${rule} ${node}`;
      const members = this.#antiAffinity.get(key) ?? new Set();
      members.add(vmid);
      this.#antiAffinity.set(key, members);
    }
  }

  /** Space on the source is not counted as free again: the copy may fail. Going back undoes the count. */
  #copyDisks(vmid: number, from: string, to: string): void {
    const home = this.#world.guests.get(vmid)?.node;
    for (const { storage, bytes } of this.#world.localVolumes.get(vmid) ?? []) {
      if (to !== home) this.#addCopy(vmid, to, storage, bytes);
      if (from !== home) this.#addCopy(vmid, from, storage, -bytes);
    }
  }

  #addCopy(vmid: number, node: string, storage: string, bytes: number): void {
    const there = this.#world.landing?.(vmid, storage, node) ?? storage;
    this.#copied.set(`${node} ${there}`, this.copied(node, there) + bytes);
  }

  #state(node: string): State {
    const state = this.#nodes.get(node);
    if (!state) throw new RangeError(`no node ${node}`);
    return state;
  }

  #add(name: string, plus: Demand, sign: 1 | -1 = 1): void {
    const state = this.#nodes.get(name);
    if (!state) return;
    const { demand } = state;
    demand.threads += sign * plus.threads;
    demand.memory += sign * plus.memory;
    demand.committed += sign * plus.committed;
    demand.vcpus += sign * plus.vcpus;
    demand.guests += sign * plus.guests;
    state.loads = undefined;
    state.below = {};
  }
}
