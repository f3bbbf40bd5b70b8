/** A plan as a page, before anything happens: what is new, what changes, where each stand goes and why. Same plan, same text. */
import type { DeployPlan, PlannedStand, Plan, Refusal } from '../plan/document/plan.ts';
import type { PlannedLoad } from '../plan/views/planned-load-types.ts';
import type { Topology } from '../plan/views/topology-types.ts';
import { escapeHtml } from './escape-html.ts';
import {
  wholeGib,
  headLine,
  headTitle,
  loadBar,
  pictureSection,
  renderPage,
  sortableTable,
  rowHtml,
  tileParts,
  tiles,
  withCommands,
  type FilledColumn,
} from './page.ts';
import { sayStandCounts, viewPlanned, type PlannedView } from './plan-stands.ts';
import { countOf, countSteps, describeStep, namesOf } from './step-text.ts';
import { renderTopologySvg } from './topology-svg.ts';

export interface PlanPicture {
  readonly plan: DeployPlan;
  readonly loads: readonly PlannedLoad[];
  readonly topology: Topology;
}

function figures(plan: Plan, views: readonly PlannedView[], loads: readonly PlannedLoad[]): string {
  const count = (...fates: readonly PlannedView['fate'][]): string =>
    String(views.filter(({ fate }) => fates.includes(fate)).length);
  const refused = plan.stands.filter(({ refused, left }) => refused ?? left).length;
  const figures = tileParts([
    { value: count('new'), label: 'new stands' },
    { value: count('to complete', 'to change', 'to take over'), label: 'stands that change' },
    { value: count('complete', 'pending'), label: 'stands as they are' },
    { value: String(refused), label: 'refused, or left in part', kind: refused === 0 ? 'good' : 'bad' },
    { value: String(loads.reduce((sum, load) => sum + load.newMachines, 0)), label: 'new machines' },
    { value: String(plan.steps.length), label: 'steps' },
  ]);
  return tiles(figures);
}

/** What is refused of many for one reason is told once. */
function refusals({ stands }: Plan): string[] {
  const users = new Map<string, { readonly refusal: Refusal; readonly of: string[] }>();
  for (const { user, refused, left } of stands) {
    for (const refusal of [refused, left]) {
      if (!refusal) continue;
      const key = JSON.stringify(refusal);
      const known = users.get(key) ?? { refusal, of: [] };
      known.of.push(user);
      users.set(key, known);
    }
  }
  return [...users.values()].map(({ refusal: { message, code, hint }, of }) =>
    [
      `<div class="problem"><h3>${escapeHtml(message)} [${escapeHtml(code)}]</h3>`,
      `<p>${escapeHtml(of.join(', '))}</p>`,
      ...(hint === undefined ? [] : hint.split('\n').map((line) => `<p>${withCommands(line)}</p>`)),
      '</div>',
    ].join(''),
  );
}

function problems(plan: Plan): string[] {
  const warnings = plan.warnings.map(
    (text) => `<div class="problem mild"><h3>${withCommands(text)}</h3></div>`,
  );
  const all = [...refusals(plan), ...warnings];
  return all.length === 0 ? [] : ['<section><h2>To be looked at</h2>', ...all, '</section>'];
}

function nodeHtml(load: PlannedLoad, views: readonly PlannedView[]): string {
  const { node, online, cpus, memoryTotal, memoryBefore, memoryAfter, newMachines, newCpus } = load;
  const here = views.filter(({ stand, steps }) => stand.node === node && steps.length > 0).length;
  const share = (bytes: number): number => (memoryTotal === 0 ? 0 : bytes / memoryTotal);
  const grows = memoryAfter > memoryBefore;
  const words = `${wholeGib(memoryBefore)}${grows ? ` → ${wholeGib(memoryAfter)}` : ''} of ${wholeGib(memoryTotal)} GiB`;
  return [
    `<div class="node"><h3><span>${escapeHtml(node)}</span><span class="bad">${online ? '' : 'offline'}</span></h3>`,
    ...(online
      ? [loadBar('Memory', words, share(memoryBefore), grows ? share(memoryAfter) : undefined)]
      : []),
    newMachines === 0
      ? '<p class="note">no new machines</p>'
      : `<p class="note">${countOf(here, 'stand', 'stands')}, ${countOf(newMachines, 'new machine', 'new machines')} with ${newCpus} CPUs on ${cpus} threads</p>`,
    '</div>',
  ].join('');
}

function nodes(loads: readonly PlannedLoad[], views: readonly PlannedView[]): string[] {
  return [
    '<section><h2>Nodes, before and after</h2>',
    '<p class="note">Memory in use now, and with every new machine running with all that it may take.</p>',
    '<div class="nodes">',
    ...loads.map((load) => nodeHtml(load, views)),
    '</div></section>',
  ];
}

function machines({ vms }: PlannedStand): string {
  return vms.map(({ name, vmid }) => `${escapeHtml(name)} ${vmid}`).join('<br>');
}

function stepsHtml({ stand, steps }: PlannedView): string {
  const notes = stand.notes.map((note) => `<p>${escapeHtml(note)}</p>`).join('');
  if (steps.length === 0) return notes;
  const names = namesOf(stand);
  const rows = steps.map((step) => {
    const { mark, text } = describeStep(step, names);
    return `<tr><td>${mark}</td><td>${escapeHtml(text)}</td><td>${escapeHtml(step.reason)}</td></tr>`;
  });
  return `<details><summary>${countSteps(steps)}</summary><table>${rows.join('')}</table></details>${notes}`;
}

const isBad = ({ stand }: PlannedView): boolean => (stand.refused ?? stand.left) !== undefined;

function fateHtml(view: PlannedView): string {
  const { stand, fate } = view;
  const kind = isBad(view) ? 'bad' : fate === 'new' ? 'good' : fate === 'complete' ? '' : 'warn';
  return `<span class="${kind}">${escapeHtml(stand.left ? `${fate}, in part` : fate)}</span>`;
}

const COLUMNS: readonly FilledColumn<PlannedView>[] = [
  { head: 'Student', share: 14, cell: ({ stand }) => ({ html: escapeHtml(stand.user) }) },
  { head: 'What', share: 8, cell: (view) => ({ html: fateHtml(view) }) },
  { head: 'Node', share: 7, cell: ({ stand }) => ({ html: escapeHtml(stand.node ?? '') }) },
  {
    ...{ head: 'Why there', share: 19, isWhole: true },
    cell: ({ stand }) => ({ html: escapeHtml(stand.placement ?? '') }),
  },
  {
    ...{ head: 'Machines', share: 14, isWhole: true },
    cell: ({ stand }) => ({ html: machines(stand), key: String(stand.vms.length) }),
  },
  {
    ...{ head: 'Steps', share: 38, isWhole: true },
    cell: (view) => ({ html: stepsHtml(view), key: String(view.steps.length) }),
  },
];

export function renderPlanHtml({ plan, loads, topology }: PlanPicture): string {
  const views = viewPlanned(plan);
  const shared = plan.steps.filter((step) => step.user === undefined);
  const title = `Plan: deploy lab ${plan.lab}`;
  return renderPage({
    title,
    head: [
      headTitle(title),
      headLine(
        `strategy ${plan.strategy}; ${sayStandCounts(views, plan.command)}; nothing has been changed yet`,
      ),
    ],
    body: [
      figures(plan, views, loads),
      ...problems(plan),
      ...pictureSection(renderTopologySvg(topology)),
      ...nodes(loads, views),
      '<section><h2>Stands</h2>',
      ...sortableTable({
        ...{ id: 'stands', caption: 'stands', columns: COLUMNS },
        rows: views.map((view, at) => ({ key: String(at), html: rowHtml(view, COLUMNS, isBad(view)) })),
        onlyBad: views.some(isBad) ? 'refused, or left in part' : undefined,
      }),
      ...(shared.length === 0
        ? []
        : [
            `<details><summary>for all stands: ${countSteps(shared)}</summary><ul>`,
            ...shared.map((step) => {
              const { mark, text } = describeStep(step, namesOf(undefined));
              return `<li>${mark} ${escapeHtml(text)} (${escapeHtml(step.reason)})</li>`;
            }),
            '</ul></details>',
          ]),
      '</section>',
    ],
  });
}
