/** Debian's chromium for tests of pages, and what a page said and asked for while it was open. */
import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';

const CHROMIUM = '/usr/bin/chromium';
const isThere = existsSync(CHROMIUM);
const told = isThere ? '' : ` (skipped: there is no ${CHROMIUM})`;

export interface Shown {
  readonly page: Page;
  /** Errors, messages, and requests to anywhere else. */
  readonly heard: string[];
}

/** `show` opens an address; what begins like it is no request to anywhere else. `first`: a script that runs before the page's. */
export function inChromium(tests: (show: (url: string, first?: string) => Promise<Shown>) => void): void {
  describe.skipIf(!isThere)(`in Chromium${told}`, () => {
    let browser: Browser;
    beforeAll(async () => {
      // However slow the machine: nothing here ends by the clock.
      browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'], timeout: 0 });
    });
    afterAll(() => browser.close());
    tests(async (url, first) => {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      page.setDefaultTimeout(0);
      if (first !== undefined) await page.addInitScript(first);
      const heard: string[] = [];
      page.on('console', (message) => heard.push(message.text()));
      page.on('pageerror', (error) => heard.push(error.message));
      page.on('request', (request) => {
        if (!request.url().startsWith(url)) heard.push(request.url());
      });
      await page.goto(url);
      return { page, heard };
    });
  });
}

interface Fault {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What keeps somebody out who does not see or point as others do. `rules`: these of axe alone. */
export async function assertAccessible(page: Page, rules?: readonly string[]): Promise<void> {
  await page.evaluate(axe.source);
  const only = rules === undefined ? '' : JSON.stringify({ runOnly: rules });
  const { violations } = await page.evaluate<{ violations: readonly Fault[] }>(`axe.run(${only})`);
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(
    serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`),
  ).toEqual([]);
}

/** A moment of the page, after what a hand has done to it was drawn. */
export function drawn(page: Page): Promise<number> {
  return page.evaluate(
    'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now()))))',
  );
}

/**
 * Whatever moved since that moment (default: since the page was opened), in which no hand was on it. Chromium's own
 * `hadRecentInput` is half a second by the clock: on a slow machine a click is drawn later.
 */
export async function shiftsOf(page: Page, since = 0): Promise<string[]> {
  await drawn(page);
  return page.evaluate(`new Promise((resolve) => {
    const moved = [];
    new PerformanceObserver((list) => {
      for (const { startTime, sources } of list.getEntries()) if (startTime > ${since})
        for (const { node, previousRect: a, currentRect: b } of sources)
          moved.push((node?.outerHTML ?? node?.textContent ?? '') + ' ' + [a.x, a.y, a.width, a.height] + ' -> ' + [b.x, b.y, b.width, b.height]);
    }).observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(moved), 50)));
  })`);
}
