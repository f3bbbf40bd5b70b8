// The built command line in a process of its own, with time running as fast as the simulator's.
import { main } from '../../dist/cli.js';
import { createClock } from '../../dist/lib/clock.js';

process.exitCode = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  clock: createClock(Number(process.env.FAST_CLOCK)),
  onStop: () => () => undefined,
});
