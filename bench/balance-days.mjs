// Ten simulated days of a teaching cluster under `balance` every five minutes: lessons, homework, nights, a weekend.
// Writes docs/balance-days.md and docs/balance-days.svg. Run: npm run build && node bench/balance-days.mjs
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseBalance } from '../dist/lib/config/balance/balance.js';
import { planBalance } from '../dist/lib/plan/balance/pve/balance.js';
import { applyPlan, makeCluster, measured, random, START } from './balance-world.mjs';

const GIB = 2 ** 30;
const DAYS = 10;
const STEP_MINUTES = 5;
const STEPS = (DAYS * 24 * 60) / STEP_MINUTES;
const NODES = 12;
/** Three samples of five minutes: the default window of 15 minutes. */
const WINDOW = 3;
/** A migration fails now and then. */
const FAILURES = 0.02;
const YAML = 'overcommit: 150\n';

const { config } = parseBalance(YAML, 'balance.yml');
const draw = random(2026);
const start = makeCluster({ nodes: NODES, guests: 1600, stands: 340, seed: 3 });

/** Twelve classes; each has lessons on some days only, so that no two days are alike. */
const CLASSES = 12;
const lessons = Array.from({ length: DAYS }, () => Array.from({ length: CLASSES }, () => draw() < 0.55));
/** A service is busier on some days than on others. */
const trend = Array.from({ length: DAYS }, () => Array.from({ length: CLASSES }, () => 0.5 + draw()));

/** Each guest has a rhythm: a class in the morning or the afternoon, evening work, or a service at all hours. */
const RHYTHMS = ['morning', 'afternoon', 'evening', 'service'];
const classOf = new Map();
const persona = new Map(
  start.guests.map(({ vmid, pool }) => {
    const drawn = {
      rhythm: RHYTHMS[Math.floor(draw() * (pool === undefined ? 4 : 3))],
      group: Math.floor(draw() * CLASSES),
    };
    const life = pool === undefined ? drawn : (classOf.get(pool) ?? drawn);
    if (pool !== undefined) classOf.set(pool, life);
    return [vmid, { ...life, diligence: 0.3 + draw() * 0.7, noise: draw() * 100 }];
  }),
);

const bump = (hour, from, to) => {
  if (hour < from || hour > to) return 0;
  return Math.sin((Math.PI * (hour - from)) / (to - from)) ** 0.5;
};

/** 0…1: how hard a guest works at that moment. */
function activity({ rhythm, group, diligence, noise }, minutes) {
  const day = Math.floor(minutes / 1440);
  const hour = (minutes / 60) % 24;
  const isWeekend = day % 7 >= 5;
  const shape = {
    morning: isWeekend || !lessons[day][group] ? 0 : bump(hour, 8.5, 13),
    afternoon: isWeekend || !lessons[day][group] ? 0 : bump(hour, 13, 18),
    evening: bump(hour, 17, 24) * (isWeekend ? 1 : 0.7) * trend[day][group],
    service: (0.4 + 0.3 * bump(hour, 7, 22)) * trend[day][group],
  }[rhythm];
  const wave = 0.5 + 0.5 * Math.sin(minutes / 17 + noise) * Math.sin(minutes / 91 + 3 * noise);
  return Math.min(1, Math.max(0.02, shape * diligence * (0.6 + 0.5 * wave)));
}

const configured = new Map(start.guests.map(({ vmid, memory }) => [vmid, memory]));
const sample = (guest, minutes) => {
  const busy = activity(persona.get(guest.vmid), minutes);
  return { cpu: busy * 0.9, memory: configured.get(guest.vmid) * (0.35 + 0.6 * busy) };
};

function variation(nodes) {
  const values = nodes.map((node) => (node.cpu + node.memoryUsed / node.memoryTotal) / 2);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) / mean;
}

const isOver = ({ cpu, memoryUsed, memoryTotal }) =>
  cpu > config.overload.cpu || memoryUsed / memoryTotal > config.overload.memory;

/** The steps of a plan that a failing migration leaves: it, and all that depends on it, are not done. */
function survive(plan) {
  const lost = new Set();
  for (const step of plan.steps) {
    const isLost =
      step.dependsOn.some((id) => lost.has(id)) || (step.kind === 'vm.migrate' && draw() < FAILURES);
    if (isLost) lost.add(step.id);
  }
  return { done: { ...plan, steps: plan.steps.filter(({ id }) => !lost.has(id)) }, lost };
}

function simulate({ isBalanced }) {
  let have = start;
  const history = new Map();
  const moved = new Map();
  const series = [];
  const days = Array.from({ length: DAYS }, () => ({
    moves: 0,
    stands: 0,
    gib: 0,
    failed: 0,
    over: 0,
    cv: 0,
    worst: 0,
  }));
  let twice = 0;
  let backHome = 0;
  let isSettled = false;
  for (let step = 0; step < STEPS; step += 1) {
    const minutes = step * STEP_MINUTES;
    const now = new Date(Date.parse(START) + minutes * 60_000).toISOString();
    const guests = have.guests.map((guest) => {
      const past = [...(history.get(guest.vmid) ?? []), sample(guest, minutes)].slice(-WINDOW);
      history.set(guest.vmid, past);
      const mean = (key) => past.reduce((sum, one) => sum + one[key], 0) / past.length;
      return { ...guest, cpu: mean('cpu'), memoryUsed: mean('memory') };
    });
    const nodes = measured(have.nodes, guests);
    have = {
      ...have,
      now,
      guests,
      nodes,
      migrations: have.migrations.filter(({ end }) => Date.parse(now) - Date.parse(end) < 86_400_000),
    };
    const day = days[Math.floor(minutes / 1440)];
    const cv = variation(nodes);
    const over = nodes.filter(isOver).length;
    day.cv += cv / (1440 / STEP_MINUTES);
    day.over += over * (STEP_MINUTES / 60);
    day.worst = Math.max(
      day.worst,
      ...nodes.map((node) => Math.max(node.cpu, node.memoryUsed / node.memoryTotal)),
    );
    series.push({ minutes, cv, over });
    if (!isBalanced) continue;
    // Where the last plan was empty and still no node is above a limit, so is the next: most rounds, and most of the time.
    if (isSettled && over === 0) continue;
    const { plan } = planBalance({ have, config });
    isSettled = plan.steps.length === 0 && plan.balance.stuck.length === 0;
    if (plan.steps.length === 0) continue;
    const { done, lost } = survive(plan);
    const wasMoved = have.migrations;
    for (const one of plan.steps.filter(({ kind }) => kind === 'vm.migrate')) {
      if (lost.has(one.id)) continue;
      // Machines that go back because their stand was torn by a failure are told apart: they have to.
      const isMend = plan.balance.moves.some(
        ({ why, guests: own }) => why === 'half-moved' && own.some(({ vmid }) => vmid === one.vmid),
      );
      const last = moved.get(one.vmid);
      const isSoon = last !== undefined && minutes - last < config.cooldown / 60;
      if (isSoon && isMend) backHome += 1;
      if (isSoon && !isMend) twice += 1;
      moved.set(one.vmid, minutes);
      day.moves += 1;
      day.gib += guests.find(({ vmid }) => vmid === one.vmid).memoryUsed / GIB;
    }
    const failed = plan.steps.filter(
      ({ kind, id, dependsOn }) =>
        kind === 'vm.migrate' && lost.has(id) && !dependsOn.some((other) => lost.has(other)),
    );
    day.failed += failed.length;
    day.stands += plan.balance.moves.filter(({ unit }) => unit === 'stand').length;
    have = applyPlan(have, done, now);
    have = {
      ...have,
      migrations: [
        ...wasMoved,
        ...have.migrations.slice(wasMoved.length),
        ...failed.map(({ vmid, node, target }) => ({
          vmid,
          from: node,
          to: target,
          start: now,
          end: now,
          status: 'failed',
        })),
      ],
    };
  }
  const torn = new Map();
  for (const { pool, node } of have.guests)
    if (pool !== undefined) torn.set(pool, (torn.get(pool) ?? new Set()).add(node));
  return { series, days, twice, backHome, torn: [...torn.values()].filter((set) => set.size > 1).length };
}

const WIDTH = 900;
const HEIGHT = 360;
const PAD = 50;

function path(series, key, max) {
  const every = 6;
  return series
    .filter((_, i) => i % every === 0)
    .map((point, i) => {
      const x = PAD + (point.minutes / (DAYS * 1440)) * (WIDTH - 2 * PAD);
      const y = HEIGHT - PAD - (Math.min(point[key], max) / max) * (HEIGHT - 2 * PAD);
      return `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}

function plot(without, with_, days) {
  const max = Math.ceil(Math.max(...without.map(({ cv }) => cv), ...with_.map(({ cv }) => cv)) * 10) / 10;
  const x = (day) => PAD + (day / DAYS) * (WIDTH - 2 * PAD);
  const most = Math.max(...days.map(({ moves }) => moves), 1);
  const bars = days.map(({ moves }, day) => {
    const height = (moves / most) * 60;
    const middle = x(day + 0.5).toFixed(1);
    return `<rect x="${(x(day) + 8).toFixed(1)}" y="${(HEIGHT - PAD - height).toFixed(1)}" width="${(x(1) - x(0) - 16).toFixed(1)}" height="${height.toFixed(1)}" fill="#9db8d9" opacity="0.6"/><text x="${middle}" y="${HEIGHT - PAD + 30}" text-anchor="middle">${moves} moves</text>`;
  });
  const ticks = [0, max / 2, max].map((value) => {
    const y = (HEIGHT - PAD - (value / max) * (HEIGHT - 2 * PAD)).toFixed(1);
    return `<line x1="${PAD}" x2="${WIDTH - PAD}" y1="${y}" y2="${y}" stroke="#ddd"/><text x="${PAD - 6}" y="${Number(y) + 4}" text-anchor="end">${value.toFixed(2)}</text>`;
  });
  const names = days.map(
    (_, day) =>
      `<text x="${x(day + 0.5).toFixed(1)}" y="${HEIGHT - PAD + 16}" text-anchor="middle">day ${day + 1}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${ticks.join('\n')}
${bars.join('\n')}
<path d="${path(without, 'cv', max)}" fill="none" stroke="#c44" stroke-width="1"/>
<path d="${path(with_, 'cv', max)}" fill="none" stroke="#275" stroke-width="1.4"/>
${names.join('\n')}
<text x="${PAD}" y="20" fill="#c44">variation of node load without balance</text>
<text x="${PAD + 260}" y="20" fill="#275">with balance</text>
<text x="${PAD + 370}" y="20" fill="#57789f">bars: migrations per day</text>
</svg>
`;
}

const began = performance.now();
const plain = simulate({ isBalanced: false });
const balanced = simulate({ isBalanced: true });
const line = (cells) => `| ${cells.join(' | ')} |`;
const rows = balanced.days.map((day, i) => {
  const other = plain.days[i];
  return line([
    i + 1,
    day.moves,
    day.stands,
    day.gib.toFixed(0),
    day.failed,
    `${other.over.toFixed(1)} → ${day.over.toFixed(1)}`,
    `${other.cv.toFixed(2)} → ${day.cv.toFixed(2)}`,
    `${Math.round(other.worst * 100)} % → ${Math.round(day.worst * 100)} %`,
  ]);
});
const total = (key) => balanced.days.reduce((sum, day) => sum + day[key], 0);
const heads = [
  'day',
  'migrations',
  'stands moved',
  'GiB moved',
  'failed',
  'overloaded node-hours',
  'mean variation',
  'highest load',
];
const text = `# Ten days under balance

${NODES} nodes of three sizes, ${start.guests.length} guests, ${start.pools.length} stands of four machines on bridges of their own. Load follows
the day: lessons in the morning and in the afternoon, other classes each day, homework in the evening, services at all
hours; days 6 and 7 are a weekend. \`balance\` runs every ${STEP_MINUTES} minutes with the default settings and \`overcommit: 150\`:
it moves stands only, never the ${start.guests.length - 4 * start.pools.length} foreign guests. ${FAILURES * 100} % of the migrations fail, at random. Load is demand: above
100 % guests wait. Where two numbers stand, the first is the same time without balance.

${line(heads)}
${line(heads.map(() => '---:'))}
${rows.join('\n')}

- Guests that balancing moved more than once within the cooldown: **${balanced.twice}**. Machines that went straight back because
  a failure half-way had torn their stand apart, which cannot wait: ${balanced.backHome}.
- Stands on more than one node at the end: ${balanced.torn}.
- ${total('moves')} migrations in ${DAYS} days, ${total('failed')} of them failed; overloaded node-hours ${plain.days.reduce((sum, { over }) => sum + over, 0).toFixed(0)} → ${total('over').toFixed(0)}.

![Variation of node load over ten days](balance-days.svg)

Made by \`node bench/balance-days.mjs\`: the planner itself, in-process, on a load model that is the same in every run.
`;
const docs = new URL('../docs/', import.meta.url);
writeFileSync(fileURLToPath(new URL('balance-days.md', docs)), text);
writeFileSync(
  fileURLToPath(new URL('balance-days.svg', docs)),
  plot(plain.series, balanced.series, balanced.days),
);
console.log(text);
console.log(`${((performance.now() - began) / 1000).toFixed(1)} s`);
