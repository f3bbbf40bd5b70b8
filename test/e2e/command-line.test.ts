/** The command line as people type it: options given twice, several files, help. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { ProgramIo } from '../../src/commands/io.ts';
import { createProgram } from '../../src/program.ts';
import { runCli, scenario, startCluster, workFolder, writeFiles, writes } from './harness.ts';

const LAB = 'machines: [{ name: pc, template_vmid: 200, networks: [{ bridge: vmbr0 }] }]\n';

function files(): string {
  const folder = workFolder();
  writeFiles(folder, {
    'lab.yml': LAB,
    'a.yml': 'users: [anna@pve]\n',
    'b.yml': 'users: [boris@pve]\n',
    'c.yml': 'users: [carla@pve]\n',
  });
  return folder;
}

/** Words of a command line; `@name` is a file of the folder. */
const words = (folder: string, text: string): string[] =>
  text.split(' ').map((word) => word.replace(/^@/, `${folder}/`));

describe('an option of the selection that a command on whole stands lacks', () => {
  test.each([
    ['cleanup --lab net --machine srv', 'cleanup has no --machine: it removes stands as a whole', '--prune'],
    ['cleanup --lab net --node=pve1', 'cleanup has no --node: ', 'balance evacuate'],
    ['access freeze --machine srv --lab net', 'access freeze has no --machine: rights', 'power stop'],
    ['access thaw --lab net --node pve1', 'access thaw has no --node: rights', 'status --node'],
    ['extend --lab net --by 7d --machine srv', 'extend has no --machine: stands and accounts', '--user ID'],
    ['extend --lab net --by 7d --node pve1', 'extend has no --node: ', 'status --node'],
    ['deploy -c @lab.yml -u @a.yml --machine srv', 'deploy has no --machine: ', 'reset --reclone'],
    ['deploy -c @lab.yml -u @a.yml --user=anna@pve', 'deploy has no --user: ', '--only'],
  ])('%s: is refused with the reason and the way', async (text, why, instead) => {
    const { code, stderr } = await runCli(words(files(), text), undefined);
    expect([code, stderr]).toEqual([2, expect.stringContaining(why)]);
    expect(stderr).toMatch(/WHOLE_STANDS\]\nhint: /);
    expect(stderr).toContain(instead);
  });

  test('users are picked with --user, and --only says so', async () => {
    const { code, stderr } = await runCli(
      ['users', 'export', '--only', 'anna', '--out', 'a.html'],
      undefined,
    );
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/option '--only'\n\(--user anna@pve names one/),
    ]);
  });

  test('any other unknown option is answered as ever', async () => {
    const { code, stderr } = await runCli(['cleanup', '--lab', 'net', '--machin', 'srv'], undefined);
    expect([code, stderr]).toEqual([2, expect.stringContaining("unknown option '--machin'")]);
  });
});

describe('a file to write that is called -', () => {
  test.each([
    ['deploy -c @lab.yml -u @a.yml --simulate --dry-run --out -', '--dry-run --output json prints the plan'],
    ['cleanup --lab net --simulate --dry-run --out -', '--dry-run --output json prints the plan'],
    ['users export -u @a.yml --simulate --out -', 'it holds passwords'],
    ['users import @a.yml --out -', 'name it, for example users.yml'],
    ['report --simulate --out -', '`status --output json` prints the class'],
    ['check -c @lab.yml --simulate --out=-', '--output json prints the results'],
    ['check -c @lab.yml --simulate --junit -', '--output json prints the results'],
    ['graph -c @lab.yml --out -', 'without --out it is written to stdout'],
    ['init one-machine --out -', 'it takes several files'],
  ])('%s: is refused with the reason', async (text, why) => {
    const { code, stderr } = await runCli(words(files(), text), undefined);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`never stdout: ${why}.`)]);
    expect(existsSync('-')).toBe(false);
  });

  test('from the environment, too', async () => {
    const env = { DEPLOY_STAND_GRAPH_OUT: '-' };
    const { code, stderr } = await runCli(words(files(), 'graph -c @lab.yml'), undefined, { env });
    expect([code, stderr]).toEqual([2, expect.stringContaining('never stdout')]);
  });
});

test('--simulate-state alone reaches no cluster: whoever names the file of a rehearsal means none', async () => {
  const cluster = await startCluster();
  const { code, stderr } = await runCli(['status', '--simulate-state', 'state.json'], cluster);
  expect([code, stderr]).toEqual([2, expect.stringContaining('STATE_UNUSED')]);
  expect(cluster.requests).toEqual([]);
});

describe('an option that is given twice', () => {
  test.each([
    ['deploy -c @lab.yml -c @lab.yml -u @a.yml', '--config'],
    ['cleanup --lab a --lab b', '--lab'],
    ['cleanup --lab a --output json --output text', '--output'],
    ['users export -u @a.yml --format csv --out @x --out @y', '--out'],
    ['simulate --port 1 --port 2', '--port'],
    ['connections add a --host h --host g --user a@pam --user b@pam', '--user'],
  ])('%s: is refused where it takes one value', async (text, option) => {
    const { code, stderr } = await runCli(words(files(), text), undefined);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${option} is given 2 times (`)]);
    expect(stderr).toContain('REPEATED_OPTION');
  });

  test('adds up where it takes a list; a switch may be said twice; the environment repeats nothing', async () => {
    const folder = files();
    const options = { env: { DEPLOY_STAND_LAB: 'no.yml', DEPLOY_STAND_USERS: 'no.yml' } };
    const text =
      'deploy --simulate --dry-run --dry-run --output json -c @lab.yml -u @a.yml -u @b.yml -u @c.yml --nodes pve1 --nodes pve2,pve3 --only anna --only carla';
    const { code, stdout } = await runCli(words(folder, text), undefined, options);
    expect(code).toBe(0);
    const { plan } = JSON.parse(stdout) as { plan: { stands: { user: string; node: string }[] } };
    expect(plan.stands.map(({ user, node }) => [user, node])).toEqual([
      ['anna@pve', 'pve1'],
      ['carla@pve', 'pve2'],
    ]);
  });
});

test('wherever users files are given, there may be several of them', () => {
  const program = createProgram({ env: {}, stdout: {}, stderr: {} } as unknown as ProgramIo); // nothing is run by it
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
  const options = all(program).flatMap((command) => {
    const option = command.options.find(({ long }) => long === '--users');
    return option ? [[command.name(), option] as const] : [];
  });
  const names = options.map(([name]) => name);
  expect(names).toEqual(expect.arrayContaining(['deploy', 'validate', 'cleanup', 'status', 'sync', 'reset']));
  for (const [name, { parseArg }] of options) {
    const once = parseArg?.<unknown>('a.yml', undefined);
    expect([name, parseArg?.('b.yml', once)]).toEqual([name, ['a.yml', 'b.yml']]);
  }
});

test('several users files are one class for every command', async () => {
  const cluster = await startCluster();
  const folder = files();
  const run = (text: string) => runCli(words(folder, text), cluster);
  const both = '-u @a.yml -u @b.yml';
  const validated = await run(`validate -c @lab.yml ${both}`);
  expect(validated.stdout).toContain(`${join(folder, 'a.yml')}, ${join(folder, 'b.yml')}: 2 users`);
  const out = `--credentials @credentials.csv`;
  expect((await run(`deploy -c @lab.yml ${both} ${out}`)).stdout).toContain('2 stands: 2 complete');
  const credentials = readFileSync(join(folder, 'credentials.csv'), 'utf8');
  expect(credentials).toMatch(/^anna@pve,.*\nboris@pve,/m);
  expect((await run(`doctor -c @lab.yml ${both}`)).code).toBe(0);
  expect((await run(`users list ${both}`)).stdout).toMatch(/anna@pve[^]*boris@pve/);
  expect((await run(`cleanup -c @lab.yml ${both} ${out}`)).stdout).toContain('2 stands: 2 removed');
});

describe('what has expired already', () => {
  const PAST = `expires: 2025-12-31\n${LAB}`;
  const CLASS = 'userid,expire\nanna@pve,31.12.2025\nboris@pve,1.2.2030\ncarla@pve,2025-06-30\n';
  const room = (): string => {
    const folder = workFolder();
    writeFiles(folder, { 'net.yml': PAST, 'class.csv': CLASS });
    return folder;
  };
  const lab =
    'net.yml: lab net expired on 2025-12-31: no stand is made, and the next `cleanup --expired` removes those that are there; set a later day in `expires`';
  const account =
    'class.csv:2: the account of anna@pve expired, 2025-12-31, end of day (and 1 more): nobody can log in with these accounts';

  test('is warned of by validate, deploy and users sync, once for all', async () => {
    const folder = room();
    const cluster = await startCluster();
    const run = (text: string) => runCli(words(folder, text), cluster);
    const validated = await run('validate -c @net.yml -u @class.csv --output json');
    expect(validated.code).toBe(0);
    const { warnings } = JSON.parse(validated.stdout) as { warnings: string[] };
    expect(warnings.map((text) => text.replaceAll(`${folder}/`, ''))).toEqual([
      expect.stringContaining(lab),
      expect.stringContaining(account),
    ]);
    const planned = await run('deploy --dry-run -c @net.yml -u @class.csv');
    expect(planned.stdout.replaceAll(`${folder}/`, '')).toContain(lab);
    expect(planned.stdout.replaceAll(`${folder}/`, '')).toContain(account);
    // Else every night would make again what the next `cleanup --expired` takes.
    expect(planned.stdout).not.toMatch(/^(anna|boris|carla)@pve/m);
    writeFiles(folder, { 'net.yml': LAB });
    const later = await run('deploy --dry-run -c @net.yml -u @class.csv');
    expect(later.stdout).toMatch(/^boris@pve +new/m);
    expect(later.stdout).not.toMatch(/^(anna|carla)@pve/m);
    writeFiles(folder, { 'net.yml': PAST });
    const synced = await run('users sync -c @net.yml -u @class.csv --credentials @credentials.csv');
    expect(synced.code).toBe(0);
    for (const warning of [lab, account])
      expect((synced.stdout + synced.stderr).replaceAll(`${folder}/`, '').split(warning)).toHaveLength(2);
  });

  test('an account that is there counts as it is, until users sync', async () => {
    const folder = room();
    const cluster = await startCluster();
    const run = (text: string) => runCli(words(folder, text), cluster);
    await run('users create -u @class.csv --credentials @credentials.csv');
    writeFiles(folder, { 'class.csv': CLASS.replaceAll(/\d+\.\d+\.2025|2025-\d+-\d+/g, '24.12.2026') });
    const deployed = () => run('deploy --dry-run -c @net.yml -u @class.csv');
    expect((await deployed()).stdout).toContain('the account of anna@pve expired');
    const synced = await run('users sync -u @class.csv --dry-run');
    expect(synced.stdout).toContain('user anna@pve: expires 2026-12-24, end of day');
    expect(synced.stdout).not.toContain('expired,');
    await run('users sync -u @class.csv --credentials @credentials.csv');
    expect((await deployed()).stdout).not.toContain('the account of');
  });
});

test('users are told what became of them; a warning is told once', async () => {
  const cluster = await startCluster();
  const folder = files();
  const run = (text: string) => runCli(words(folder, `${text} --credentials @credentials.csv`), cluster);
  const created = await run('users create -u @a.yml -u @b.yml');
  expect(created.stdout).toMatch(/anna@pve +anna +created\nboris@pve +boris +created/);
  expect((await run('users sync --disable -u @a.yml')).stdout).toMatch(/boris@pve +boris +disabled/);
  expect((await run('users sync -u @a.yml -u @b.yml')).stdout).toMatch(/boris@pve +boris +enabled/);
  const again = await run('users passwd --recreate --user anna@pve');
  expect(again.stdout).toMatch(/anna@pve +anna +new password/);

  writeFiles(folder, { 'lab.yml': `expires: 2020-01-01\n${LAB}` });
  const text = await run('deploy -c @lab.yml -u @a.yml');
  expect(`${text.stdout}${text.stderr}`.match(/expired on 2020-01-01/g)).toHaveLength(1);
  const json = await run('deploy -c @lab.yml -u @a.yml --output json');
  expect(json.stderr.match(/expired on 2020-01-01/g)).toHaveLength(1);
  const { plan } = JSON.parse(json.stdout) as { plan: { warnings: string[] } };
  expect(plan.warnings).toEqual([expect.stringContaining('expired on 2020-01-01')]);

  const orphans = 'Nothing to remove: no orphan is older than --min-age\n';
  expect((await run('cleanup --orphans')).stdout).toBe(orphans);
  expect((await run('cleanup --orphans --dry-run')).stdout).toBe(orphans);
  const expired = 'Nothing to remove: no stand has expired\n';
  await run('cleanup --expired --max-changes 1000');
  expect((await run('cleanup --expired')).stdout).toBe(expired);
  expect((await run('cleanup --expired --dry-run')).stdout).toBe(expired);
});

describe('a saved plan', () => {
  test('is shown, applied, and bounds a cleanup: what came since stays', async () => {
    const cluster = await startCluster();
    const folder = files();
    const run = (text: string) => runCli(words(folder, text), cluster);
    const passwords = '--credentials @credentials.csv';
    const planned = await run('deploy -c @lab.yml -u @a.yml --dry-run --out @plan.json');
    const shown = await run('show @plan.json');
    const saved = (name: string): string => {
      const file = join(folder, name);
      return `\nsaved in ${file}: the same command with --plan ${file} in place of --dry-run and --out applies it\n`;
    };
    expect([shown.code, `${shown.stdout}${saved('plan.json')}`]).toEqual([0, planned.stdout]);
    const document = JSON.parse((await run('show @plan.json --output json')).stdout) as { plan: unknown };
    expect(document.plan).toEqual(JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')));
    expect((await run(`deploy -c @lab.yml -u @a.yml --plan @plan.json ${passwords}`)).code).toBe(0);

    const out = await run('cleanup --lab lab --dry-run --out @removal.json');
    expect(out.code).toBe(0);
    expect(`${(await run('show @removal.json')).stdout}${saved('removal.json')}`).toBe(out.stdout);
    await run(`deploy -c @lab.yml -u @b.yml ${passwords}`);
    const since = cluster.requests.length;
    const alone = await run(`cleanup --plan @removal.json ${passwords}`);
    expect(alone.stderr).toContain('a saved plan is applied with the selection that it was made with');
    const stale = await run(`cleanup --lab lab --plan @removal.json ${passwords}`);
    expect([stale.code, stale.stderr]).toEqual([3, expect.stringContaining('is not in the plan: selected')]);
    expect(stale.stderr).toContain('PLAN_STALE');
    expect(writes(cluster, since)).toEqual([]);
    const bounded = await run(`cleanup -c @lab.yml -u @a.yml --plan @removal.json ${passwords}`);
    expect([bounded.code, bounded.stdout]).toEqual([0, expect.stringContaining('1 stand: 1 removed')]);
    // Once more is no more.
    const again = await run(`cleanup -c @lab.yml -u @a.yml --plan @removal.json ${passwords}`);
    expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/^Nothing to remove\n/)]);
    expect(again.stdout).toContain('not in the users file, and left: the stand of boris@pve in this lab');
    expect((await run(`cleanup --lab lab --plan @plan.json`)).stderr).toContain('PLAN_OTHER_COMMAND');
  });

  test('where it no longer holds, what is true of many is said once; --wide and JSON name all', async () => {
    const folder = files();
    const class25 = Array.from({ length: 25 }, (_, at) => `s${at + 1}@pve`);
    writeFileSync(join(folder, 'plan.yml'), `users: [${class25.join(', ')}]\n`);
    const run = (text: string, env = {}) => runCli(words(folder, `${text} --simulate`), undefined, { env });
    await run('deploy -c @lab.yml -u @plan.yml --dry-run --out @plan.json');
    const stale = 'deploy -c @lab.yml -u @a.yml --plan @plan.json';
    expect((await run(stale)).stderr).toMatch(/: s1@pve, .*, s5@pve and 20 more {2}\[PLAN_OTHER_LAB\]/);
    const all = new RegExp(`: ${class25.join(', ')} {2}\\[`);
    expect((await run(`${stale} --wide`)).stderr).toMatch(all);
    expect((await run(stale, { DEPLOY_STAND_WIDE: 'yes' })).stderr).toMatch(all);
    expect((await run(stale, { DEPLOY_STAND_WIDE: '0' })).stderr).not.toMatch(all);
    const { error } = JSON.parse((await run(`${stale} --output json`)).stdout) as {
      error: { message: string };
    };
    expect(error.message).toContain(class25.join(', '));
  });

  test('says at once what else it takes, as every command does', async () => {
    const alone = await runCli(['deploy', '--plan', 'plan.json'], undefined);
    expect([alone.code, alone.stderr]).toEqual([
      2,
      'deploy needs -c, --config <lab.yml> and -u, --users <users.yml>  [MISSING_OPTION]\nhint: a saved plan is applied with the files and options that it was made from\n',
    ]);
    const exported = await runCli(['users', 'sync'], undefined);
    expect(exported.stderr).toContain('users sync needs -u, --users <users.yml>  [MISSING_OPTION]');
    const unnamed = await runCli(['snapshot', 'create', '--lab', 'lab'], undefined);
    expect([unnamed.code, unnamed.stderr]).toEqual([
      2,
      expect.stringMatching(
        /^snapshot create needs <name> {2}\[MISSING_ARGUMENT\]\nhint: for example: `deploy-stand snapshot create /,
      ),
    ]);
    expect(
      (await runCli(['deploy', '--plan', 'p', '--dry-run', '-c', 'l', '-u', 'u'], undefined)).stderr,
    ).toContain('deploy-stand show p');
  });
});

describe('help', () => {
  test('is what a group of commands answers on its own, on stdout', async () => {
    for (const argv of [[], ['users'], ['connections']]) {
      const { code, stdout, stderr } = await runCli(argv, undefined);
      expect([code, stdout, stderr]).toEqual([0, expect.stringContaining('Commands:'), '']);
    }
  });

  test('is found for commands below others', async () => {
    const { stdout } = await runCli(['help', 'users', 'sync'], undefined);
    expect(stdout).toBe((await runCli(['users', 'sync', '--help'], undefined)).stdout);
    expect((await runCli(['help', 'users', 'snyc'], undefined)).stderr).toContain(
      'there is no command "users snyc"',
    );
  });

  test('names no command that only shells call, and where there are none, the one above', async () => {
    const hint = async (...names: string[]) => (await runCli(['help', ...names], undefined)).stderr;
    expect(await hint('nonsense')).not.toContain('completion-server');
    expect(await hint('users', 'sync', 'more')).toContain('deploy-stand help users sync');
  });
});

test('an export takes its format from the name of the file; a school login makes a card; other files are named', async () => {
  const cluster = await startCluster({
    scenario: scenario({ realms: [{ realm: 'school', type: 'ldap' }] }),
  });
  const folder = files();
  const run = (text: string) => runCli(words(folder, text), cluster);
  writeFiles(folder, { 'class.yml': 'users: [anna@school, boris@pve]\n' });
  await run('deploy -c @lab.yml -u @class.yml --credentials @credentials-lab.csv');
  const select = '-u @class.yml --credentials @credentials-lab.csv';
  const exported = await run(`users export ${select} --out @cards.html`);
  expect([exported.code, exported.stderr]).toEqual([0, '']);
  expect(readFileSync(join(folder, 'cards.html'), 'utf8')).toMatch(
    /anna@school[^]*your school login[^]*boris@pve/,
  );
  expect((await run(`users export ${select} --out @cards.txt`)).stderr).toContain('EXPORT_FORMAT');
  const second = await run(
    'users export --user boris@pve --credentials @credentials-two.csv --out @cards.csv',
  );
  expect([second.code, second.stderr]).toEqual([3, expect.stringContaining('credentials-lab.csv')]);
});

test('graph writes the picture that the name of the file asks for, over nothing else, and contacts nothing', async () => {
  const folder = files();
  const run = (text: string) => runCli(words(folder, text), undefined);
  const svg = await run('graph -c @lab.yml');
  expect([svg.code, svg.stdout]).toEqual([0, expect.stringMatching(/^<svg [^]*<\/svg>\n$/)]);
  await run('graph -c @lab.yml --out @lab.svg');
  expect(readFileSync(join(folder, 'lab.svg'), 'utf8')).toBe(svg.stdout);
  expect((await run('graph -c @lab.yml --out @lab.svg')).code).toBe(0);
  await run('graph -c @lab.yml --out @lab.mmd');
  expect(readFileSync(join(folder, 'lab.mmd'), 'utf8')).toContain('flowchart TD');
  expect((await run('graph -c @lab.yml --format dot')).stdout).toContain('graph "lab" {');
  const json = await run('graph -c @lab.yml --output json');
  expect(JSON.parse(json.stdout)).toMatchObject({ lab: 'lab', links: [{ machine: 'pc', network: 'vmbr0' }] });
  expect((await run('graph -c @lab.yml --out @lab.png')).stderr).toContain('GRAPH_FORMAT');
  const refused = await run('graph -c @lab.yml --format svg --out @a.yml');
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('OUT_FILE')]);
});
