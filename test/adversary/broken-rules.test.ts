/** Each move breaks a rule that is broken on purpose here: a property whose moves came to nothing would show nothing. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Ownership } from '../../src/lib/execute/ask-ownership.ts';
import * as delegated from '../../src/lib/inventory/delegated.ts';
import { isNamedBy } from '../../src/lib/inventory/template-ref.ts';
import { parseVmMark } from '../../src/lib/marks/vm.ts';
import * as snapshotBridges from '../../src/lib/plan/network/snapshot-bridges.ts';
import * as standState from '../../src/lib/plan/stands/state.ts';
import * as ownership from '../../src/lib/plan/stands/ownership.ts';
import type { ClaimedId } from '../../src/lib/plan/stands/ownership.ts';
import * as templates from '../../src/lib/plan/cluster/templates.ts';
import type { ConfigValues } from '../../src/lib/proxmox/types.ts';
import type { CommandName } from './class.ts';
import { MOVES, type MoveName } from './moves.ts';
import { replaceExport } from '../replace-export.ts';
import { play, type Act, type Start } from './play.ts';

/** What a student may write of a machine must not tell whose it is: broken by asking it. */
const ASKED: Readonly<Record<string, (values: ConfigValues, id: ClaimedId) => boolean>> = {
  description: (values, id) => parseVmMark(values['description'] ?? '')?.vmid !== id.vmid,
  name: (values, id) => values['name'] !== id.machine,
  tags: (values, id) => values['tags']?.includes('golden') === true && id.machine === 'eco',
  net0: (values) => /bridge=vmbr7\b/.test(values['net0'] ?? ''),
  memory: (values) => values['memory'] === '1048576',
  protection: (values) => values['protection'] === '1',
  template: (values) => values['template'] === '1',
  'template at all': (values) => values['template'] === '0',
  parent: (values) => values['parent'] !== undefined,
  'parent of old': (values) => values['parent'] === 's2',
};

type Rule =
  | `${string} is not asked`
  | 'power is not asked'
  | 'a machine does not go back onto bridges of others'
  | 'the node is not asked'
  | 'what was handed out gets no secret'
  | 'a clone is made in its pool where its seal is no secret'
  | 'membership proves nothing'
  | 'notes prove nothing'
  | 'only the claiming pool counts'
  | 'whoever may write a pool is not believed'
  | 'a template is not known by its name alone';

let broken: Rule | undefined;
const isBroken = (rule: Rule): boolean => broken === rule;
/** A comment that claims the machines of others is held off by their pools, too: both have to go. */
const isAnyPool = (): boolean =>
  isBroken('only the claiming pool counts') || isBroken('whoever may write a pool is not believed');

function breakVerdict(real: typeof ownership.verdictOn): typeof ownership.verdictOn {
  return (evidence) => {
    const { id, pool, guest, values } = evidence;
    const verdict = real(evidence);
    const mark = parseVmMark(values?.['description'] ?? '');
    if (isBroken('membership proves nothing') && guest && guest.pool === pool && verdict === 'foreign')
      return 'unjoined';
    if (isBroken('notes prove nothing') && verdict === 'foreign' && mark?.vmid === id.vmid) return 'unjoined';
    const isOutside = id.joinsAtOnce === true && guest !== undefined && guest.pool === undefined;
    if (isBroken('a clone is made in its pool where its seal is no secret') && isOutside && !values?.['lock'])
      return real({ ...evidence, guest: { ...guest, pool } });
    const asked = ASKED[broken?.replace(' is not asked', '') ?? ''];
    if (asked && verdict === 'ours' && values && asked(values, id)) return 'foreign';
    const away = guest && 'node' in guest && guest.node === 'pve2' && pool === 'anna';
    if (isBroken('the node is not asked') && verdict === 'ours' && away) return 'foreign';
    const status = guest && 'status' in guest ? guest.status : 'running';
    if (isBroken('power is not asked') && verdict === 'ours' && id.machine === 'pc' && status === 'stopped')
      return 'foreign';
    if (isAnyPool() && guest) return real({ ...evidence, guest: { ...guest, pool } });
    return verdict;
  };
}

function breakDelegated(real: typeof delegated.tellDelegated): typeof delegated.tellDelegated {
  return (pools, ...rest) =>
    isBroken('whoever may write a pool is not believed') ? [...pools] : real(pools, ...rest);
}

function breakTemplates(real: typeof templates.resolveTemplate): typeof templates.resolveTemplate {
  return (machine, have, file) => {
    if (!isBroken('a template is not known by its name alone')) return real(machine, have, file);
    const ref = machine.template;
    const named = have.guests.filter((guest) => isNamedBy(ref, guest));
    const last = named.sort((a, b) => Number(a.pool === undefined) - Number(b.pool === undefined))[0];
    const config = have.templates.find(({ vmid }) => vmid === last?.vmid);
    if (!last || !config) return real(machine, have, file);
    const template = templates.toTemplate(config, last.name);
    return { template, candidates: [template] };
  };
}

function breakState(real: typeof standState.readStandState): typeof standState.readStandState {
  return (...given) => {
    const state = real(...given);
    if (!isBroken('what was handed out gets no secret')) return state;
    const present = [...state.present].map(([name, vm]) => [name, { ...vm, isJoined: false }] as const);
    return { ...state, present: new Map(present) };
  };
}

const sound = {
  ...{ verdictOn: ownership.verdictOn, tellDelegated: delegated.tellDelegated },
  ...{ resolveTemplate: templates.resolveTemplate, readStandState: standState.readStandState },
  judgeSnapshotBridge: snapshotBridges.judgeSnapshotBridge,
  assertOursNow: Reflect.get(Ownership.prototype, 'assertOursNow'),
};

/** Where the sources are watched, vitest itself makes what they export replaceable. */
function replace<M extends object, K extends keyof M & string>(module: M, name: K, by: M[K]): () => void {
  return replaceExport(module, name, by) ?? replaceWatched(module, name, by);
}

function replaceWatched(module: object, name: string, by: unknown): () => void {
  const spy = vi.spyOn(module as Record<string, () => unknown>, name).mockImplementation(by as () => unknown);
  return () => {
    spy.mockRestore();
  };
}

let restored: readonly (() => void)[] = [];

beforeEach(() => {
  restored = [
    replace(ownership, 'verdictOn', breakVerdict(sound.verdictOn)),
    replace(delegated, 'tellDelegated', breakDelegated(sound.tellDelegated)),
    replace(templates, 'resolveTemplate', breakTemplates(sound.resolveTemplate)),
    replace(standState, 'readStandState', breakState(sound.readStandState)),
    replace(snapshotBridges, 'judgeSnapshotBridge', (...given) =>
      isBroken('a machine does not go back onto bridges of others')
        ? undefined
        : sound.judgeSnapshotBridge(...given),
    ),
  ];
  // Does not look at the pool before it believes what was read a moment ago.
  vi.spyOn(Ownership.prototype, 'assertOursNow').mockImplementation(async function (
    this: Ownership,
    ...given
  ) {
    if (!isAnyPool()) return sound.assertOursNow.apply(this, given);
    const [of, values] = given;
    await this.assertOurs(of, values);
    return undefined;
  });
});
afterEach(() => {
  broken = undefined;
  for (const restore of restored) restore();
});

interface Story {
  /** Made in this order before the first command. */
  readonly moves: readonly MoveName[];
  readonly rule: Rule;
  readonly start?: Partial<Start>;
  readonly commands: readonly [CommandName, ...CommandName[]];
  /** Before one of its writes. */
  readonly isMeanwhile?: true;
  /** Made in front of each command; the first one dies in the middle. */
  readonly isBetween?: true;
  /** Numbers that once showed it, of a move that needs luck: tried before the others. */
  readonly lucky?: readonly number[];
  readonly found: RegExp;
}

const own = (move: MoveName, key: string, more: Partial<Story> = {}): Story => ({
  moves: [move],
  rule: `${key} is not asked`,
  commands: ['deploy'],
  found: /a second (eco|pc|late) for/,
  ...more,
});
const CLONE = /clone of VM \d+ of /;
const GUEST = /a guest of (tenant|auditor|boss|anna|boris)@pve/;
const OTHERS = /a guest of|which is somebody else's|pool \S+: VM|not as it was left|of (anna|boris)@pve/;

const stories: readonly Story[] = [
  own('notes: a forged mark', 'description'),
  own('notes: the mark of another machine', 'description'),
  own('notes: none', 'description'),
  own('name: of another machine', 'name'),
  own('tags of ours', 'tags'),
  own('card: on another bridge', 'net0', { start: { version: '7.4' } }),
  own('memory: 1 TiB', 'memory'),
  own('protection', 'protection'),
  own('template flag by options', 'template'),
  own('template by conversion', 'template'),
  own('template flag taken by options', 'template at all'),
  own('snapshot', 'parent'),
  own('snapshot: with a mark of ours', 'parent'),
  {
    moves: ['snapshot: with a card on another bridge'],
    rule: 'a machine does not go back onto bridges of others',
    start: { version: '7.4' },
    commands: ['reset to baseline'],
    found: /goes back onto vmbr\d+ of/,
  },
  {
    moves: [
      'the own seals are read',
      'a machine at a claimed id, with a seal that was read, taken out of its pool',
    ],
    rule: 'a clone is made in its pool where its seal is no secret',
    commands: ['reset by cloning, all', 'deploy'],
    isMeanwhile: true,
    isBetween: true,
    lucky: [0, 0, 0, 0, 0, 0, 12, 7],
    found: OTHERS,
  },
  own('rollback', 'parent of old', { moves: ['snapshot', 'snapshot', 'snapshot', 'rollback'] }),
  { ...own('power', ''), rule: 'power is not asked' },
  { ...own('migration', ''), rule: 'the node is not asked' },
  own('name, tag, template flag of the lab’s template', 'tags'),
  {
    moves: ['a template of a student'],
    rule: 'a template is not known by its name alone',
    commands: ['deploy larger'],
    found: CLONE,
  },
  {
    moves: ['a template of a stranger'],
    rule: 'a template is not known by its name alone',
    start: { base: 'empty' },
    commands: ['deploy'],
    found: CLONE,
  },
  {
    moves: ['a machine at a claimed id, in the own pool'],
    rule: 'membership proves nothing',
    commands: ['deploy larger'],
    isMeanwhile: true,
    lucky: [40, 3, 6, 5, 3, 47, 12, 16],
    found: GUEST,
  },
  ...(['before', 'after'] as const).map((order): Story => ({
    moves: [`a machine at a claimed id, in a pool that sorts ${order}`],
    rule: 'notes prove nothing',
    start: { base: 'killed early' },
    commands: ['deploy'],
    found: GUEST,
  })),
  {
    moves: ['a machine removed by its student, its id taken by a tenant'],
    rule: 'only the claiming pool counts',
    commands: ['cleanup class'],
    found: GUEST,
  },
  {
    moves: [
      'a machine at a claimed id, with the seal that an auditor read',
      'removal of an own machine',
      'a machine at a claimed id, with the seal that an auditor read',
    ],
    rule: 'only the claiming pool counts',
    start: { watched: true },
    commands: ['cleanup class'],
    found: GUEST,
  },
  {
    moves: ['a machine at a claimed id, with a seal that was read, taken out of its pool'],
    rule: 'a clone is made in its pool where its seal is no secret',
    start: { base: 'killed', watched: true },
    commands: ['cleanup class', 'deploy'],
    isBetween: true,
    found: GUEST,
  },
  {
    moves: ['removal of an own machine', 'a machine at a claimed id, in a pool that sorts after'],
    rule: 'only the claiming pool counts',
    lucky: [44, 94, 75, 24, 6, 97, 99, 97],
    commands: ['cleanup class'],
    found: GUEST,
  },
  {
    moves: ['an own machine removed and made anew'],
    rule: 'what was handed out gets no secret',
    commands: ['deploy changed'],
    found: /a secret/,
  },
  ...(
    ['the own pool’s comment claims what is others’', 'a subpool that claims what is others’'] as const
  ).map((move): Story => ({
    moves: [move],
    rule: 'whoever may write a pool is not believed',
    commands: ['cleanup expired'],
    found: OTHERS,
  })),
  ...(['the class pool’s comment claims what is others’', 'a subpool of the class pool'] as const).map(
    (move): Story => ({
      moves: [move],
      rule: 'whoever may write a pool is not believed',
      start: { delegated: true },
      commands: ['cleanup expired'],
      found: OTHERS,
    }),
  ),
];

/** The same in each run, and without a pattern. */
const DRAWS = fc.sample(fc.array(fc.nat(99), { minLength: 8, maxLength: 8 }), { numRuns: 300, seed: 3 });

const beginningOf = (start: Story['start']): Start => ({
  ...{ version: '8.4', base: 'made', delegated: false, watched: false },
  ...start,
});

async function findingsOf(
  { moves, start, commands, isMeanwhile, isBetween }: Story,
  draws: readonly number[],
): Promise<string[]> {
  const [first, ...rest] = commands;
  const at = isMeanwhile ? 1 + ((draws[7] ?? 0) % 12) : 0;
  const turns = moves.map((move) => ({ move, at, draws }));
  const killAt = isBetween ? { killAt: 1 + ((draws[6] ?? 0) % 16) } : {};
  const told = await play(beginningOf(start), [
    { command: first, turns, ...killAt },
    ...rest.map((command): Act => ({
      command,
      turns: isBetween ? turns.map((turn) => ({ ...turn, at: 0 })) : [],
    })),
  ]);
  return told.flatMap(({ findings }) => findings);
}

test('each move has a story', () => {
  const told = new Set(stories.flatMap(({ moves }) => moves));
  expect(Object.keys(MOVES).filter((move) => !told.has(move as MoveName))).toEqual([]);
});

describe.each(stories)('$moves', (story) => {
  test(`shows it when this does not hold: ${story.rule}`, async () => {
    // Other files begin there, too.
    await play(beginningOf(story.start), []);
    let found: string[] = [];
    for (const draws of story.lucky ? [story.lucky, ...DRAWS] : DRAWS) {
      broken = story.rule;
      found = await findingsOf(story, draws);
      if (!found.some((text) => story.found.test(text))) continue;
      // It was the move, and it was the rule.
      expect(await findingsOf({ ...story, moves: [] }, draws)).toEqual([]);
      broken = undefined;
      expect(await findingsOf(story, draws)).toEqual([]);
      return;
    }
    expect(found).toEqual([expect.stringMatching(story.found)]);
  });
});
