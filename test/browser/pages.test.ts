/**
 * Pages in a real browser: they draw, sort and filter, ask for nothing and obey no name. Where Debian's chromium is not
 * installed they are skipped, and say so.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { ChecksReport } from '../../src/lib/plan/views/checks-types.ts';
import { renderHtmlCards } from '../../src/lib/render/cards-html.ts';
import { renderDoor } from '../../src/lib/render/door-html.ts';
import type { MachineState, StandStatus } from '../../src/lib/plan/views/status-types.ts';
import { viewReport } from '../../src/lib/plan/views/report.ts';
import { changesBetween } from '../../src/lib/render/parts.ts';
import { renderLiveReport, renderReportHtml, type LivePage } from '../../src/lib/render/report-html.ts';
import { HOSTILE, planPage, reportNamed, reportOf, usersOf } from '../render/report-fixture.ts';
import { workFolder } from '../e2e/harness.ts';
import { assertAccessible, inChromium, shiftsOf, type Shown } from './chromium.ts';

/** Long names of checks, in heads. */
const CHECKS: ChecksReport = {
  ...{ now: '2026-09-01T08:00:00.000Z', lab: 'net', maxPoints: 4, notes: [], students: [] },
  totals: { passed: 3, failed: 0, notRun: 0 },
  checks: ['a', 'b', 'c', 'd'].map((name) => ({
    ...{ name: `the web server is in the DMZ, and answers ${name}`, machine: 'srv', points: 1 },
    ...{ expected: 'running', hint: null },
  })),
};

/** Figures, heads, userids and short cells of the stands and of their machines that are one word, and stand in several lines. */
const TORN = `[...document.querySelectorAll('.tile b, [data-sorts=stands] th button, .tight th, [data-sorts=stands] > tbody > tr > td:not(:has(*)), .tight td')]
  .filter((one) => /^(\\d{4}-\\S+|[^\\s-]+)$/.test(one.textContent))
  .filter((one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1;
  })
  .map((one) => one.textContent)`;

const STATES: readonly MachineState[] = ['internal-error', 'stopped', 'out of its pool'];

/** A quiet class; the same with all that can happen to it; and without one of its students. */
const LIVE = [quiet(), troubled(), quiet().filter(({ user }) => user !== 'student5@pve')].map(
  (stands, at) => {
    const { status, topology } = reportOf([], 3);
    const nodes = status.nodes.map((node) => ({ ...node, online: at !== 1, maintenance: false }));
    const problems = at === 1 ? status.problems : [];
    return renderLiveReport(
      viewReport({ ...status, nodes, problems, labs: [{ lab: 'net', stands }] }, topology),
      {
        intervalSeconds: 10,
      },
    );
  },
) as [LivePage, LivePage, LivePage];

function quiet(): StandStatus[] {
  return reportOf(usersOf(25), 3).status.labs[0]!.stands.map((stand) => ({
    ...stand,
    expires: null,
    problems: 0,
  }));
}

function troubled(): StandStatus[] {
  return quiet().map((stand, at) => ({
    ...stand,
    nodes: ['pve1', 'pve2', 'pve3'],
    machines: stand.machines.map((one, index) => ({
      ...{ ...one, uptime: null, cpu: null, memory: null },
      state: STATES[(at + index) % STATES.length]!,
    })),
    ...{
      running: 0,
      uptime: null,
      cpu: null,
      memory: null,
      expires: '2026-12-24',
      access: 'frozen',
      problems: 2,
    },
  }));
}

/** In place of the server. */
const NEWS = `window.EventSource = class extends EventTarget {
  constructor() { super(); window.news = (data) => this.dispatchEvent(new MessageEvent('parts', { data, lastEventId: '2' })); }
};`;

inChromium((open) => {
  async function show(html: string, first?: string): Promise<Shown> {
    const file = join(workFolder(), 'page.html');
    writeFileSync(file, html);
    return open(`file://${file}`, first);
  }

  /** First cells of the rows that are seen. */
  const rows = (page: Page): Promise<string[]> =>
    page
      .locator('table[data-sorts] > tbody > tr:visible > td:first-child')
      .allInnerTexts()
      .then((texts) => texts.map((text) => text.trim()));

  test('a table sorts by its heads, as people count, and filters; nothing is asked for', async () => {
    const { page, heard } = await show(renderReportHtml(reportOf(usersOf(25))));
    expect((await rows(page)).slice(0, 3)).toEqual(['student1@pve', 'student2@pve', 'student3@pve']);
    const head = page.getByRole('button', { name: 'Student' });
    await head.click();
    await head.click();
    expect((await rows(page)).slice(0, 3)).toEqual(['student25@pve', 'student24@pve', 'student23@pve']);
    expect(await page.locator('th[aria-sort=descending]').innerText()).toContain('Student');
    await page.getByRole('button', { name: 'Expires' }).click();
    // What has no end comes last, whichever way it is sorted.
    const last = page.locator('table[data-sorts] > tbody > tr').last();
    expect(await last.locator('> td').nth(7).innerText()).toBe('');
    await page.getByRole('searchbox').fill('student1 pve2');
    const found = await rows(page);
    expect(found).toContain('student11@pve');
    expect(found.every((name) => name.startsWith('student1'))).toBe(true);
    expect(await page.getByRole('status').innerText()).toBe(`${found.length} / 25`);
    await page.getByRole('searchbox').fill('');
    await page.getByRole('checkbox').check();
    expect((await rows(page)).sort()).toEqual(['student14@pve', 'student24@pve', 'student4@pve']);
    await page.close();
    expect(heard).toEqual([]);
  });

  test('nothing is wider than a screen of 1440, 910, 800 and 390 px, light and dark, and no word is torn', async () => {
    const { page, heard } = await show(
      renderReportHtml(reportOf(usersOf(12), 5), { language: 'ru', checks: CHECKS }),
    );
    for (const width of [1440, 910, 800, 390]) {
      await page.setViewportSize({ width, height: 900 });
      const over = await page.evaluate(
        "[...document.querySelectorAll('th')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.innerText)",
      );
      expect([width, over]).toEqual([width, []]);
      await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
      const torn = await page.evaluate(TORN);
      expect([width, torn]).toEqual([width, []]);
      for (const [colorScheme, paper] of [
        ['light', 'rgb(243, 245, 248)'],
        ['dark', 'rgb(16, 21, 28)'],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        const room = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        const colour = await page.evaluate('getComputedStyle(document.body).backgroundColor');
        expect([width, room, colour]).toEqual([width, 0, paper]);
      }
    }
    // As wide as A4 between its margins.
    await page.setViewportSize({ width: 703, height: 1032 });
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate(TORN)).toEqual([]);
    // Of a button in a head that comes again on the next page, Chromium would paint the place alone.
    const heads = await page.evaluate("getComputedStyle(document.querySelector('th button')).display");
    expect(heads).toBe('contents');
    await page.close();
    expect(heard).toEqual([]);
  });

  test('no hostile name runs anything, also where a page is printed', async () => {
    // An address is one only from its first letter on.
    const isAddress = (name: string): boolean => name.startsWith('javascript:');
    const names = [HOSTILE.filter((name) => !isAddress(name)).join(' '), ...HOSTILE.filter(isAddress)];
    expect(names).toHaveLength(2);
    for (const name of names) {
      const { page, heard } = await show(renderReportHtml(reportNamed(name)));
      await page.getByRole('button', { name: 'Lab' }).click();
      expect(await page.evaluate('window.hacked')).toBeUndefined();
      await page.close();
      expect(heard).toEqual([]);
    }
  });

  test('a class of 500 × 5 is drawn without a shift', async () => {
    const { page, heard } = await show(renderReportHtml(reportOf(usersOf(500), 5)));
    expect(await page.locator('table[data-sorts] > tbody > tr').count()).toBe(500);
    expect(await shiftsOf(page)).toEqual([]);
    await page.close();
    expect(heard).toEqual([]);
  });

  test('on a live page everything has its place in any state; what comes above moves nothing', async () => {
    const { page, heard } = await show(LIVE[0].page('1'), NEWS);
    const tops = (): Promise<unknown> =>
      page.evaluate(
        "[...document.querySelectorAll('h2, .node, [data-list=stands] > *')].map((one) => [one.dataset.id ?? one.textContent.slice(0, 5), one.getBoundingClientRect().top, one.offsetHeight])",
      );
    const next = (at: 0 | 1 | 2): Promise<unknown> =>
      page.evaluate(
        `window.news(${JSON.stringify(JSON.stringify(changesBetween(undefined, LIVE[at].parts)))})`,
      );
    await page.evaluate("document.querySelector('[data-list=stands] details').open = true");
    for (const width of [1440, 800, 390]) {
      await page.setViewportSize({ width, height: 900 });
      const before = await tops();
      await next(1);
      expect([width, await tops()]).toEqual([width, before]);
      await next(0);
    }
    const [first, second] = ['student5@pve', 'student6@pve'].map((name) =>
      page.locator('tr', { hasText: name }),
    );
    await page.evaluate('document.querySelector(\'[data-id="net/student6"]\').scrollIntoView()');
    const before = (await second!.boundingBox())!.y;
    await next(2);
    expect(await first!.count()).toBe(0);
    // Browsers scroll by whole pixels.
    expect((await second!.boundingBox())!.y).toBeCloseTo(before, 0);
    await page.close();
    expect(heard).toEqual([]);
  });

  const card = {
    ...{ userid: 'anna@pve', login: 'anna', realm: 'pve', realmLabel: 'PVE', name: 'Anna', password: 'x' },
    ...{ url: 'https://pve1.example:8006', pool: 'anna' },
    machines: [{ lab: 'net', name: 'pc', vmid: 10001, node: 'pve1', console: 'https://pve1.example/' }],
  };

  test.each([
    ['a report', renderReportHtml(reportOf(usersOf(5)))],
    ['a report in Russian', renderReportHtml(reportOf(usersOf(5)), { language: 'ru' })],
    ['a plan', planPage('net')],
    ['cards', renderHtmlCards([card], 'net')],
    ['the door', renderDoor(true)],
  ])('%s is accessible, light and dark, and prints', async (_, html) => {
    const { page, heard } = await show(html);
    await assertAccessible(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await assertAccessible(page, ['color-contrast']);
    const pdf = await page.pdf({ preferCSSPageSize: true });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await page.close();
    expect(heard).toEqual([]);
  });
});
