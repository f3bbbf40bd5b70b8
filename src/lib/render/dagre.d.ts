/** As much of dagre as is used: its own declarations import without extensions, which Node's rules do not resolve. */
declare module '@dagrejs/dagre' {
  interface Placed {
    readonly x?: number;
    readonly y?: number;
    readonly width?: number;
    readonly height?: number;
  }

  interface PlacedEdge extends Placed {
    readonly points?: readonly { readonly x: number; readonly y: number }[];
  }

  export class Graph {
    constructor(options: { readonly multigraph: boolean });
    setGraph(options: Readonly<Record<string, string | number>>): void;
    setNode(id: string, size: Placed): void;
    setEdge(from: string, to: string, size: Placed & { readonly labelpos: string }, name: string): void;
    graph(): Placed;
    node(id: string): Placed;
    edge(from: string, to: string, name: string): PlacedEdge;
  }

  export function layout(graph: Graph): void;
}
