// What PVE's locks allow one who knows each end at once and whose requests take no time: like any lock of the cluster file
// system, that of a shared storage has no queue, so whoever finds it held looks again a second later (since 9.1 the oftener the
// less of its 10 s is left), and it stands free meanwhile. The lock is the simulator's own; nothing here knows how we schedule.
import { Locks } from '../dist/lib/simulator/tasks/locks.js';
import { VirtualTime } from '../dist/lib/simulator/time/virtual-time.js';

const SEEDS = [1, 2, 3, 4, 5, 6];
/** Nobody begins at the same millisecond as others: in step, all would always meet the lock held. */
const JITTER_MS = 50;

function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

async function secondsOf(count, width, parts, seed) {
  const clock = new VirtualTime(0);
  const locks = new Locks(clock, true);
  const random = randomOf(seed);
  const doOne = async () => {
    await clock.sleep(random() * JITTER_MS);
    for (const { seconds, lock } of parts) {
      const release = lock === undefined ? undefined : await locks.cfs(lock);
      await clock.sleep(seconds * 1000);
      release?.();
    }
  };
  let left = count;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      // One that gave up is done again.
      await doOne().catch(() => (left += 1));
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  const seconds = clock.now() / 1000;
  clock.stop();
  return seconds;
}

/** The luckiest of several runs of `count` tasks made of these parts, at the best of the widths. */
export async function bestSeconds(count, widths, parts) {
  const runs = widths.flatMap((width) => SEEDS.map((seed) => secondsOf(count, width, parts, seed)));
  return Math.min(...(await Promise.all(runs)));
}
