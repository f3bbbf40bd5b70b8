/** Runs before every test file: hooks of a module that is loaded once would reach its first user only. */
import { afterEach } from 'vitest';
import { cleanUp } from './cleanups.ts';

afterEach(cleanUp);
