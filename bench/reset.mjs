// `reset` of one student and of a whole class, by rollback and by cloning anew, on the simulator's own time, against what its
// locks and latencies allow. Run: npm run build && node bench/reset.mjs [users machines nodes]
import { readFileSync, writeFileSync } from 'node:fs';
import { defaultLatency } from '../dist/lib/simulator/time/latency.js';
import { benchScenario, writeClass } from './cluster.mjs';
import { startCluster } from './in-process.mjs';

const [users = 30, machines = 3, nodes = 4] = process.argv.slice(2).map(Number);
/** Tasks that we run at once on a node. */
const TASKS = 16;

const mostOf = (steps, kind) => {
  const counts = new Map();
  for (const step of steps.filter((one) => one.kind === kind))
    counts.set(step.node, (counts.get(step.node) ?? 0) + 1);
  return Math.max(0, ...counts.values());
};

/** Rollbacks go beside each other on a node; a machine that ran is off and on again. */
function rollbackBound({ steps }) {
  const rounds = Math.ceil(mostOf(steps, 'vm.rollback') / TASKS);
  return rounds * defaultLatency.rollback_s;
}

/**
 * The shared storage's lock is held once per clone and once per removal, user.cfg's for each pool that machines leave and join
 * and each right; and no machine is faster than its own chain.
 */
function recloneBound({ steps }) {
  const count = (...kinds) => steps.filter(({ kind }) => kinds.includes(kind)).length;
  const storage = count('vm.clone', 'vm.delete') * defaultLatency.storage_lock_s;
  const lane =
    (count('pool.update', 'pool.join', 'acl.grant', 'vm.delete') * defaultLatency.user_cfg_write_ms) / 1000;
  const chain =
    defaultLatency.destroy_s +
    defaultLatency.linked_clone_s +
    (4 * defaultLatency.user_cfg_write_ms + 2 * defaultLatency.config_write_ms) / 1000;
  return Math.max(storage, lane, chain);
}

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
  const bound = boundOf(plan);
  console.log(
    `${what.padEnd(34)} ${seconds.toFixed(1).padStart(6)} s (simulated), bound ${bound.toFixed(1)} s → ${((100 * bound) / seconds).toFixed(0)} %; ${plan.steps.length} steps, ${requests} requests, wall ${wall.toFixed(1)} s`,
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
