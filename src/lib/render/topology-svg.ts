/** A topology as SVG that loads nothing and runs nothing, light and dark; by itself or inside a page. */
import type { Topology } from '../plan/views/topology-types.ts';
import { escapeHtml } from './escape-html.ts';
import { reportEn } from './languages/report-en.ts';
import type { ReportTexts } from './languages/report-texts.ts';
import { layOut, LINE, LINK_LINE, type BoxKind, type PlacedBox, type PlacedLink } from './topology-layout.ts';
import { NETWORK_FILL } from './topology-words.ts';

const LIGHT = `--box: #fff; --line: #5b6675; --ink: #18202b; --soft: #5b6675;
      --own: ${NETWORK_FILL.own}; --uplink: ${NETWORK_FILL.uplink}; --shared: ${NETWORK_FILL.shared}; --router: #f3e8f8;`;

/** Of a page, the same names stand there: a picture inside one takes the page's colours. */
const STYLE = `
    .topology { font: 13px system-ui, sans-serif; ${LIGHT} }
    @media (prefers-color-scheme: dark) { .topology { --box: #1d2530; --line: #8d9aab; --ink: #e8edf4; --soft: #a3afbe;
      --own: #1d3527; --uplink: #1e2c4a; --shared: #40321a; --router: #352344; } }
    @media print { .topology { ${LIGHT} } }
    .topology rect { stroke: var(--line); stroke-width: 1.2; fill: var(--box); }
    .topology .ecorouter rect { fill: var(--router); }
    .topology .own rect { fill: var(--own); }
    .topology .uplink rect { fill: var(--uplink); }
    .topology .shared rect { fill: var(--shared); }
    .topology path { fill: none; stroke: var(--line); stroke-width: 1.4; }
    .topology .down path { stroke-dasharray: 4 4; }
    .topology text { fill: var(--ink); text-anchor: middle; }
    .topology .name { font-weight: 600; }
    .topology .soft, .topology .link text { fill: var(--soft); font-size: 11.5px; }
    .topology .link rect { fill: var(--box); stroke: none; opacity: 0.85; }
  `;

const number = (value: number): string => String(Math.round(value * 10) / 10);

/** Networks are round, machines are not. Each kind is a class of the style sheet above, too. */
const IS_ROUND: Readonly<Record<BoxKind, boolean>> = {
  machine: false,
  ecorouter: false,
  uplink: true,
  shared: true,
  own: true,
};

function boxLines({ kind, lines, x, y, width, height }: PlacedBox): string[] {
  const first = y - ((lines.length - 1) * LINE) / 2 + 4.5;
  const radius = IS_ROUND[kind] ? height / 2 : 5;
  return [
    `  <g class="${kind}">`,
    `    <rect x="${number(x - width / 2)}" y="${number(y - height / 2)}" width="${number(width)}" height="${number(height)}" rx="${number(radius)}"/>`,
    ...lines.map(
      (line, at) =>
        `    <text class="${at === 0 ? 'name' : 'soft'}" x="${number(x)}" y="${number(first + at * LINE)}">${escapeHtml(line)}</text>`,
    ),
    '  </g>',
  ];
}

function linkLines({ text, isDown, points, x, y, width }: PlacedLink): string[] {
  const path = points.map((point, at) => `${at === 0 ? 'M' : 'L'}${number(point.x)} ${number(point.y)}`);
  return [
    `  <g class="link${isDown ? ' down' : ''}">`,
    `    <path d="${path.join(' ')}"/>`,
    `    <rect x="${number(x - width / 2)}" y="${number(y - LINK_LINE / 2)}" width="${number(width)}" height="${LINK_LINE}" rx="3"/>`,
    `    <text x="${number(x)}" y="${number(y + 4)}">${escapeHtml(text)}</text>`,
    '  </g>',
  ];
}

/** How a file of ours begins. */
export const SVG_HEAD = '<svg xmlns="http://www.w3.org/2000/svg" class="topology"';

/** For a screen reader, which sees no picture. */
function describe({ networks, links }: Topology): string {
  const of = networks.map(
    ({ name }) =>
      `${name}: ${[...new Set(links.filter(({ network }) => network === name).map(({ machine }) => machine))].join(', ')}`,
  );
  return of.join('; ');
}

/** Of its size: on a narrow screen it is moved under the finger, and not too small to be read. */
const LEAST = 0.75;

export function renderTopologySvg(topology: Topology, texts: ReportTexts = reportEn): string {
  const { width, height, boxes, links } = layOut(topology, texts.picture);
  return [
    `${SVG_HEAD} width="${width}" height="${height}" style="min-width:${Math.round(width * LEAST)}px" viewBox="0 0 ${width} ${height}" role="img">`,
    `  <title>${escapeHtml(texts.oneLab(topology.lab))}</title>`,
    `  <desc>${escapeHtml(describe(topology))}</desc>`,
    `  <style>${STYLE}</style>`,
    ...links.flatMap(linkLines),
    ...boxes.flatMap(boxLines),
    '</svg>',
    '',
  ].join('\n');
}
