/** What examples/monitoring asks for is what is there: names of figures and their labels, options, addresses. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createProgram } from '../../src/program.ts';
import type { ProgramIo } from '../../src/commands/io.ts';
import { formatStatusMetrics } from '../../src/lib/workflow/status-metrics.ts';
import { reportOf, usersOf } from '../render/report-fixture.ts';

const read = (name: string): string => readFileSync(join('examples/monitoring', name), 'utf8');

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { alert: string; expr: string; annotations: object }[];
  }[];
}
interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly query: string }[] };
}

const rules = (parse(read('deploy-stand-alerts.yml')) as Rules).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('grafana-dashboard.json')) as Dashboard;
const targets = dashboard.panels.flatMap((panel) => panel.targets);

/** Name → labels, of a class that has everything. */
async function figures(): Promise<Map<string, Set<string>>> {
  const text = await formatStatusMetrics(reportOf(usersOf(25)).status, 'school');
  const all = [...text.matchAll(/^(deploy_stand_\w+)\{([^}]*)\}/gm)];
  return new Map(
    all.map(([, name = '', labels = '']) => [
      name,
      new Set([...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label)),
    ]),
  );
}

/** Figures with the labels that are asked of them, in braces, by `by (…)`, or in a text about them. */
function asked(expr: string, text = ''): { readonly names: string[]; readonly labels: string[] } {
  const matched = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, inner = '']) =>
    [...inner.matchAll(/(\w+)\s*(?:=|!)/g)].map(([, label = '']) => label),
  );
  const by = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, inner = '']) => inner.split(/,\s*/));
  const told = [...text.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map(([, label = '']) => label);
  return { names: expr.match(/deploy_stand_\w+/g) ?? [], labels: [...matched, ...by, ...told] };
}

test('alert rules and the dashboard ask for figures that exist, by labels that they have', async () => {
  const known = await figures();
  const questions = [
    ...rules.map(({ expr, annotations }) => asked(expr, JSON.stringify(annotations))),
    ...targets.map(({ expr, legendFormat }) => asked(expr, legendFormat)),
    ...dashboard.templating.list.map(({ query }) => asked(query)).filter(({ names }) => names.length > 0),
  ];
  expect(questions.every(({ names }) => names.length > 0)).toBe(true);
  for (const { names, labels } of questions)
    for (const name of names)
      expect([name, labels.filter((label) => known.get(name)?.has(label) !== true)]).toEqual([name, []]);
  // Nothing that is measured is left out of the picture.
  const drawn = new Set(questions.flatMap(({ names }) => names));
  expect([...known.keys()].filter((name) => !drawn.has(name))).toEqual([]);
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
});

test('the unit starts serve as it is, where the proxy looks for it', () => {
  const [, line = ''] =
    /^ExecStart=\/usr\/bin\/deploy-stand (.*)$/m.exec(read('deploy-stand-serve.service')) ?? [];
  const [command = '', ...words] = line.split(' ');
  const serve = createProgram({ stdout: {}, env: {} } as unknown as ProgramIo).commands.find(
    (one) => one.name() === command,
  );
  const { unknown } = serve?.parseOptions(words) ?? { unknown: ['no such command'] };
  expect(unknown).toEqual([]);
  const listens = words[words.indexOf('--listen') + 1] ?? '';
  const proxy = read('nginx.conf');
  for (const [, place = ''] of proxy.matchAll(/proxy_pass http:\/\/([^;]+);/g)) expect(place).toBe(listens);
  const name = words[words.indexOf('--allow-host') + 1] ?? '';
  expect(proxy).toContain(`server_name ${name};`);
  expect(read('prometheus.yml')).toContain(`targets: [${name}]`);
});
