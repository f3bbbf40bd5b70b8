/** A topology in the languages of Mermaid and Graphviz; every name is quoted as theirs are. */
import type { Topology } from '../plan/views/topology-types.ts';
import { escapeControl } from './escape.ts';
import { reportEn } from './languages/report-en.ts';
import { linkWords, machineWords, NETWORK_FILL, networkWords } from './topology-words.ts';

const EN = reportEn.picture;

/** How files of ours begin. */
export const MERMAID_HEAD = '%% deploy-stand graph';
export const DOT_HEAD = '// deploy-stand graph';

/** Mermaid has entities of its own, and Markdown between backticks. */
function mermaid(text: string): string {
  return escapeControl(text).replace(
    /[^\p{L}\p{N} ,.:()_/-]/gu,
    (character) => `#${character.codePointAt(0) ?? 0};`,
  );
}

function dot(text: string): string {
  return escapeControl(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}

/** Names of ours: those of the lab may hold anything. */
function ids(topology: Topology): (kind: 'm' | 'n', name: string) => string {
  const at = new Map([
    ...topology.machines.map(({ name }, index) => [`m ${name}`, `m${index}`] as const),
    ...topology.networks.map(({ name }, index) => [`n ${name}`, `n${index}`] as const),
  ]);
  return (kind, name) => at.get(`${kind} ${name}`) ?? kind;
}

export function renderMermaid(topology: Topology): string {
  const id = ids(topology);
  const lines = (words: readonly string[]): string => `"${words.map(mermaid).join('<br>')}"`;
  return [
    `${MERMAID_HEAD}: ${escapeControl(topology.lab)}`,
    'flowchart TD',
    ...topology.networks.map(
      (network) => `  ${id('n', network.name)}([${lines(networkWords(network, EN))}]):::${network.kind}`,
    ),
    ...topology.machines.map((machine) => `  ${id('m', machine.name)}[${lines(machineWords(machine, EN))}]`),
    ...topology.links.map(
      (link) =>
        `  ${id('n', link.network)} ${link.isDown ? '-.-' : '---'}|"${mermaid(linkWords(link, EN))}"| ${id('m', link.machine)}`,
    ),
    ...Object.entries(NETWORK_FILL).map(
      ([kind, fill]) => `  classDef ${kind} fill:${fill},stroke:#5b6675,color:#18202b`,
    ),
    '',
  ].join('\n');
}

export function renderDot(topology: Topology): string {
  const id = ids(topology);
  const label = (words: readonly string[]): string => `"${words.map(dot).join('\\n')}"`;
  return [
    DOT_HEAD,
    `graph "${dot(topology.lab)}" {`,
    '  node [fontname="sans-serif", shape=box, style="rounded,filled", fillcolor="#ffffff"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...topology.networks.map(
      (network) =>
        `  ${id('n', network.name)} [label=${label(networkWords(network, EN))}, shape=ellipse, style=filled, fillcolor="${NETWORK_FILL[network.kind]}"];`,
    ),
    ...topology.machines.map(
      (machine) => `  ${id('m', machine.name)} [label=${label(machineWords(machine, EN))}];`,
    ),
    ...topology.links.map(
      (link) =>
        `  ${id('n', link.network)} -- ${id('m', link.machine)} [label=${label([linkWords(link, EN)])}${link.isDown ? ', style=dashed' : ''}];`,
    ),
    '}',
    '',
  ].join('\n');
}
