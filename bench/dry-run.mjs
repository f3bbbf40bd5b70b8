// One dry run against BENCH_URL; prints its wall time and peak memory. Started by plan.mjs.
import { createClock } from '../dist/lib/clock.js';
import { loadClass } from '../dist/lib/config/load.js';
import { createPveClient } from '../dist/lib/proxmox/client.js';
import { renderPlan } from '../dist/lib/render/plan-text.js';
import { previewDeploy } from '../dist/lib/workflow/deploy.js';

const start = performance.now();
const [tokenId, secret] = process.env.BENCH_TOKEN.split('=');
const { lab, users } = loadClass(process.argv[3], process.argv[5]);
const pve = createPveClient({
  connection: {
    hosts: [process.env.BENCH_URL],
    auth: { kind: 'token', tokenId, secret },
    tls: { verify: true },
    timeout: 30_000,
  },
  clock: createClock(Number(process.env.BENCH_SPEED)),
});
const { plan } = await previewDeploy(
  { lab, users, options: { adopt: false, updateRunning: false } },
  { pve, hard: new AbortController().signal },
);
const text = renderPlan(plan, { width: Infinity, color: false });
const wall = performance.now() - start;
const peak = process.resourceUsage().maxRSS / 1024;
console.log(
  `dry run: ${wall.toFixed(0)} ms, peak ${peak.toFixed(0)} MiB, ${plan.steps.length} steps, ${text.length} characters`,
);
pve.close();
