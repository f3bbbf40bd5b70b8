/** The report of a class and the page of a plan: what they show, and that no name in them is obeyed. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PAGE_HEAD } from '../../src/lib/render/page.ts';
import { renderLiveReport, renderReportHtml } from '../../src/lib/render/report-html.ts';
import {
  CSV_HEAD,
  JSON_HEAD,
  MARKDOWN_HEAD,
  renderReportCsv,
  renderReportJson,
  renderReportMarkdown,
} from '../../src/lib/render/report-lists.ts';
import { anyCharacter } from '../any-character.ts';
import { runs } from '../runs.ts';
import { HOSTILE, planPage, reportNamed, reportOf, templatesNamed, usersOf } from './report-fixture.ts';

/** Tags with the names of their attributes, as a browser tells them from text. */
function skeleton(html: string): string[] {
  const body = html.slice(html.indexOf('<body>'), html.indexOf('<script>'));
  return [...body.matchAll(/<(\/?[a-zA-Z!?][^\s>]*)((?:\s+[\w-]+(?:="[^"]*")?)*)\s*\/?>/g)].map(
    ([, tag, attributes = '']) =>
      [tag, ...[...attributes.matchAll(/\s([\w-]+)(?:="[^"]*")?/g)].map(([, name]) => name)].join(' '),
  );
}

const opens = (html: string): number => html.match(/<(?!\/?code>)/g)?.length ?? 0;

/** Rows go by the names, and what stands between backticks is shown as a command: neither is markup of a name. */
const marks = (html: string): string[] =>
  skeleton(html)
    .filter((tag) => !/^\/?code$/.test(tag))
    .sort();

function assertHarmless(render: (name: string) => string, name: string): void {
  const page = render(name);
  const plain = render('name');
  expect(page.startsWith(PAGE_HEAD)).toBe(true);
  expect(marks(page)).toEqual(marks(plain));
  expect(opens(page)).toBe(opens(plain));
  expect(page).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}](?<!\n)/u);
}

const PAGES = [
  ['report', (name: string) => renderReportHtml(reportNamed(name))],
  ['report in Russian', (name: string) => renderReportHtml(reportNamed(name), { language: 'ru' })],
  ['plan', planPage],
] as const;

const live = (name: string) =>
  renderLiveReport(reportNamed(name), {
    intervalSeconds: 10,
    away: { since: name, error: { code: 'PVE_ERROR', message: name } },
  });

describe('the live page', () => {
  test.each(HOSTILE)('does not obey %j, at once and in what is sent later', (name) => {
    assertHarmless((one) => live(one).page('v-1'), name);
    const sent = (one: string) => Object.values(live(one).parts).flat();
    const elements = (one: string) =>
      sent(one).map(({ html }) =>
        marks(`<body>${html}<script>`)
          .join(' ')
          .replaceAll(/ ?\/?code/g, ''),
      );
    // Rows go by the names.
    expect(elements(name).sort()).toEqual(elements('name').sort());
  });
});

describe.each(PAGES)('the page of a %s', (_, render) => {
  test.each(HOSTILE)('does not obey %j', (name) => assertHarmless(render, name));

  test('does not obey names of any characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, minLength: 1, maxLength: 30 }), (text) => {
        // What decides between two forms of a sentence is no matter of escaping.
        assertHarmless(render, `n${text}`);
      }),
      runs(25, 1000),
    );
  });

  test('asks for nothing, and runs its one script', () => {
    const page = render('name');
    expect(page).toMatch(
      /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-/,
    );
    expect(page).not.toMatch(/\b(?:src|href)=|url\(|@import|https?:\/\/(?!www\.w3\.org\/2000\/svg")/);
    expect(page.match(/<script/g)).toHaveLength(1);
  });
});

test('a report says first what is wrong, with the way out, then what there is', () => {
  const page = renderReportHtml(reportOf(usersOf(25)), { files: { lab: 'lab.yml', users: ['users.yml'] } });
  const at = (text: string): number => page.indexOf(text);
  expect(at('<h2>Problems</h2>')).toBeGreaterThan(0);
  for (const [one, next] of [
    ['<h2>Problems</h2>', '<h2>One stand</h2>'],
    ['<h2>One stand</h2>', '<h2>Nodes</h2>'],
    ['<h2>Nodes</h2>', '<h2>Stands</h2>'],
  ] as const)
    expect(at(one)).toBeLessThan(at(next));
  expect(page).toContain('<h3>machine missing (3)</h3>');
  // An option is not torn at its hyphens.
  expect(page).toContain('<span class="held">--only</span> ');
  expect(page.replace(/<\/?span[^>]*>/g, '')).toContain(
    '<code>deploy-stand deploy -c lab.yml -u users.yml --only',
  );
  expect(page).toContain('as of 2026-09-01 09:30 UTC');
  expect(page).toContain('118 of 128 GiB');
  expect(page).toContain('baseline*');
  expect(page.match(/data-bad/g)?.length).toBe(3 + 1); // the script asks for it, too
});

test('a class of 500 × 5 fits into 3 MiB', () => {
  const page = renderReportHtml(reportOf(usersOf(500), 5));
  expect(page.match(/<tr[ >]/g)?.length).toBe(1 + 500 + 500 + 2500);
  expect(Buffer.byteLength(page)).toBeLessThan(3 * 1024 * 1024);
});

test('a report without stands is a page, too', () => {
  const page = renderReportHtml(
    reportOf([], 0, { labs: [], notes: [{ kind: 'tasks-hidden', text: 'nothing to see' }] }),
  );
  expect(page).toContain('No stands');
  expect(page).toContain('nothing to see');
});

test('Markdown, CSV and JSON begin as their kinds do, and hold no markup and no formula of a name', () => {
  const report = reportNamed('=1+1|<b>*x*');
  const markdown = renderReportMarkdown(report);
  expect(markdown.startsWith(MARKDOWN_HEAD)).toBe(true);
  expect(markdown.slice(MARKDOWN_HEAD.length)).not.toMatch(/(?<!\\)[<*]/);
  const csv = renderReportCsv(report).trimEnd().split('\n');
  expect(csv[0]).toBe(CSV_HEAD);
  expect(csv).toHaveLength(1 + 4);
  expect(csv[1]).toMatch(/^"'=1\+1/);
  const json = renderReportJson(report);
  expect(json.startsWith(JSON_HEAD)).toBe(true);
  expect(JSON.parse(json)).toMatchObject({
    totals: { stands: 4, machines: 4 },
    status: { problems: [{ kind: 'task-failed', hint: expect.any(String) }, {}, {}, {}, {}] },
  });
});

test('a list of many students is short in Markdown, and may be broken behind commas only on a page', () => {
  const [template] = templatesNamed('t');
  const outdated = usersOf(25).map((user, at) => ({ user, machine: 'pc', vmid: at }));
  const templates = template ? [{ ...template, outdated }] : [];
  const markdown = renderReportMarkdown({ ...reportOf([], 0), templates });
  expect(markdown).toMatch(/student20@pve \(pc\); \+ 5$/m);
  expect(markdown).not.toContain('student21@pve');
  expect(planPage('`deploy-stand status --only a@pve,b@pve`')).toContain('a@pve,<wbr>b@pve</code>');
});

test('commands in the warnings of a plan are marked as such', () => {
  expect(planPage('frozen until `access thaw`')).toContain('<h3>frozen until <code>access thaw</code></h3>');
});
