/** A cleanup beside another run of the same people, a reset or that of another lab: whoever comes too late says so, and nothing stays for good. */
import { describe, expect, test } from 'vitest';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import { scenario, startCluster } from './harness.ts';
import { room } from './people.ts';

const FILES = {
  'lab.yml':
    'name: net\nmachines: [{ device_type: linux, name: pc, template_vmid: 101, start: true, baseline_snapshot: true, networks: [{ bridge: hq }] }]\n',
  'users.yml': 'users: [anna@pve]\n',
};
const CLASS = '-c @lab.yml -u @users.yml';
const CLEANUP = 'cleanup --lab net';
const ROLLBACK = 'POST /nodes/pve1/qemu/10000/snapshot/baseline/rollback';

test('a rollback that a cleanup overtakes', async () => {
  let isBeside = false;
  let beside: ReturnType<typeof run> | undefined;
  const cluster = await startCluster({
    scenario: scenario({ version: '8.4' }),
    // That write waits until the other command has ended.
    onMutation: async ({ phase, method, path }) => {
      if (!isBeside || phase !== 'before' || `${method} ${path}` !== ROLLBACK) return;
      isBeside = false;
      beside = run(cluster, CLEANUP);
      await beside;
    },
  });
  const { run } = room(FILES);
  const before = cluster.snapshot();
  await run(cluster, `deploy ${CLASS} --node pve1 --strategy specific`);
  // Its code is loaded before: while it is, time goes on, and the request that waits would be given up.
  await run(cluster, `${CLEANUP} --dry-run`);
  isBeside = true;
  const ends = [await run(cluster, 'reset --lab net'), await beside];
  expect(ends.map((end) => end?.code)).toEqual([5, 0]);
  expect(ends[0]?.stdout).toContain('VM 10000 on pve1 was removed meanwhile  [VM_MISSING]');
  // No rest that only root could remove, and nothing else of the stand.
  const { guests, volumes, pools, users, acl } = cluster.snapshot();
  expect({ guests: guests.length, volumes, pools, users, acl }).toEqual({
    guests: before.guests.length,
    volumes: before.volumes,
    pools: before.pools,
    users: before.users,
    acl: before.acl,
  });
});

test('the cleanups of two labs of a class: the later one gives back what both had', async () => {
  let isBeside = false;
  let beside: ReturnType<typeof run> | undefined;
  const cluster = await startCluster({
    scenario: scenario({ version: '8.4' }),
    onMutation: async ({ phase, method }) => {
      if (!isBeside || phase !== 'before' || method !== 'DELETE') return;
      isBeside = false;
      beside = run(cluster, 'cleanup --lab other');
      await beside;
    },
  });
  const { run, read } = room(FILES);
  const before = cluster.snapshot();
  await run(cluster, `deploy ${CLASS}`);
  await run(cluster, `deploy ${CLASS} --lab-name other`);
  await run(cluster, `${CLEANUP} --dry-run`);
  isBeside = true;
  const first = await run(cluster, CLEANUP);
  expect([first.code, (await beside)?.code, first.stdout]).toEqual([
    0,
    0,
    expect.stringContaining('Lab net is removed: 1 stand'),
  ]);
  const { pools, users, acl } = cluster.snapshot();
  expect({ pools, users, acl }).toEqual({ pools: before.pools, users: before.users, acl: before.acl });
  expect(read('c.csv')).toMatch(/^anna@pve,.*,removed/m);
});

/** Each write of the story, and a whole cleanup of the class right before it is carried out. */
describe('a cleanup before any write of', () => {
  type Run = ReturnType<typeof room>['run'];

  /** As `line` found it, with the code of both commands loaded. */
  async function worldBefore(run: Run, isMade: boolean) {
    const cluster = await startCluster({ scenario: scenario({ version: '9.2' }) });
    const empty = cluster.snapshot();
    if (isMade) await run(cluster, `deploy ${CLASS}`);
    await run(cluster, `${CLEANUP} --dry-run`);
    return { empty, state: cluster.snapshot() };
  }

  /** `at`: the write that waits for the cleanup; undefined: the story has fewer. */
  async function storyWith(run: Run, line: string, state: ClusterState, at: number) {
    let before = at;
    const cluster = await startCluster({
      state: structuredClone(state),
      onMutation: async ({ phase }) => {
        if (phase === 'before' && before-- === 0) await run(cluster, CLEANUP);
      },
    });
    const { code, stdout } = await run(cluster, line);
    if (before >= 0) return undefined;
    await run(cluster, CLEANUP);
    await run(cluster, 'cleanup --orphans --min-age 0');
    return { cluster, end: `${code} ${/\[(CLAIM_GONE|PVE_ERROR|TASK_FAILED)\]/.exec(stdout)?.[1] ?? ''}` };
  }

  test.each([
    { line: `deploy ${CLASS}`, isMade: false },
    { line: `reset ${CLASS} --reclone`, isMade: true },
  ])('$line', async ({ line, isMade }) => {
    const { run } = room(FILES);
    const { empty, state } = await worldBefore(run, isMade);
    const left = ({ guests, volumes, pools, users, acl }: ClusterState) => ({
      guests,
      volumes,
      pools,
      users,
      acl,
    });
    const ends = new Set<string>();
    let at = 0;
    for (;;) {
      const story = await storyWith(run, line, state, at);
      if (!story) break;
      ends.add(story.end);
      expect([at, left(story.cluster.snapshot())]).toEqual([at, left(empty)]);
      at += 1;
    }
    expect(at).toBeGreaterThan(10);
    expect([...ends].filter((end) => !/^[05] $/.test(end))).toContain('5 CLAIM_GONE');
  });
});
