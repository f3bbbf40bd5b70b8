// Makespans of a class that comes and goes, beside what PVE's locks allow; lock timeouts, and VMs left half-removed.
// Run: npm run build && node bench/cleanup.mjs [users machines nodes version]
import { cleanupBound, deployBound } from './bounds.mjs';
import { deployAndCleanUp } from './on-virtual-time.mjs';

const [users = 100, machines = 5, nodes = 3] = process.argv.slice(2, 5).map(Number);
const version = process.argv[5] ?? '9.2';

function tell(name, run, { lane, storage, network, bound, apart, ceiling }) {
  const share = (limit) => `${((100 * limit) / run.makespan).toFixed(0)} %`;
  const polls = run.requests.filter(({ path }) => path === '/nodes/{node}/tasks').length;
  return [
    `  ${name}: ${run.status} in ${run.makespan.toFixed(0)} s, bound ${bound.toFixed(0)} s → ${share(bound)}`,
    `    locks: user.cfg ${lane.toFixed(0)} s, storage ${storage.toFixed(0)} s, network ${network.toFixed(0)} s`,
    ...(apart === undefined
      ? []
      : [
          `    with our writes of user.cfg apart from the removals ${apart.toFixed(0)} s → ${share(apart)}`,
          `    and no more removals at once than leave no disk behind ${ceiling.toFixed(0)} s → ${share(ceiling)}: ` +
            `the ceiling, ${((100 * bound) / ceiling).toFixed(0)} % of the bound`,
        ]),
    ...run.waits.map(
      ({ name, count, waited, longest }) =>
        `    lock ${name} had ${count} times, waited for ${(waited / count).toFixed(2)} s, ${longest.toFixed(1)} s at most`,
    ),
    `    requests ${run.requests.length}, of them polls ${polls}; retries ${run.retries}`,
    ...run.lanes.map(
      ({ kind, count, from, to, busy }) =>
        `    ${kind.padEnd(16)} ${String(count).padStart(4)} from ${from.toFixed(0)} to ${to.toFixed(0)} s, ` +
        `each ${(busy / count).toFixed(2)} s, ${(busy / (to - from)).toFixed(1)} at once`,
    ),
  ];
}

for (const storage of ['rbd', 'zfs']) {
  const { made, removed } = await deployAndCleanUp({
    ...{ users, machines, nodes, version, storage },
    foreignGuests: 0,
  });
  const isShared = storage === 'rbd';
  console.log(
    [
      `${version}: ${users} × ${machines} on ${nodes} nodes, ${storage}`,
      ...tell('deploy', made, deployBound(made.plan, isShared)),
      ...tell('cleanup', removed, cleanupBound(removed.plan, isShared)),
      `    lock timeouts in tasks ${removed.lockTimeouts}, zombies ${removed.zombies}`,
    ].join('\n'),
  );
}
