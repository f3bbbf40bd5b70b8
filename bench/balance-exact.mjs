// Balance against an exact solver (HiGHS, a mixed-integer program): random clusters of four nodes in five kinds. How many
// of those that have a solution are solved, and how many GiB move beside the least that is possible.
// Run: npm run build && node bench/balance-exact.mjs [instances of each kind, 40] [file that keeps the solver's answers]
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import highsLoader from 'highs';
import { parseBalance } from '../dist/lib/config/balance/balance.js';
import { planBalance } from '../dist/lib/plan/balance/pve/balance.js';
import { applyPlan, clusterOf, random } from './balance-world.mjs';

const GIB = 2 ** 30;
const WIDE = 'max_migrations: 1000\nmax_migrations_per_node: 1000\nmax_inflow_per_node: 1000\n';
const NODE = { cpus: 64, memoryTotal: 128 * GIB, own: 4 * GIB };
const round = (value) => Math.round(value * 1000) / 1000;

/** Fills a node with guests up to these shares of its memory and CPU. */
function fill({ name, memory, cpu, sizes, busy }, draw, next) {
  const guests = [];
  let left = memory * NODE.memoryTotal - NODE.own;
  while (left > 0.5 * GIB) {
    const gib = sizes[Math.floor(draw() * sizes.length)];
    const used = Math.min(gib * GIB * (0.6 + draw() * 0.4), left);
    left -= used;
    guests.push({ node: name, memory: gib * GIB, memoryUsed: used, weight: busy(draw, gib) });
  }
  const total = guests.reduce((sum, { weight }) => sum + weight, 0);
  return guests.map(({ weight, ...guest }) => {
    const threads = (weight / total) * cpu * NODE.cpus;
    const cpus = Math.max(1, Math.ceil(threads));
    return { ...guest, vmid: next(), cpus, cpu: threads / cpus };
  });
}

const SMALL = [4, 4, 8, 8, 8, 16];
const LARGE = [4, 8, 12, 16, 24];
/** CPU goes with size; or a few busy ones do most. */
const even = (draw, gib) => gib * (0.5 + draw());
const uneven = (draw) => (draw() < 0.25 ? 4 + draw() * 4 : 0.1 + draw() * 0.4);

const between = (draw, low, high) => low + draw() * (high - low);

/** What each kind makes hard: memory and CPU as shares of a node. */
const KINDS = {
  'one hot node, room elsewhere': (draw) => ({
    hot: [[between(draw, 0.82, 0.95), between(draw, 0.3, 0.7)]],
    rest: () => [between(draw, 0.45, 0.68), between(draw, 0.3, 0.55)],
    sizes: SMALL,
    busy: even,
  }),
  'two hot nodes, one by CPU': (draw) => ({
    hot: [
      [between(draw, 0.82, 0.92), between(draw, 0.5, 0.7)],
      [between(draw, 0.5, 0.75), between(draw, 0.78, 0.92)],
    ],
    rest: () => [between(draw, 0.5, 0.72), between(draw, 0.4, 0.66)],
    sizes: [...SMALL, 24],
    busy: uneven,
  }),
  'others between target and overload': (draw) => ({
    hot: [[between(draw, 0.82, 0.9), between(draw, 0.4, 0.7)]],
    rest: () => [between(draw, 0.69, 0.785), between(draw, 0.4, 0.7)],
    sizes: [...SMALL, 24],
    busy: even,
  }),
  'tight, large guests': (draw) => ({
    hot: [[between(draw, 0.81, 0.88), between(draw, 0.4, 0.74)]],
    rest: () => [between(draw, 0.66, 0.79), between(draw, 0.4, 0.74)],
    sizes: LARGE,
    busy: even,
  }),
  'both measures tight, uneven CPU': (draw) => ({
    hot: [[between(draw, 0.76, 0.88), between(draw, 0.76, 0.86)]],
    rest: () => [between(draw, 0.55, 0.74), between(draw, 0.5, 0.68)],
    sizes: LARGE,
    busy: uneven,
  }),
};

export function makeInstance(kind, seed) {
  const draw = random(seed * 7919 + kind.length);
  const { hot, rest, sizes, busy } = KINDS[kind](draw);
  let vmid = 100;
  const next = () => (vmid += 1);
  const shares = [0, 1, 2, 3].map((i) => hot[i] ?? rest());
  const guests = shares.flatMap(([memory, cpu], i) =>
    fill({ name: `pve${i + 1}`, memory, cpu, sizes, busy }, draw, next),
  );
  return clusterOf(
    shares.map(() => NODE),
    guests,
  );
}

const overloaded = ({ nodes }, { cpu, memory }) =>
  nodes.filter((node) => node.cpu > cpu + 1e-9 || node.memoryUsed / node.memoryTotal > memory + 1e-9);

/** Below a limit by more than the solver's own tolerance. */
const SURE = 2e-5;

/** What a guest adds to a node, in percent of it. */
const shareOf = ({ cpu, cpus, memoryUsed }, node) => ({
  cpu: (100 * cpu * cpus) / node.cpus,
  memory: (100 * memoryUsed) / node.memoryTotal,
});

/**
 * The program: `x_i_n` is 1 when guest i ends on node n. All guests may move, no node may end above a limit; those that
 * are overloaded go down to `goal`, the others are filled up to `ceiling`. Only nodes in `receivers` take guests.
 */
function program(have, { overload, goal, ceiling = overload, receivers }, cuts) {
  const { nodes, guests } = have;
  const name = (i, n) => `x_${i}_${n}`;
  const may = (guest, node) => guest.node === node.name || receivers.has(node.name);
  const pairs = guests.map((guest, i) => nodes.flatMap((node, n) => (may(guest, node) ? [[i, n]] : [])));
  const home = (guest) => nodes.findIndex((node) => node.name === guest.node);
  const cost = guests.flatMap((guest, i) =>
    pairs[i]
      .filter(([, n]) => n !== home(guest))
      .map(([, n]) => `${round(guest.memoryUsed / GIB)} ${name(i, n)}`),
  );
  const each = guests.map((_, i) => `${pairs[i].map(([, n]) => name(i, n)).join(' + ')} = 1`);
  const limits = nodes.flatMap((node, n) =>
    ['cpu', 'memory'].map((measure) => {
      const here = guests.filter((guest) => guest.node === node.name);
      const now = measure === 'cpu' ? node.cpu * 100 : (100 * node.memoryUsed) / node.memoryTotal;
      const own = now - here.reduce((sum, guest) => sum + shareOf(guest, node)[measure], 0);
      const isOver = now > overload[measure] * 100 + 1e-9;
      // One that is above the ceiling already may stay so.
      const full = Math.max(100 * ceiling[measure], now + SURE);
      const limit = (isOver ? 100 * goal[measure] : full) - SURE - own;
      const terms = guests.flatMap((guest, i) =>
        may(guest, node) ? [`${shareOf(guest, node)[measure].toFixed(9)} ${name(i, n)}`] : [],
      );
      return `${terms.join(' + ')} <= ${limit.toFixed(9)}`;
    }),
  );
  const forbidden = cuts.map((cut) => `${cut.map(([i, n]) => name(i, n)).join(' + ')} <= ${cut.length - 1}`);
  const rows = [...each, ...limits, ...forbidden].map((row, i) => ` r${i}: ${row}`);
  const names = pairs.flat().map(([i, n]) => name(i, n));
  return `Minimize\n obj: ${cost.join(' + ')}\nSubject To\n${rows.join('\n')}\nBinary\n ${names.join('\n ')}\nEnd\n`;
}

/** Can they be carried out one by one with no node above its limits on the way? No guest moves twice. */
function isExecutable(moves, have, overload) {
  const nodes = new Map(
    have.nodes.map((node) => [
      node.name,
      { node, cpu: node.cpu * 100, memory: (100 * node.memoryUsed) / node.memoryTotal },
    ]),
  );
  const left = [...moves];
  while (left.length > 0) {
    const at = left.findIndex(({ guest, to }) => {
      const there = nodes.get(to);
      const share = shareOf(guest, there.node);
      return (
        there.cpu + share.cpu <= overload.cpu * 100 + 1e-9 &&
        there.memory + share.memory <= overload.memory * 100 + 1e-9
      );
    });
    if (at < 0) return false;
    const [{ guest, to }] = left.splice(at, 1);
    for (const [name, sign] of [
      [guest.node, -1],
      [to, 1],
    ]) {
      const state = nodes.get(name);
      const share = shareOf(guest, state.node);
      state.cpu += sign * share.cpu;
      state.memory += sign * share.memory;
    }
  }
  return true;
}

/** Optimal within half a percent; what takes longer is left undecided. */
const SOLVER = { mip_rel_gap: 0.005, time_limit: 10 };

/** The least GiB with which no node stays above its goal; undefined: there is no way. */
function referee(highs, have, rules) {
  const cuts = [];
  for (let turn = 0; turn < 10; turn += 1) {
    const { Status, Columns } = highs.solve(program(have, rules, cuts), SOLVER);
    if (Status === 'Infeasible') return undefined;
    if (Status !== 'Optimal') return { isOpen: true };
    const moves = have.guests.flatMap((guest, i) =>
      have.nodes.flatMap((node, n) =>
        node.name !== guest.node && (Columns[`x_${i}_${n}`]?.Primal ?? 0) > 0.5
          ? [{ guest, to: node.name, at: [i, n] }]
          : [],
      ),
    );
    if (isExecutable(moves, have, rules.overload))
      return { gib: moves.reduce((sum, { guest }) => sum + guest.memoryUsed / GIB, 0), moves: moves.length };
    cuts.push(moves.map(({ at }) => at));
  }
  return { isOpen: true };
}

const mean = (values) =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
const settings = (yaml) => parseBalance(`guests: all\novercommit: 400\n${WIDE}${yaml}`, 'bench').config;

/** What the solver says of an instance; kept in a file, since it takes most of the time. */
function ask(highs, answers, { kind, seed, goal }) {
  const key = `${kind} ${seed} ${goal}`;
  if (answers.has(key)) return answers.get(key);
  const { overload, relieveTo } = settings('');
  const have = makeInstance(kind, seed);
  const receivers = new Set(have.nodes.map(({ name }) => name));
  const ceiling = goal === 'filled_to_relieve_to' ? relieveTo : overload;
  const rules = { overload, goal: goal === 'overload' ? overload : relieveTo, ceiling, receivers };
  const answer = referee(highs, have, rules) ?? {};
  answers.set(key, answer);
  return answer;
}

/** One row of the table: all instances of a kind. */
function judge(kind, { count, config, bestOf }) {
  const ratios = [];
  const times = [];
  const missed = [];
  let [solvable, open] = [0, 0];
  for (let seed = 1; seed <= count; seed += 1) {
    const best = bestOf(kind, seed);
    if (best.isOpen) open += 1;
    if (best.gib === undefined) continue;
    const have = makeInstance(kind, seed);
    const before = process.cpuUsage();
    const { plan } = planBalance({ have, config });
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
    solvable += 1;
    if (overloaded(applyPlan(have, plan), config.overload).length > 0) missed.push(seed);
    else ratios.push(plan.balance.moves.reduce((sum, { bytes }) => sum + bytes, 0) / GIB / best.gib);
  }
  return {
    kind,
    solved: `${solvable - missed.length}/${solvable}`,
    undecided: open,
    'GiB by optimum, mean': mean(ratios).toFixed(3),
    'at worst': Math.max(0, ...ratios).toFixed(2),
    'CPU ms, mean': Math.round(mean(times)),
    'at most': Math.round(Math.max(0, ...times)),
    missed: missed.slice(0, 6).join(' '),
  };
}

/** From what leaves nodes fullest on; the first is always asked for where the others cannot be had. */
const GOALS = ['overload', 'relieve_to', 'filled_to_relieve_to'];

const EXACTLY = 'relieve_to: { cpu: 75, memory: 80, load_per_core: 1.5, pressure: 50 }';

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [count = '40', file] = process.argv.slice(2);
  const known = file !== undefined && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  const answers = new Map(known);
  const highs = await highsLoader();
  for (const kind of Object.keys(KINDS)) {
    for (let seed = 1; seed <= Number(count); seed += 1)
      for (const goal of GOALS) ask(highs, answers, { kind, seed, goal });
    if (file !== undefined) writeFileSync(file, JSON.stringify([...answers]));
  }
  /** The answer to the last of so many goals that can be had. Where the solver does not know, nothing is compared. */
  const best = (goals) => (kind, seed) => {
    const asked = GOALS.slice(0, goals).map((goal) => answers.get(`${kind} ${seed} ${goal}`));
    return asked.findLast(({ gib, isOpen }) => gib !== undefined || isOpen === true) ?? asked[0];
  };
  const tables = [
    ['relief exactly to the limit', EXACTLY, best(1)],
    ['relief to 4 points below it, the default, beside an optimum that fills nodes to the brim', '', best(2)],
    [
      'the same, beside an optimum that fills nodes no further than relieve_to where that can be had',
      '',
      best(3),
    ],
  ];
  for (const [title, yaml, bestOf] of tables) {
    console.log(`\n${title}`);
    console.table(
      Object.keys(KINDS).map((kind) => judge(kind, { count: Number(count), config: settings(yaml), bestOf })),
    );
  }
}
