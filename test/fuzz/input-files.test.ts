/** Whatever stands in a file that a user gives: it is read, or the user is told what is wrong with it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseBalance } from '../../src/lib/config/balance/balance.ts';
import { parseBalanceEnv } from '../../src/lib/config/balance/env-file.ts';
import { listConnections } from '../../src/lib/config/connections/connection.ts';
import { parseLab, parseUsers } from '../../src/lib/config/load.ts';
import { openFile } from '../../src/lib/connections-edit/store.ts';
import { parseRows } from '../../src/lib/credentials/credentials-csv.ts';
import { loadScenario } from '../../src/lib/simulator/scenario.ts';
import { createSimulator } from '../../src/lib/simulator/simulator.ts';
import { VirtualTime } from '../../src/lib/simulator/time/virtual-time.ts';
import { damaged, distorted, expectWords } from './mutate.ts';
import { fuzzRuns } from '../runs.ts';

const read = (path: string): string =>
  readFileSync(new URL(`../../examples/${path}`, import.meta.url), 'utf8');
const labs = readdirSync(new URL('../../examples', import.meta.url))
  .filter((name) => name.endsWith('-lab') || name === 'single-vm')
  .map((name) => read(`${name}/lab.yml`));
const scenarios = ['local-disks', 'school', 'three-nodes', 'unequal', 'uneven'].map((name) =>
  read(`clusters/${name}.yml`),
);

/** A lab with all that a lab may say. */
const FULL_LAB = `name: full
placement: { strategy: balanced, nodes: [pve1], exclude: [pve2], reserve: { memory: 10 }, movable: true }
access: { role: PVEVMUser, pool: "class/{user}" }
expires: 2027-01-01
vmid_range: 20000-20999
machines:
  - &base
    device_type: linux
    name: pc
    template: debian12
    cores: 2
    memory: 2048
    storage: ceph
    start: true
    start_order: 1
    tags: [a, b]
    cloud_init: { user: a, password: b, ssh_keys: [ssh-ed25519 AAAA a], ip: [dhcp] }
    networks: [{ bridge: lan.5, model: e1000, firewall: false, mac: "02:00:00:00:00:01", mtu: 1400 }, { bridge: "**vmbr7**" }]
  - <<: *base
    name: pc2
    networks: [{ bridge: dmz, trunks: "5;6", tag: 3, link_down: true }]
`;

const USERS = `users:
  - anna@pve
  - { userid: boris@pve, email: b@x.org, first_name: Б, last_name: B, groups: [a], expire: 2027-01-01, pool: boris }
  - &c { userid: clara@ldap }
`;
const ROSTERS = [
  read('roster.csv'),
  'userid;first_name;last_name;groups\r\nanna@pve;"A ""x""";B;"a b"\r\nboris@pve;;;\r\n',
];

const CONNECTIONS = `default: school
school:
  host: [10.0.0.1, "pve2:8006", "[fe80::1]:8006"]
  user: root@pam
  use_token: true
  token_name: t
  token_value: 0b2c5f70-3c3b-4c6e-9a3f-111111111111
  verify_ssl: true
  fingerprint: ${Array(32).fill('AB').join(':')}
  timeout: 20
lab: { host: pve, user: a@pve, password: "007", verify_ssl: false }
`;

const ENV = `CLUSTER_IDS=a,b
CPU_OVERLOAD_THRESHOLD=0.9
CPU_TARGET_THRESHOLD=0.7
MAX_MIGRATIONS_PER_CYCLE=3 # so many
TELEGRAM_BOT_TOKEN="x:y"
VERIFY_SSL=false
export NODES='pve1 pve2'
`;

const CREDENTIALS = `userid,password,state,pool,url
anna@pve,"a,""b",set,anna,https://pve:8006
boris@pve,,unchanged,boris,https://pve:8006
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-stand-fuzz-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Secrets are not fetched: what a file says of where they are may be a command. */
function readConnectionsText(text: string): void {
  const file = join(folder, 'connections.yml');
  writeFileSync(file, text);
  listConnections({ file });
  openFile(file);
}

function simulate(text: string): void {
  const scenario = loadScenario(text, 'cluster.yml');
  const { simulator, time } = createSimulator({ scenario }, (start) => new VirtualTime(start));
  time.stop();
  simulator.snapshot();
}

const FORMATS: readonly (readonly [
  name: string,
  texts: readonly string[],
  parse: (text: string) => unknown,
])[] = [
  ['a lab', [...labs, FULL_LAB], (text) => parseLab(text, 'lab.yml')],
  ['a class', [USERS], (text) => parseUsers(text, 'users.yml')],
  ['connections', [CONNECTIONS, read('connections.yml')], readConnectionsText],
  [
    'balance.yml',
    [read('balance.yml'), read('balance/all-guests.yml')],
    (text) => parseBalance(text, 'balance.yml'),
  ],
  ['a scenario', scenarios, simulate],
];

describe.each(FORMATS)('%s', (_, texts, parseText) => {
  test('damaged text', () => {
    fc.assert(
      fc.property(damaged(texts), (text) => void expectWords(() => parseText(text))),
      fuzzRuns(30),
    );
  });

  test('values of another kind', () => {
    const values = texts.map((text) => parse(text, { merge: true }) as unknown);
    fc.assert(
      fc.property(distorted(values), (value) => void expectWords(() => parseText(stringify(value)))),
      fuzzRuns(30),
    );
  });
});

test.each<[string, readonly string[], (text: string) => unknown]>([
  ['a roster', ROSTERS, (text) => parseUsers(text, 'class.csv')],
  ["the balancer's env file", [ENV], (text) => parseBalanceEnv(text, 'env')],
  ['a credentials file', [CREDENTIALS], parseRows],
])('%s: damaged text', (_, texts, parseText) => {
  fc.assert(
    fc.property(damaged(texts), (text) => void expectWords(() => parseText(text))),
    fuzzRuns(50),
  );
});
