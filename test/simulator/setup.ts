/** Runs before every test file: hooks of a module that is loaded once would reach its first user only. */
import { afterEach } from 'vitest';
import { keepSocketsOpen } from '../hold-timers.ts';
import { closeAll } from './harness.ts';

keepSocketsOpen();
afterEach(closeAll);
