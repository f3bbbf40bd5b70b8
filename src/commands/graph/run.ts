/** What `graph` does with its flags: reads a lab, writes its picture. */
import { UsageError } from '../../lib/errors.ts';
import { viewTopology } from '../../lib/plan/views/topology.ts';
import type { Topology } from '../../lib/plan/views/topology-types.ts';
import { renderTopologySvg, SVG_HEAD } from '../../lib/render/topology-svg.ts';
import { DOT_HEAD, MERMAID_HEAD, renderDot, renderMermaid } from '../../lib/render/topology-text.ts';
import { assertShownFile, writeShownFile } from '../../lib/workflow/shown-file.ts';
import { loadWant } from '../class-files.ts';
import { formatByName } from '../format-by-name.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { createOutput } from '../output.ts';
import { outerBridges } from '../session.ts';

export type GraphFormat = 'svg' | 'mermaid' | 'dot';

export interface GraphFlags extends GlobalFlags {
  readonly config: string;
  readonly labName?: string;
  readonly format?: GraphFormat;
  readonly out?: string;
}

const BY_NAME: Readonly<Record<string, GraphFormat>> = {
  '.svg': 'svg',
  '.mmd': 'mermaid',
  '.mermaid': 'mermaid',
  '.dot': 'dot',
  '.gv': 'dot',
};

const FORMATS: Readonly<
  Record<GraphFormat, { readonly head: string; readonly render: (topology: Topology) => string }>
> = {
  svg: { head: SVG_HEAD, render: renderTopologySvg },
  mermaid: { head: MERMAID_HEAD, render: renderMermaid },
  dot: { head: DOT_HEAD, render: renderDot },
};

function formatOf({ format, out }: GraphFlags): GraphFormat {
  const found = format ?? (out === undefined ? 'svg' : formatByName(out, BY_NAME));
  if (found) return found;
  throw new UsageError('GRAPH_FORMAT', `the name ${out} does not say in which format`, {
    hint: 'name a file that ends in .svg, .mmd or .dot, or add --format',
  });
}

export async function runGraph(io: ProgramIo, flags: GraphFlags): Promise<void> {
  const output = createOutput(io, flags);
  const { out } = flags;
  const { head, render } = FORMATS[formatOf(flags)];
  if (out !== undefined) await assertShownFile(out, head);
  const { lab, warnings } = loadWant(flags, outerBridges(io, flags));
  for (const warning of warnings) output.warn(warning);
  const topology = viewTopology(lab);
  if (out !== undefined) await writeShownFile(out, render(topology), head);
  output.result(topology, () => (out === undefined ? render(topology) : `${out}: lab ${lab.name}`));
}
