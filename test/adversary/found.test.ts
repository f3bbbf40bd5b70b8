/** What the property has found, as short as it comes. */
import { expect, test } from 'vitest';
import { run, type RunningCluster } from '../workflow/in-process.ts';
import { Caller, toServer } from '../simulator/harness.ts';
import { COMMANDS, scenarioOf, tokenOf, type CommandName } from './class.ts';
import { play, type Act, type Start } from './play.ts';

const MADE: Start = { version: '8.4', base: 'made', delegated: false, watched: false };

async function findingsOf(start: Start, ...acts: Act[]): Promise<string[]> {
  return (await play(start, acts)).flatMap(({ findings }) => findings);
}

test.each([[[30, 77, 94, 91, 15, 6]], [[74, 73, 56, 47, 30, 15]]])(
  'the cloud-init password goes to no machine that a student has made under the number of a former one: %j',
  async (draws) => {
    const move = 'an own machine removed and made anew';
    const turns = [{ move, at: 0, draws }] as const;
    expect(await findingsOf(MADE, { command: 'deploy changed', turns })).toEqual([]);
  },
);

test.each([
  [3, [31, 74, 79, 97, 25, 21]],
  [3, [27, 54, 62, 49, 65, 86]],
  [2, [17, 2, 96, 22, 21, 17]],
])(
  'a number that a tenant got since the members were read is left alone: write %i, %j',
  async (at, draws) => {
    const move = 'a machine removed by its student, its id taken by a tenant';
    const turns = [{ move, at, draws }] as const;
    expect(await findingsOf(MADE, { command: 'cleanup class', turns })).toEqual([]);
  },
);

test.each([
  'cleanup boris',
  'cleanup class',
  'cleanup orphans',
  'users delete',
  'users sync to anna',
] as const)(
  '%s: with a user who may write the own pool no right goes that keeps its comment from being believed',
  async (command) => {
    const forge = ['the class pool’s comment claims what is others’', 'a subpool of the class pool'] as const;
    for (const draw of [3, 8]) {
      const turns = forge.map((move) => ({ move, at: 0, draws: [draw, draw + 1, draw + 2] }));
      const later = ['cleanup expired', 'cleanup orphans', 'deploy changed'] as const;
      const acts = [{ command, turns }, ...later.map((one) => ({ command: one, turns: [] }))];
      expect(await findingsOf({ ...MADE, delegated: true }, ...acts)).toEqual([]);
    }
  },
);

test('the seal of a machine that is cloned anew, which its student reads, makes nothing ours', async () => {
  const forge = 'a machine at a claimed id, with a seal that was read, taken out of its pool';
  const each = [0, 1, 2, 3].map((draw) => ({ at: 0, draws: [draw, draw, draw, draw] }));
  for (const version of ['7.4', '8.4', '9.2'] as const) {
    const reads = each.map((turn) => ({ ...turn, move: 'the own seals are read', at: 8 }) as const);
    const [, after] = await play({ ...MADE, version }, [
      { command: 'reset by cloning, all', turns: reads, killAt: 12 },
      { command: 'deploy', turns: each.map((turn) => ({ ...turn, move: forge })) },
    ]);
    expect([version, after?.findings]).toEqual([version, []]);
    expect(after?.allowed).toContain(forge);
  }
});

test('where somebody may write a pool, a class is cloned anew once all of it is finished', async () => {
  const scenario = scenarioOf('8.4');
  const go = (name: CommandName, state: Parameters<typeof run>[1], killAt?: number) =>
    run(scenario, state, COMMANDS[name].run, killAt === undefined ? {} : { killAt });
  const made = await go('deploy', undefined);
  const larger = await go('deploy larger', made.state);
  const clone = larger.writes.findIndex((write) => write.endsWith('/clone')) + 1;
  const cut = await go('deploy larger', made.state, clone);
  const early = await go('reset by cloning, all', cut.state);
  expect(JSON.stringify([early.error, early.value?.summary])).toContain('STAND_UNFINISHED');
  const done = await go('deploy larger', early.state);
  const reset = await go('reset by cloning, all', done.state);
  const left = reset.value?.summary.stands.map(({ error }) => error?.code);
  // The lab that it is cloned by has two machines, not three.
  expect(left).toEqual(['UNKNOWN_MACHINE', 'UNKNOWN_MACHINE']);
  expect(reset.writes.filter((write) => write.endsWith('/clone'))).toHaveLength(4);
});

test('what its student made under the number of a machine that is cloned anew gets no password when that is cut', async () => {
  const draws = [0, 7, 0, 0];
  const turns = [
    { move: 'an own machine removed and made anew', at: 1, draws },
    { move: 'protection', at: 2, draws: [0, 13, 0, 0, 0] },
  ] as const;
  for (const version of ['7.4', '8.4', '9.2'] as const) {
    const acts: Act[] = [
      { command: 'reset anna by cloning', turns },
      { command: 'deploy', turns: [] },
    ];
    expect([version, await findingsOf({ ...MADE, version }, ...acts)]).toEqual([version, []]);
  }
});

test('what is made anew, and whose student wrote its notes before it was gone, is from then on his own', async () => {
  const move = 'notes: a forged mark';
  const draws = [0, 0, 0, 0];
  const acts: Act[] = [
    { command: 'reset by cloning, all', turns: [{ move, at: 1, draws }], killAt: 11 },
    { command: 'deploy', turns: [{ move, at: 0, draws }] },
  ];
  expect(await findingsOf({ ...MADE, version: '7.4' }, ...acts)).toEqual([]);
});

test.each(['7.4', '8.4', '9.2'] as const)(
  'notes that a student rewrites of a clone in the own pool get nobody a further machine, on %s',
  async (version) => {
    const scenario = scenarioOf(version, true);
    let rewritten = 0;
    const before = async ({ path }: { readonly path: string }, { simulator, time }: RunningCluster) => {
      if (!path.endsWith('/config')) return;
      const authorization = { Authorization: `PVEAPIToken=${tokenOf('anna@pve')}` };
      const anna = new Caller(toServer(simulator), authorization, () => time.sleep(200));
      if ((await anna.put(path, { description: 'mine' })).status === 200) rewritten += 1;
    };
    const { run: larger } = COMMANDS['deploy larger'];
    const made = await run(scenario, undefined, COMMANDS.deploy.run);
    const cut = await run(scenario, made.state, larger, { witness: { before } });
    const again = await run(scenario, cut.state, larger, { witness: { before } });
    expect(rewritten).toBeGreaterThan(0);
    expect([...cut.writes, ...again.writes].filter((write) => write.endsWith('/clone'))).toHaveLength(2);
    expect(JSON.stringify(again.value?.summary ?? again.error)).toContain('SEAL_LOST');
  },
);

test('a machine whose notes its student rewrote while it was cloned anew stays claimed by a cleanup that leaves it', async () => {
  const forged = { move: 'notes: a forged mark', draws: [15, 0, 0, 0] } as const;
  for (const version of ['7.4', '8.4', '9.2'] as const) {
    const start: Start = { ...MADE, version, base: 'expired' };
    const acts = ['cleanup lab', 'deploy'] as const;
    const found = await findingsOf(
      start,
      {
        command: 'reset by cloning',
        turns: [
          { ...forged, at: 2 },
          { move: 'the own seals are read', at: 0, draws: [0, 0, 0, 0] },
        ],
      },
      ...acts.map((command) => ({ command, turns: [] })),
    );
    expect([version, found]).toEqual([version, []]);
  }
});
