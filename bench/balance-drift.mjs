// How often balance moves something in a day when loads drift by 2 % from round to round: relief exactly to the limit, and
// relief to 4 points below it (`relieve_to`, the default). Run: npm run build && node bench/balance-drift.mjs [days, 3]
import { parseBalance } from '../dist/lib/config/balance/balance.js';
import { planBalance } from '../dist/lib/plan/balance/pve/balance.js';
import { applyPlan, makeCluster, measured, random, START } from './balance-world.mjs';

const ROUNDS = 288;
const DRIFT = 0.02;
const EXACTLY = 'relieve_to: { cpu: 75, memory: 80, load_per_core: 1.5, pressure: 50 }';

/** Each guest walks up and down around the load it began with. */
function day(yaml, seed) {
  const { config } = parseBalance(`guests: all\novercommit: 200\n${yaml}`, 'bench');
  const draw = random(seed);
  let have = makeCluster({ nodes: 8, guests: 800, stands: 0, seed });
  const normal = new Map(have.guests.map(({ vmid, memoryUsed, cpu }) => [vmid, { memoryUsed, cpu }]));
  const total = { rounds: 0, moves: 0, gib: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const now = new Date(Date.parse(START) + round * 300_000).toISOString();
    const guests = have.guests.map((guest) => {
      const by = 1 + (draw() * 2 - 1) * DRIFT;
      const back = normal.get(guest.vmid);
      const pull = (value, mean) => value * by + (mean - value) * 0.02;
      return {
        ...guest,
        memoryUsed: Math.min(pull(guest.memoryUsed, back.memoryUsed), guest.memory),
        cpu: Math.min(pull(guest.cpu, back.cpu), 1),
      };
    });
    const migrations = have.migrations.filter(({ end }) => Date.parse(now) - Date.parse(end) < 86_400_000);
    have = { ...have, now, guests, nodes: measured(have.nodes, guests), migrations };
    const { plan } = planBalance({ have, config });
    const { moves } = plan.balance;
    // The first hours put the cluster in order, which is no drift.
    if (moves.length > 0 && round >= ROUNDS / 8) {
      total.rounds += 1;
      total.moves += moves.length;
      total.gib += moves.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 30;
    }
    have = applyPlan(have, plan, now);
  }
  return total;
}

const days = Number(process.argv[2] ?? 3);
const table = [
  ['exactly to the limit', EXACTLY],
  ['4 points below it (default)', ''],
].map(([relief, yaml]) => {
  const each = Array.from({ length: days }, (_, i) => day(yaml, i + 1));
  const mean = (key) => (each.reduce((sum, one) => sum + one[key], 0) / days).toFixed(1);
  return { relief, 'rounds with moves, a day': mean('rounds'), moves: mean('moves'), GiB: mean('gib') };
});
console.table(table);
