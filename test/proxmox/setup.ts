/** Runs before every test file that speaks HTTP. */
import { holdTimers } from '../hold-timers.ts';

holdTimers();
