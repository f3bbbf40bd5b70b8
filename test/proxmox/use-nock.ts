/** Kept apart from support.ts, because importing nock already replaces node:http for the whole test file. */
import nock from 'nock';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

/** No network, and every expected request was made. */
export function useNock(): void {
  beforeAll(() => {
    if (!nock.isActive()) nock.activate();
    nock.disableNetConnect();
  });
  afterEach(() => {
    const pending = nock.pendingMocks();
    nock.cleanAll();
    expect(pending).toEqual([]);
  });
  afterAll(() => {
    nock.enableNetConnect();
    nock.restore();
  });
}
