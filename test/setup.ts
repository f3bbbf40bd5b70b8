/** Runs before every test file: hooks of a module that is loaded once would reach its first user only. */
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect } from 'vitest';
import { cleanUp, underTest } from './cleanups.ts';
import { holdSockets, holdTime, letTimeGo } from './hold-timers.ts';

/** Tests that speak HTTP as the product does: neither its limits nor those of servers may come by themselves. */
const HOLDS_TIME = /\/test\/(e2e|process|proxmox|notify)\//;
const HOLDS_SOCKETS = /\/test\/(simulator|contract)\//;

underTest(false);
beforeEach(() => underTest(true));
beforeEach(({ task }) => {
  if (HOLDS_TIME.test(task.file.filepath)) holdTime();
  else if (HOLDS_SOCKETS.test(task.file.filepath)) holdSockets();
});
afterEach(letTimeGo);
afterEach(cleanUp);
afterEach(() => underTest(false));
// Where a command writes when nobody says where: passwords, even simulated ones, do not belong into a checkout.
afterEach(() => expect(existsSync('credentials.csv')).toBe(false));
