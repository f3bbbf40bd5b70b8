/** No network in a test file, but what nock plays. */
import nock from 'nock';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

// Importing it already replaces node:http, for every other file of the worker too.
nock.restore();

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
