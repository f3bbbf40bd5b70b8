/** Runs before every test file: hooks of a module that is loaded once would reach its first user only. */
import { afterEach } from 'vitest';
import { holdTimers } from '../hold-timers.ts';
import { cleanUp } from './harness.ts';

holdTimers();
afterEach(cleanUp);
