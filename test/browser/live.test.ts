/** The page of `serve` in a real browser: it follows, and nothing jumps. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { onAbort } from '../../src/lib/abort.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { post, runCli, startCluster, workFolder, writeFiles } from '../e2e/harness.ts';
import { assertAccessible, drawn, inChromium, shiftsOf } from './chromium.ts';

const LAB = `name: net
machines:
  - { name: srv, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
  - { name: pc, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
`;

/** Time that passes when a test says so: the next look is taken then. */
class Ticks implements Clock {
  #now = Date.UTC(2026, 8, 1);
  readonly #sleeping = new Set<() => void>();

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        this.#sleeping.delete(wake);
        withdraw?.();
        this.#now += ms;
        resolve();
      };
      const withdraw = signal && onAbort(signal, () => reject(signal.reason as Error));
      this.#sleeping.add(wake);
    });
  }

  tick(): void {
    for (const wake of [...this.#sleeping]) wake();
  }
}

inChromium((open) => {
  test('what changes on the cluster changes on the page, in its place; what is open stays open', async () => {
    const folder = workFolder();
    writeFiles(folder, { 'lab.yml': LAB, 'users.yml': 'users: [anna@pve, boris@pve, vera@pve]\n' });
    const files = ['-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
    const cluster = await startCluster();
    const { code } = await runCli(['deploy', ...files, '--credentials', join(folder, 'c.csv')], cluster);
    expect(code).toBe(0);
    const pool = cluster.snapshot().pools.find(({ poolid }) => poolid === 'boris')!;
    const guest = cluster.snapshot().guests.find(({ vmid }) => vmid === pool.vms[1])!;

    const clock = new Ticks();
    let stop: (signal: 'SIGTERM') => void = () => undefined;
    let serves: (url: string) => void = () => undefined;
    const url = new Promise<string>((resolve) => (serves = resolve));
    const serving = runCli(['serve', ...files, '--listen', '127.0.0.1:0'], cluster, {
      clock,
      onSignaller: (send) => (stop = send),
      refuse: {
        stdout: (text) => {
          serves(/http:\S+/.exec(text)?.[0].replace(';', '') ?? '');
          return undefined;
        },
      },
    });
    const { page, heard } = await open(await url);
    expect(await shiftsOf(page)).toEqual([]);
    const row = page.locator('tr', { hasText: 'boris@pve' });
    await page.getByRole('button', { name: 'Student' }).click();
    await page.getByRole('button', { name: 'Student' }).click();
    const names = async (): Promise<string[]> =>
      (await page.locator('tr[data-id] > td:first-child').allInnerTexts()).map((text) => text.trim());
    const order = ['vera@pve', 'boris@pve', 'anna@pve'];
    expect(await names()).toEqual(order);
    await row.locator('summary').click();
    await assertAccessible(page);
    const untouched = await drawn(page);

    await post(cluster, `/nodes/${guest.node}/qemu/${guest.vmid}/status/stop`, {});
    await cluster.time.sleep(30_000);
    clock.tick();
    await row.getByText('1 of 2 running, 1 stopped').waitFor();
    expect(await row.locator('details').getAttribute('open')).toBe('');
    expect(await names()).toEqual(order);
    expect(await page.locator('.tile', { hasText: 'machines running' }).innerText()).toContain('5 / 6');
    expect(await shiftsOf(page, untouched)).toEqual([]);

    await page.getByRole('searchbox').fill('stopped');
    expect(await page.locator('tr[data-id]:visible').count()).toBe(1);
    await post(cluster, `/nodes/${guest.node}/qemu/${guest.vmid}/status/start`, {});
    await cluster.time.sleep(30_000);
    clock.tick();
    // It is no more what was asked for.
    await row.waitFor({ state: 'hidden' });
    expect(await page.getByRole('status').filter({ hasText: '/' }).innerText()).toBe('0 / 3');
    expect(heard).toEqual([]);

    stop('SIGTERM');
    expect((await serving).code).toBe(0);
    await page.getByText('gets no news').waitFor();
    await page.close();
  });
});
