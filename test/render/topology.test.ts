/** Pictures of labs: what is drawn, that nothing of a name is obeyed, that the same lab gives the same picture. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLab } from '../../src/lib/config/lab/lab.ts';
import { viewTopology } from '../../src/lib/plan/views/topology.ts';
import type { Topology } from '../../src/lib/plan/views/topology-types.ts';
import { layOut } from '../../src/lib/render/topology-layout.ts';
import { reportEn } from '../../src/lib/render/languages/report-en.ts';
import { renderTopologySvg } from '../../src/lib/render/topology-svg.ts';
import { renderDot, renderMermaid } from '../../src/lib/render/topology-text.ts';
import { starterLab, STARTERS } from '../../src/lib/starters/catalogue.ts';
import { anyCharacter } from '../any-character.ts';
import { runs } from '../runs.ts';

const LAB = `name: net
machines:
  - { device_type: ecorouter, name: gw, template_vmid: 100, cores: 2, memory: 2048,
      networks: [{ bridge: vmbr0 }, { bridge: hq, trunks: [10, "20-30"] }, { bridge: "**vmbr100**", link_down: true }] }
  - { name: pc, template: debian, memory: 1000, networks: [{ bridge: hq.20 }, { bridge: hq.10 }] }
`;

const of = (text: string): Topology => viewTopology(readLab(text, 'lab.yml').value!);

test('a lab as it is wired: cards counted as PVE does, VLANs, kinds of networks', () => {
  expect(of(LAB)).toEqual({
    lab: 'net',
    machines: [
      { name: 'gw', device: 'ecorouter', template: '100', cores: 2, memory: 2048 },
      { name: 'pc', device: 'linux', template: 'debian', memory: 1000 },
    ],
    networks: [
      { name: 'hq', kind: 'own', vlans: [10, 20] },
      { name: 'vmbr0', kind: 'uplink', vlans: [] },
      { name: 'vmbr100', kind: 'shared', vlans: [] },
    ],
    links: [
      { machine: 'gw', network: 'vmbr0', nic: 'net1', isDown: false },
      { machine: 'gw', network: 'hq', nic: 'net2', trunks: ['10', '20-30'], isDown: false },
      { machine: 'gw', network: 'vmbr100', nic: 'net3', isDown: true },
      { machine: 'pc', network: 'hq', nic: 'net0', vlan: 20, isDown: false },
      { machine: 'pc', network: 'hq', nic: 'net1', vlan: 10, isDown: false },
    ],
  });
});

test.each(STARTERS)('%s: all that is drawn has a place of its own, the world is on top', (name) => {
  const topology = of(starterLab(name));
  const { boxes, links, width, height } = layOut(topology, reportEn.picture);
  expect(boxes).toHaveLength(topology.machines.length + topology.networks.length);
  expect(links).toHaveLength(topology.links.length);
  for (const box of boxes) {
    expect(box.x - box.width / 2).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width / 2).toBeLessThanOrEqual(width);
    expect(box.y + box.height / 2).toBeLessThanOrEqual(height);
    const apart = boxes.filter(
      (other) =>
        other === box ||
        Math.abs(other.x - box.x) >= (other.width + box.width) / 2 ||
        Math.abs(other.y - box.y) >= (other.height + box.height) / 2,
    );
    expect(apart).toEqual(boxes);
  }
  const highest = Math.min(...boxes.map(({ y }) => y));
  for (const { kind, y } of boxes) if (kind === 'uplink') expect(y).toBe(highest);
  expect(renderTopologySvg(topology)).toBe(renderTopologySvg(of(starterLab(name))));
});

/** Nothing of a lab's reader limits these: pictures escape by themselves. */
function named(name: string): Topology {
  return {
    lab: name,
    machines: [{ name, device: 'linux', template: name }],
    networks: [{ name, kind: 'own', vlans: [] }],
    links: [{ machine: name, network: name, nic: 'net0', trunks: [name], isDown: false }],
  };
}

const HOSTILE = [
  '</text></svg><script>alert(1)</script>',
  '<svg onload=alert(1)>',
  '"><img src=x onerror=alert(1)>',
  '\u202Egnp.exe',
  '"]; click m0 "javascript:alert(1)"',
  '`**bold**`',
  '\\" ]; x [label="',
  ']]>',
  'a\nb',
];

const SVG_SKELETON = renderTopologySvg(named('a')).match(/<\/?[a-z]+/g);

function assertHarmless(name: string): void {
  const svg = renderTopologySvg(named(name));
  expect(svg.match(/<\/?[a-zA-Z!?[]+/g)).toEqual(SVG_SKELETON);
  expect(svg).not.toMatch(/[\p{Cc}\p{Cf}](?<!\n)/u);
  const mermaid = renderMermaid(named(name)).split('\n').slice(2);
  for (const line of mermaid.filter((text) => !text.includes('classDef')))
    expect(line.replaceAll(/"[^"`\\<]*(?:<br>[^"`\\<]*)*"/g, '').replace(':::own', '')).toMatch(
      /^(?: {2}n0\(\[\]\)| {2}m0\[\]| {2}n0 ---\|\| m0|)$/,
    );
  const dot = renderDot(named(name)).split('\n').slice(1);
  const rest = dot.map((line) => line.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""'));
  expect(rest).toEqual(
    renderDot(named('a'))
      .split('\n')
      .slice(1)
      .map((line) => line.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')),
  );
}

describe('no name is obeyed', () => {
  test.each(HOSTILE)('%j', (name) => assertHarmless(name));

  test('of any characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, minLength: 1, maxLength: 60 }), (name) =>
        assertHarmless(name),
      ),
      runs(60, 5000),
    );
  });
});

test('thirty machines on a few networks stand below each other: beside each other nobody could read them on paper', () => {
  const machines = Array.from(
    { length: 30 },
    (_, at) =>
      `  - { name: host-${at}-of-the-lab, template: debian, networks: [{ bridge: lan${at % 4} }, { bridge: vmbr0 }] }`,
  );
  const { width, height } = layOut(
    of(['name: net', 'machines:', ...machines, ''].join('\n')),
    reportEn.picture,
  );
  expect(width).toBeLessThan(1000);
  expect(height).toBeGreaterThan(width);
});
