import { describe, expect, test } from 'vitest';
import type { GuestInfo } from '../../../src/lib/inventory/types.ts';
import { formatPoolComment, makeClaim, type ClaimedMachine } from '../../../src/lib/marks/pool.ts';
import { viewOf } from '../../../src/lib/plan/cluster/view.ts';
import { actionable, viewStands } from '../../../src/lib/plan/stands/selected.ts';
import { marksOf, picksStand, type StandSelection } from '../../../src/lib/plan/stands/selection.ts';
import { unknownNames } from '../../../src/lib/plan/stands/unknown-names.ts';
import { guest, have as inventory, machine } from '../builders.ts';

const SINCE = '2026-11-01T00:00:00Z';

function made(machine: string, vmid: number): ClaimedMachine {
  return { machine, vmid, state: 'made', seals: [] };
}

function pool(user: string, name: string, labs: Readonly<Record<string, readonly ClaimedMachine[]>>) {
  const claims = Object.entries(labs).map(([lab, machines]) =>
    makeClaim({ lab, machines, unnamed: [], since: SINCE, node: 'pve3' }),
  );
  return { pool: name, comment: formatPoolComment({ user, adopted: false, others: [], claims }) };
}

const GUESTS: readonly GuestInfo[] = [
  guest(101, { pool: 'anna', node: 'pve1' }),
  guest(102, { pool: 'anna', node: 'pve2' }),
  guest(201, { pool: 'boris', node: 'pve2' }),
  // Somebody took it out of its pool.
  guest(202, { node: 'pve2' }),
];

const have = inventory({
  nodes: ['pve1', 'pve2', 'pve3'].map((name) => ({ ...inventory().nodes[0]!, name })),
  guests: GUESTS,
  pools: [
    pool('boris@pve', 'boris', { net: [made('router', 201), made('pc', 202)] }),
    pool('anna@pve', 'anna', { net: [made('router', 101), made('pc', 102)], web: [made('www', 103)] }),
    { pool: 'staff', comment: 'not ours' },
  ],
});
const index = viewOf(have);
const marks = marksOf(have.pools);

/** `user lab: selected machines`. */
function shown(selection: StandSelection): string[] {
  return viewStands(selection, index).map(({ user, claim, machines }) => {
    const selected = machines.filter(({ isSelected }) => isSelected).map(({ machine }) => machine);
    return `${user} ${claim.lab}: ${selected.join(' ')}`;
  });
}

test('stands come as people count, whatever order PVE lists their pools in', () => {
  const pools = ['student10', 'student2', 'anna'].map((name) =>
    pool(`${name}@pve`, name, { net: [made('pc', 101)] }),
  );
  const users = viewStands({}, viewOf(inventory({ pools }))).map(({ user }) => user);
  expect(users).toEqual(['anna@pve', 'student2@pve', 'student10@pve']);
});

describe('what is selected', () => {
  const anna = { userid: 'anna@pve' };
  test.each<[string, StandSelection, string[]]>([
    ['nothing narrows', {}, ['anna@pve net: router pc', 'anna@pve web: www', 'boris@pve net: router pc']],
    ['--lab', { lab: 'net' }, ['anna@pve net: router pc', 'boris@pve net: router pc']],
    ['--user', { users: [anna] }, ['anna@pve net: router pc', 'anna@pve web: www']],
    ['--lab and --user', { lab: 'net', users: [anna] }, ['anna@pve net: router pc']],
    [
      'a users file, by pool',
      { users: [{ ...anna, pool: 'anna' }] },
      ['anna@pve net: router pc', 'anna@pve web: www'],
    ],
    ['a users file that says another pool', { users: [{ ...anna, pool: 'other' }] }, []],
    ['a pool that is marked as another user', { users: [{ ...anna, pool: 'boris' }] }, []],
    ['--machine', { machines: ['pc'] }, ['anna@pve net: pc', 'boris@pve net: pc']],
    ['--node', { nodes: ['pve1'] }, ['anna@pve net: router']],
    [
      '--node: a machine that is not there, where its stand was put',
      { nodes: ['pve3'] },
      ['anna@pve web: www'],
    ],
    ['--machine and --node', { machines: ['pc'], nodes: ['pve1'] }, []],
  ])('%s', (_, selection, expected) => {
    expect(shown(selection)).toEqual(expected);
  });

  test('a bridge is selected by user and lab alone', () => {
    const picks = picksStand({ lab: 'net', users: [{ userid: 'anna@pve', pool: 'anna' }] });
    expect([picks('anna@pve', 'net'), picks('anna@pve', 'web'), picks('boris@pve', 'net')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

test('a view says whose each machine is, and where the stand is; only ours are acted on', () => {
  const [annasNet, annasWeb, boris] = viewStands({}, index);
  expect(annasNet).toMatchObject({ pool: 'anna', node: 'pve1', nodes: ['pve1', 'pve2'] });
  expect(annasWeb).toMatchObject({ node: 'pve3', nodes: [], machines: [{ vmid: 103, verdict: 'missing' }] });
  expect(boris!.machines.map(({ verdict }) => verdict)).toEqual(['ours', 'left-pool']);
  expect(actionable(boris!).map(({ vmid }) => vmid)).toEqual([201]);
  const [narrowed] = viewStands({ machines: ['pc'], users: [{ userid: 'anna@pve' }] }, index);
  expect(actionable(narrowed!).map(({ vmid }) => vmid)).toEqual([102]);
});

describe('names that name nothing', () => {
  test.each<[string, StandSelection, string[]]>([
    ['what is there', { lab: 'net', users: [{ userid: 'anna@pve' }], machines: ['pc'], nodes: ['pve2'] }, []],
    ['a lab', { lab: 'nett' }, ['--lab nett: net']],
    ['a lab of a file that nobody has yet', { lab: 'new', labMachines: [machine('pc', [])] }, []],
    ['a user', { users: [{ userid: 'ana@pve' }] }, ['--user ana@pve: anna@pve']],
    ['a user of a file', { users: [{ userid: 'new@pve', pool: 'new' }] }, []],
    ['a user with an account and no stand', { users: [{ userid: 'root@pam' }] }, []],
    ['a machine', { machines: ['pcc', 'pc'] }, ['--machine pcc: pc']],
    ['a machine of another lab', { lab: 'net', machines: ['www'] }, ['--machine www: ']],
    ['a node', { nodes: ['pve11'] }, ['--node pve11: pve1']],
    [
      'a machine of a user that is none',
      { users: [{ userid: 'ana@pve' }], machines: ['x'] },
      ['--user ana@pve: anna@pve'],
    ],
  ])('%s', (_, selection, expected) => {
    const known = { ...have, users: [{ ...inventory().users[0]!, userid: 'root@pam' }] };
    const found = unknownNames(selection, marks, known);
    expect(found.map(({ option, name, near }) => `${option} ${name}: ${near.join(' ')}`)).toEqual(expected);
  });

  test('what there is, for whom no guess helps', () => {
    expect(unknownNames({ lab: 'zzzzz' }, marks, have)).toEqual([
      { option: '--lab', name: 'zzzzz', near: [], there: ['net', 'web'] },
    ]);
  });
});
