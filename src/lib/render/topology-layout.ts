/** Where the boxes and lines of a topology go, by dagre. Same topology, same picture. */
import { Graph, layout } from '@dagrejs/dagre';
import type { Topology, TopologyLink, TopologyNetwork } from '../plan/views/topology-types.ts';
import type { DeviceType } from '../config/types.ts';
import { escapeControl } from './escape.ts';
import { displayWidth } from './layout.ts';
import type { PictureTexts } from './languages/report-texts.ts';
import { linkWords, machineWords, networkWords } from './topology-words.ts';

export type BoxKind = 'machine' | Exclude<DeviceType, 'linux'> | TopologyNetwork['kind'];

export interface PlacedBox {
  readonly kind: BoxKind;
  /** Escaped for a terminal only. */
  readonly lines: readonly string[];
  /** The middle. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedLink {
  readonly text: string;
  readonly isDown: boolean;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** The middle of the text, and how wide it is. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export interface PlacedTopology {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly PlacedBox[];
  readonly links: readonly PlacedLink[];
}

/** Wider than letters are in any font that a browser takes for sans-serif, so that no text leaves its box. */
const LETTER = 7.4;
/** Height of a line of text in a box. */
export const LINE = 17;
const PAD = 12;
/** The same of the smaller text beside a line. */
const SMALL_LETTER = 6.4;
export const LINK_LINE = 16;

/** A name that fills the page helps nobody. */
const MOST_LETTERS = 40;

function shorten(text: string): string {
  const letters = escapeControl(text).match(/\P{M}\p{M}*|\p{M}+/gu) ?? [];
  return letters.length <= MOST_LETTERS
    ? letters.join('')
    : `${letters.slice(0, MOST_LETTERS - 1).join('')}…`;
}

interface Box extends Pick<PlacedBox, 'kind' | 'lines'> {
  readonly id: string;
}

function boxesOf({ machines, networks }: Topology, texts: PictureTexts): Box[] {
  return [
    ...networks.map((network) => ({
      ...{ id: `n ${network.name}`, kind: network.kind },
      lines: networkWords(network, texts).map(shorten),
    })),
    ...machines.map((machine) => ({
      ...{
        id: `m ${machine.name}`,
        kind: machine.device === 'linux' ? ('machine' as const) : machine.device,
      },
      lines: machineWords(machine, texts).map(shorten),
    })),
  ];
}

/**
 * Ranks run away from the world: what an uplink is plugged into comes next, then its networks, and so on. Of a lab
 * without a way out the first network is the beginning.
 */
function ranks({ machines, networks, links }: Topology): ReadonlyMap<string, number> {
  const near = new Map<string, string[]>();
  for (const { machine, network } of links) {
    for (const [from, to] of [
      [`m ${machine}`, `n ${network}`],
      [`n ${network}`, `m ${machine}`],
    ] as const)
      near.set(from, [...(near.get(from) ?? []), to]);
  }
  const found = new Map<string, number>();
  const spread = (start: readonly string[]): void => {
    let at = 0;
    for (let edge = start.filter((id) => !found.has(id)); edge.length > 0; at += 1) {
      for (const id of edge) found.set(id, at);
      edge = [...new Set(edge.flatMap((id) => near.get(id) ?? []))].filter((id) => !found.has(id));
    }
  };
  spread(networks.filter(({ kind }) => kind === 'uplink').map(({ name }) => `n ${name}`));
  for (const { name } of networks) spread([`n ${name}`]);
  for (const { name } of machines) spread([`m ${name}`]);
  return found;
}

/** From the end that is nearer to the world. */
function endsOf({ machine, network }: TopologyLink, rank: ReadonlyMap<string, number>): [string, string] {
  const [m, n] = [`m ${machine}`, `n ${network}`];
  return (rank.get(n) ?? 0) <= (rank.get(m) ?? 0) ? [n, m] : [m, n];
}

/** Pixels; what is wider is unreadable on a sheet of paper, and has to be scrolled on any screen. */
const WIDEST = 1300;

export function layOut(topology: Topology, texts: PictureTexts): PlacedTopology {
  const down = layOutAlong('TB', topology, texts);
  if (down.width <= WIDEST) return down;
  // Many machines beside each other: below each other, they take pages, and can be read.
  const across = layOutAlong('LR', topology, texts);
  return across.width < down.width ? across : down;
}

function layOutAlong(rankdir: 'TB' | 'LR', topology: Topology, texts: PictureTexts): PlacedTopology {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir, nodesep: 28, edgesep: 16, ranksep: 46, marginx: 12, marginy: 12 });
  const boxes = boxesOf(topology, texts);
  const rank = ranks(topology);
  for (const { id, lines } of boxes) {
    const width = Math.max(...lines.map((line) => displayWidth(line))) * LETTER + 2 * PAD;
    graph.setNode(id, { width: Math.max(90, Math.ceil(width)), height: lines.length * LINE + PAD });
  }
  topology.links.forEach((link, at) => {
    const [from, to] = endsOf(link, rank);
    const width = Math.ceil(displayWidth(linkWords(link, texts)) * SMALL_LETTER) + 8;
    graph.setEdge(from, to, { width, height: LINK_LINE, labelpos: 'c' }, String(at));
  });
  layout(graph);
  const size = graph.graph();
  return {
    width: Math.ceil(size.width ?? 0),
    height: Math.ceil(size.height ?? 0),
    boxes: boxes.map(({ id, kind, lines }) => {
      const { x = 0, y = 0, width = 0, height = 0 } = graph.node(id);
      return { kind, lines, x, y, width, height };
    }),
    links: topology.links.map((link, at) => {
      const [from, to] = endsOf(link, rank);
      const { points = [], x = 0, y = 0, width = 0 } = graph.edge(from, to, String(at));
      return { text: linkWords(link, texts), isDown: link.isDown, points, x, y, width };
    }),
  };
}
