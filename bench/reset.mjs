// `reset` of one student and of a whole class, by rollback and by cloning anew, on the simulator's own time, against what its
// locks and latencies allow (what `bound`, `safe`, `apart` and `ceiling` are: bounds.mjs). Run: npm run build && node bench/reset.mjs [users machines nodes]
// Rollbacks wait for nothing, so a class takes little longer than one student; what is not in the bound is looking at all
// machines before the first write, and up to half a second until an end is seen. Cloned anew, the time is that of the storage's
// lock but for the removals, which are kept to three at once: with more, PVE leaves disks behind. So `ceiling` is what
// a run can reach, and `bound` what the locks alone would allow. `polled`: PVE's locks have no queue, so that they stand free
// until somebody looks again; that is what they allow one who loses no time anywhere else.
import { readFileSync, writeFileSync } from 'node:fs';
import { recloneBound, rollbackBound } from './bounds.mjs';
import { benchScenario, writeClass } from './cluster.mjs';
import { startCluster } from './in-process.mjs';

const [users = 30, machines = 3, nodes = 4] = process.argv.slice(2).map(Number);
const { folder, time, run, stop } = startCluster(benchScenario({ nodes, foreignGuests: 0 }));
const files = writeClass(folder, { users, machines });
const [, lab] = files;
writeFileSync(
  lab,
  readFileSync(lab, 'utf8').replaceAll('device_type:', 'baseline_snapshot: true, start: true, device_type:'),
);
await run(['deploy', ...files]);
await time.clock.sleep(60_000);

async function measure(what, argv, boundOf) {
  const { stdout, seconds, requests, wall } = await run([...argv, '--output', 'json']);
  const { plan } = JSON.parse(stdout);
  const shares = Object.entries(await boundOf(plan)).map(
    ([name, bound]) => `${name} ${bound.toFixed(1)} s → ${((100 * bound) / seconds).toFixed(0)} %`,
  );
  console.log(
    [
      `${what}: ${seconds.toFixed(1)} s (simulated); ${shares.join('; ')}`,
      `  ${plan.steps.length} steps, ${requests} requests, wall ${wall.toFixed(1)} s`,
    ].join('\n'),
  );
  await time.clock.sleep(60_000);
}

const class_ = files.slice(0, 4);
const one = [...class_, '--only', 'student1@pve'];
const all = `${users} × ${machines}`;
await measure('rollback, one student', ['reset', ...one], rollbackBound);
await measure('cloned anew, one student', ['reset', '--reclone', ...one], recloneBound);
await measure(`rollback, ${all}`, ['reset', ...class_], rollbackBound);
await measure(`cloned anew, ${all}`, ['reset', '--reclone', ...class_], recloneBound);
stop();
