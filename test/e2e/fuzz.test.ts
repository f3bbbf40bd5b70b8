/** Damaged plans and states, and servers whose answers are not what they should be: a run is refused or fails, it never breaks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inProcess } from '../../src/lib/proxmox/transports/in-process.ts';
import type { Connect } from '../../src/lib/proxmox/transports/types.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { readState } from '../../src/lib/simulator/persistence.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { loadPlan } from '../../src/lib/workflow/plan-file.ts';
import { cleanUp } from '../cleanups.ts';
import { change, changed, damaged, distorted, expectWords, type Change } from '../fuzz/mutate.ts';
import { fuzzRuns } from '../runs.ts';
import { runCli, startCluster, workFolder, writeFiles, type Cluster, type RunOutcome } from './harness.ts';

const SMALL: Scenario = {
  nodes: [
    { name: 'pve1', memory_gib: 16 },
    { name: 'pve2', memory_gib: 16 },
  ],
  storages: [{ id: 'ceph', type: 'rbd' }],
  templates: [{ vmid: 101, name: 'debian', node: 'pve1', storage: 'ceph' }],
  guests: [
    {
      vmid: 300,
      name: 'a',
      node: 'pve1',
      storage: 'ceph',
      cores: 8,
      load: 1,
      memory_load: 0.9,
      memory_mib: 8192,
    },
    {
      vmid: 301,
      name: 'b',
      node: 'pve1',
      storage: 'ceph',
      cores: 8,
      load: 1,
      memory_load: 0.9,
      memory_mib: 7000,
    },
  ],
};
const LAB = `name: net
machines: [{ device_type: linux, name: pc, template_vmid: 101, start: true, networks: [{ bridge: lan }] }]
`;

function newClass() {
  const folder = workFolder();
  writeFiles(folder, {
    'lab.yml': LAB,
    'users.yml': 'users: [anna@pve, boris@pve]\n',
    'balance.yml': 'guests: all\n',
  });
  const at = (name: string): string => join(folder, name);
  const files = ['-c', at('lab.yml'), '-u', at('users.yml')];
  return { at, files, deploy: ['deploy', ...files, '--credentials', at('c.csv')] };
}

/** Exit code 1 is a defect of ours, with its stack on stderr. */
function expectNoDefect({ code, stderr }: RunOutcome): void {
  if (code === 1 || /^\s+at .*:\d+:\d+/m.test(stderr)) throw new Error(`exit ${code}: ${stderr}`);
}

async function plannedBy(cluster: Cluster): Promise<string> {
  const one = newClass();
  expect((await runCli([...one.deploy, '--dry-run', '--out', one.at('plan.json')], cluster)).code).toBe(0);
  return readFileSync(one.at('plan.json'), 'utf8');
}

/** Each case has a folder and clusters of its own, which go with it. */
async function each<T>(
  given: fc.Arbitrary<T>,
  usual: number,
  work: (value: T) => Promise<void>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(given, async (value) => {
      try {
        await work(value);
      } finally {
        await cleanUp();
      }
    }),
    fuzzRuns(usual),
  );
}

/** As text and, more often, in its values. */
function spoilt(text: string): fc.Arbitrary<string> {
  return fc.oneof(damaged([text]), {
    weight: 4,
    arbitrary: distorted([JSON.parse(text)]).map((value) => JSON.stringify(value)),
  });
}

test('a plan file: refused in words, or applied as far as it goes', async () => {
  const text = await plannedBy(await startCluster({ scenario: SMALL }));
  await each(spoilt(text), 25, async (given) => {
    const one = newClass();
    writeFileSync(one.at('plan.json'), given);
    if (!expectWords(() => loadPlan(one.at('plan.json')))) return;
    const cluster = await startCluster({ scenario: SMALL });
    expectNoDefect(await runCli([...one.deploy, '--plan', one.at('plan.json')], cluster));
  });
});

/** A cluster in the middle of a deploy: VMs, pools, a staged bridge, a task that runs. */
async function halfway(): Promise<string> {
  const states: string[] = [];
  const one = newClass();
  const cluster = await startCluster({
    scenario: SMALL,
    onMutation: ({ phase, path }) => {
      if (phase === 'after' && path.endsWith('/clone')) states.push(JSON.stringify(cluster.snapshot()));
    },
  });
  expect((await runCli(one.deploy, cluster)).code).toBe(0);
  const [state] = states;
  if (state === undefined) throw new Error('nothing was cloned');
  return state;
}

test("a simulated cluster's file: refused in words, or simulated", async () => {
  const text = await halfway();
  await each(spoilt(text), 25, async (given) => {
    const one = newClass();
    const file = one.at('state.json');
    writeFileSync(file, given);
    if (expectWords(() => readState(file)))
      expectNoDefect(await runCli([...one.deploy, '--simulate', '--simulate-state', file], undefined));
  });
});

type Distortion = readonly [nth: number, changes: readonly Change[]];

const distortions: fc.Arbitrary<readonly Distortion[]> = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 40 }), fc.array(change, { minLength: 1, maxLength: 3 })),
  { minLength: 1, maxLength: 4 },
);

/** The server says something else than it means, now and then. */
function lying(cluster: Cluster, lies: readonly Distortion[]): Connect {
  const byRequest = new Map(lies);
  let count = 0;
  return inProcess(async (request) => {
    const answer = await cluster.serve(request);
    const changes = byRequest.get(count);
    count += 1;
    if (!changes || answer.status !== 200) return answer;
    const body = JSON.stringify(changed(JSON.parse(answer.body), changes));
    return { ...answer, body, headers: { ...answer.headers, 'content-length': Buffer.byteLength(body) } };
  }, cluster.time);
}

const COMMANDS: Readonly<Record<string, (one: ReturnType<typeof newClass>) => readonly string[]>> = {
  deploy: (one) => one.deploy,
  cleanup: () => ['cleanup', '--lab', 'net', '--min-age', '0'],
  'deploy --dry-run': (one) => [...one.deploy, '--dry-run'],
  'users list': (one) => ['users', 'list', ...one.files],
  'bridges list': () => ['bridges', 'list'],
  'bridges prune': () => ['bridges', 'prune', '--min-age', '0'],
  'templates list': () => ['templates', 'list'],
  doctor: () => ['doctor'],
  balance: (one) => ['balance', '-c', one.at('balance.yml')],
};

test('a server whose answers are not what they should be: no run breaks', async () => {
  const state = JSON.parse(await halfway()) as ClusterState;
  const given = fc.tuple(fc.constantFrom(...Object.keys(COMMANDS)), distortions);
  await each(given, 30, async ([name, lies]) => {
    const one = newClass();
    const cluster = await startCluster({ scenario: SMALL, state });
    const argv = COMMANDS[name]?.(one) ?? [];
    expectNoDefect(await runCli(argv, cluster, { connect: lying(cluster, lies) }));
  });
});
