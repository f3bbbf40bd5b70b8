import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadClass } from '../../src/lib/config/load.ts';
import { problems } from './problems.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-stand-class-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const LAB = 'machines: [{ device_type: linux, name: pc, template_vmid: 100, networks: [NETWORK] }]\n';

test('warnings of both files come back together', () => {
  const lab = put('net-lab.yml', LAB.replace('NETWORK', '{ bridge: VMBR0 }'));
  const users = put('users.csv', 'userid,grade\n1@pve,5\n');
  const { warnings } = loadClass(lab, users);
  expect(warnings.map((text) => text.replaceAll(`${folder}/`, ''))).toEqual([
    'net-lab.yml:1:85 machines[0].networks[0].bridge: "VMBR0" is an alias: only lower-case vmbrN is a real bridge (write vmbr0 if that bridge is meant)',
    'users.csv:1:8: column "grade" is ignored',
    'users.csv:2:1 users[0].userid: PVE 9 refuses a pool name that does not start with a letter: 1 (give these users a pool: that does)',
  ]);
});

test('a range that the class does not fit into', () => {
  const lab = put('net-lab.yml', `vmid_range: 20000-20001\n${LAB.replace('NETWORK', '')}`);
  const users = put('users.yml', '[a@pve, b@pve, c@pve]');
  expect(problems(() => loadClass(lab, users)).map((text) => text.replaceAll(`${folder}/`, ''))).toEqual([
    'net-lab.yml vmid_range: the range 20000-20001 has 2 VMIDs, the class needs 3 → widen vmid_range',
  ]);
  // Whoever is content with a part of the class is told by the plan what fits.
  expect(loadClass(lab, users, { isWhole: false }).users).toHaveLength(3);
});

test.each([
  ['class 10/{user}', 'class-10/{user}'],
  ['a/b/c/{user}', 'a/b/c-{user}'],
  ['class10', 'class10/{user}'],
])('pools that no student can have, %s, are told once, of the lab', (pattern, better) => {
  const lab = put(
    'net-lab.yml',
    `access: { pool: "${pattern}" }\n${LAB.replace('NETWORK', '{ bridge: hq }')}`,
  );
  const said = problems(() => loadClass(lab, put('users.yml', '[a@pve, b@pve]')));
  expect(said).toEqual([expect.stringContaining(`access.pool: `)]);
  expect(said[0]).toContain(better);
});

test.each(['class10/{user}', 'class10/\\x7buser}', 'class10/\\u007Buser\\x7D'])(
  'a pool pattern is read however its letters are written: %s',
  (pattern) => {
    const lab = put(
      'net-lab.yml',
      `access: { pool: "${pattern}" }\n${LAB.replace('NETWORK', '{ bridge: hq }')}`,
    );
    expect(loadClass(lab, put('users.yml', '[a@pve]')).users.map(({ pool }) => pool)).toEqual(['class10/a']);
  },
);

test('one MAC address for many VMs is fine on networks of their own only', () => {
  const users = put('users.yml', '[a@pve, b@pve]');
  const withBridge = (bridge: string): string =>
    put('net-lab.yml', LAB.replace('NETWORK', `{ bridge: ${bridge}, mac: "BC:24:11:00:00:01" }`));
  expect(loadClass(withBridge('hq'), users).warnings).toEqual([]);
  expect(loadClass(withBridge('vmbr0'), users).warnings).toEqual([
    'machine pc: 2 VMs on vmbr0 would have the same MAC address BC:24:11:00:00:01',
  ]);
  expect(loadClass(withBridge('vmbr0'), put('one.yml', '[a@pve]')).warnings).toEqual([]);
});

test('one static address for many machines is fine on networks of their own only', () => {
  const users = put('users.yml', '[a@pve, b@pve]');
  const withBridge = (bridge: string, ip: string): string =>
    put(
      'net-lab.yml',
      LAB.replace('NETWORK] }', `{ bridge: ${bridge} }], cloud_init: { ip_config: ["${ip}"] } }`),
    );
  const fixed = 'ip=192.0.2.50/24,gw=192.0.2.1,ip6=2001:db8::5/64';
  expect(loadClass(withBridge('hq', fixed), users).warnings).toEqual([]);
  expect(loadClass(withBridge('vmbr0', 'ip=dhcp,ip6=auto'), users).warnings).toEqual([]);
  expect(loadClass(withBridge('vmbr0', fixed), users).warnings).toEqual([
    'machine pc: 2 VMs on vmbr0 would have the same address 192.0.2.50',
    'machine pc: 2 VMs on vmbr0 would have the same address 2001:db8::5',
  ]);
  expect(loadClass(withBridge('vmbr0', fixed), put('one.yml', '[a@pve]')).warnings).toEqual([]);
});

test('the lab alone', () => {
  const lab = put('net-lab.yml', LAB.replace('NETWORK', ''));
  expect(loadClass(lab, undefined)).toMatchObject({ lab: { name: 'net-lab' }, users: [], warnings: [] });
});

test('users that placement names and the users file does not', () => {
  const placement = `placement:
  spread: [[anna@pve, bo@pve]]
  together:
    - [carla@pve, anna@pve]
  pin:
    dora@pve: pve1
`;
  const lab = put('net-lab.yml', `${placement}${LAB.replace('NETWORK', '')}`);
  const users = put('users.yml', '[anna@pve, bob@pve, carla@pve]');
  expect(problems(() => loadClass(lab, users)).map((text) => text.replaceAll(`${folder}/`, ''))).toEqual([
    'net-lab.yml:2:23 placement.spread[0][1]: the users file has no such user [bo@pve] → did you mean bob@pve?',
    'net-lab.yml:6:5 placement.pin["dora@pve"]: the users file has no such user [dora@pve] → write users as the users file does, e.g. anna@pve',
  ]);
  expect(loadClass(lab, undefined).lab.placement.spread).toEqual([['anna@pve', 'bo@pve']]);
});

describe('several users files', () => {
  const relative = (texts: readonly string[]) => texts.map((text) => text.replaceAll(`${folder}/`, ''));

  test('are one class; who is in two of them is taken as the first says, and named once for all', () => {
    const lab = put('net-lab.yml', LAB.replace('NETWORK', ''));
    const first = put('a.yml', 'users:\n- anna@pve\n- {userid: boris@pve, email: b@example.edu}\n');
    const second = put('b.csv', 'userid,email\ncarla@pve,\nboris@pve,other@example.edu\nanna@pve,\n');
    const { users, warnings, files } = loadClass(lab, [first, second]);
    expect(users.map(({ userid, email }) => [userid, email])).toEqual([
      ['anna@pve', undefined],
      ['boris@pve', 'b@example.edu'],
      ['carla@pve', undefined],
    ]);
    expect(relative(warnings)).toEqual([
      'b.csv:3: boris@pve is in a.yml:3 already, which counts; so is 1 more',
    ]);
    // A plan is of these files, and a single one is known as before.
    expect(loadClass(lab, [first]).files).toEqual(loadClass(lab, first).files);
    expect(files.users).not.toBe(loadClass(lab, first).files.users);
  });

  test('tell their problems together, and what only shows between them', () => {
    const lab = put('net-lab.yml', LAB.replace('NETWORK', ''));
    const broken = put('a.yml', 'users: [anna]\n');
    const fine = put('b.yml', 'users:\n- {userid: dora@pve, pool: carla}\n');
    const other = put('c.yml', 'users:\n- emil@pve\n- carla@pve\n');
    expect(relative(problems(() => loadClass(lab, [broken, fine, join(folder, 'none.yml')])))).toEqual([
      'a.yml:1:9 users[0]: the realm is missing: a user is name@realm [anna] → write anna@pve',
      'none.yml: the file does not exist → check the path, and the folder you are in',
    ]);
    expect(relative(problems(() => loadClass(lab, [fine, other])))).toEqual([
      'c.yml:3: pool "carla" is that of dora@pve already (b.yml:2) [carla@pve] → give one of them a pool: { userid: "carla@pve", pool: carla-2 }',
    ]);
  });
});
