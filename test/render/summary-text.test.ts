import { describe, expect, test } from 'vitest';
import { renderSummary } from '../../src/lib/render/summary-text.ts';
import { displayWidth } from '../../src/lib/render/layout.ts';
import { newStand, plan, standSummary, stripColor, summary } from './fixtures.ts';

const net = plan([newStand(1), newStand(2)]);
const options = {
  width: 120,
  color: false,
  url: 'https://pve1.example.org:8006',
  credentialsFile: './credentials-net.csv',
};

const failed = standSummary(2, {
  status: 'incomplete',
  vms: [
    { vmid: 10003, name: 'eco', node: 'pve1', status: 'stopped' },
    { vmid: 10004, name: 'host1', node: 'pve1', status: 'missing' },
  ],
  error: {
    code: 'TASK_FAILED',
    message: 'vm.clone:student2/host1: clone failed: no space left on ceph\nlast log line',
    hint: 'free space on ceph, then run again',
  },
});

describe('renderSummary', () => {
  test('everything is deployed', () => {
    const text = renderSummary(net, summary([standSummary(1), standSummary(2)]), options);
    expect(text).toMatchInlineSnapshot(`
      "Lab net is deployed: 2 stands

      STUDENT       POOL      NODE  VMID   VM     STATE    BRIDGE       RESULT
      student1@pve  student1  pve1  10001  eco    running  vmbr1000 hq  complete
                                    10002  host1  running
      student2@pve  student2  pve1  10003  eco    running  vmbr1001 hq  complete
                                    10004  host1  running

      Log in: https://pve1.example.org:8006
      User name: the part before the last @
      Realm: for names ending in @pve choose "Proxmox VE authentication server"
      Passwords: in the file ./credentials-net.csv

      2 stands: 2 complete; steps: 20 done"
    `);
  });

  test('one stand is incomplete: who, why, and what to run', () => {
    const stands = [standSummary(1, { notes: ['VM 10001 (eco) was changed: net1 was removed'] }), failed];
    const partial = summary(stands, { status: 'partial', steps: { done: 17, failed: 1, skipped: 2 } });
    const text = renderSummary(net, partial, {
      ...options,
      width: 80,
      resumeWays: ['deploy-stand deploy -c lab.yml -u users.yml'],
    });
    expect(text).toMatchInlineSnapshot(`
      "Lab net is partly deployed

      STUDENT       POOL      NODE  VMID   VM     STATE    BRIDGE       RESULT
      student1@pve  student1  pve1  10001  eco    running  vmbr1000 hq  complete
                                    10002  host1  running
      student2@pve  student2  pve1  10003  eco    stopped  vmbr1001 hq  incomplete
                                    10004  host1  missing

      Log in: https://pve1.example.org:8006
      User name: the part before the last @
      Realm: for names ending in @pve choose "Proxmox VE authentication server"
      Passwords: in the file ./credentials-net.csv

      Not finished
      student2@pve: incomplete
        vm.clone:student2/host1: clone failed: no space left on ceph
          last log line  [TASK_FAILED]
          hint: free space on ceph, then run again

      Notes
        student1@pve: VM 10001 (eco) was changed: net1 was removed

      To finish: deploy-stand deploy -c lab.yml -u users.yml

      2 stands: 1 complete, 1 incomplete; steps: 17 done, 1 failed, 2 skipped"
    `);
  });

  test('a machine’s node is empty only below the same one', () => {
    const on = (vmid: number, node: string) => ({ vmid, name: 'vm', node, status: 'stopped' });
    const vms = [on(10001, 'pve1'), on(10002, 'pve2'), on(10003, 'pve1'), on(10004, 'pve1')];
    const nodesOf = (node: string | null) =>
      renderSummary(net, summary([standSummary(1, { node, vms, bridges: [] })]), options)
        .split('\n')
        .filter((line) => / 1000\d /.test(line))
        .map((line) => / (pve\d) /.exec(line)?.[1] ?? '');
    for (const node of ['pve1', 'pve2', null]) expect(nodesOf(node)).toEqual(['pve1', 'pve2', 'pve1', '']);
  });

  test('columns stay aligned with Cyrillic names and long ids', () => {
    const stands = [
      standSummary(1, { user: 'иванов-константинопольский@pve', pool: 'иванов' }),
      standSummary(2, { user: 'li@pve', pool: 'very-long-pool-name-of-a-student-from-group-42' }),
    ];
    for (const width of [80, 200, Infinity]) {
      const text = renderSummary(net, summary(stands), { ...options, width });
      const table = text.split('\n\n')[1]!.split('\n');
      const at = table[0]!.indexOf('VMID');
      const vmids = table.flatMap((line) => /(?<=\s)1000\d(?=\s)/.exec(line)?.index ?? []);
      expect(vmids).toEqual([at, at, at, at]);
      if (width === 80) expect(Math.max(...table.map(displayWidth))).toBeLessThanOrEqual(80);
      else expect(table).toHaveLength(5);
    }
  });

  test('nothing of a long name is lost in a narrow terminal', () => {
    const user = 'a-very-long-login-name-of-one-student@students.example.org';
    const text = renderSummary(net, summary([standSummary(1, { user })]), { ...options, width: 80 });
    const column = text
      .split('\n\n')[1]!
      .split('\n')
      .slice(1)
      .map((line) => line.slice(0, line.search(/\s|$/)))
      .join('');
    expect(column).toBe(user);
    expect(text).not.toContain('…');
  });

  test('of 60 columns the table takes no more, and does without pools that are called like their users', () => {
    const stands = (pool: string) => [
      standSummary(1, {
        user: 'boris@pve',
        pool,
        bridges: [{ node: 'pve1', iface: 'vmbr1000', alias: 'lan' }],
      }),
    ];
    const tableOf = (pool: string) =>
      renderSummary(net, summary(stands(pool)), { ...options, width: 60 })
        .split('\n\n')[1]!
        .split('\n');
    const table = tableOf('boris');
    expect(Math.max(...table.map(displayWidth))).toBeLessThanOrEqual(60);
    expect(table[0]).not.toContain('POOL');
    expect(table[1]).toMatch(/^boris@pve +pve/);
    expect(tableOf('kr-1')[0]).toContain('POOL');
  });

  test.each([
    { user: 'a@pve', hint: 'for names ending in @pve choose "Proxmox VE authentication server"' },
    { user: 'a@pam', hint: 'for names ending in @pam choose "Linux PAM standard authentication"' },
    { user: 'a@b@school-ad', hint: 'for names ending in @school-ad choose the realm school-ad' },
    { user: 'a@constructor', hint: 'for names ending in @constructor choose the realm constructor' },
  ])('says which realm $user is to choose', ({ user, hint }) => {
    expect(renderSummary(net, summary([standSummary(1, { user })]), options)).toContain(`Realm: ${hint}\n`);
  });

  test.each([
    { status: 'interrupted' as const, title: 'Lab net: the run was interrupted', finish: true },
    { status: 'failed' as const, title: 'Lab net could not be deployed', finish: true },
    { status: 'nothing-to-do' as const, title: 'Lab net: nothing to do for 1 stand', finish: false },
    { status: 'dry-run' as const, title: 'Lab net: dry run, nothing was changed', finish: false },
    { status: 'refused' as const, title: 'Lab net: the plan was refused, nothing was changed', finish: true },
  ])('$status', ({ status, title, finish }) => {
    const stand = finish ? { ...failed, status: 'incomplete' as const } : standSummary(1);
    const text = renderSummary(net, summary([stand], { status }), options);
    expect(text.split('\n')[0]).toBe(title);
    expect(text.includes('To finish: run the same command again')).toBe(finish);
    expect(text.includes('Log in')).toBe(status !== 'dry-run' && status !== 'refused');
  });

  test('without a URL and a credentials file it does not speak of them', () => {
    const text = renderSummary(net, summary([standSummary(1)]), { width: 80, color: false });
    expect(text).not.toMatch(/Log in|Passwords/);
  });

  test('a VM away from its stand shows its node', () => {
    const vms = [
      { vmid: 10001, name: 'eco', node: 'pve1', status: 'running' },
      { vmid: 10002, name: 'host1', node: 'pve7', status: 'running' },
    ];
    const text = renderSummary(net, summary([standSummary(1, { vms })]), options);
    expect(text).toMatch(/^\s+pve7\s+10002\s+host1/m);
  });

  test('colour changes nothing but colour', () => {
    const both = summary([standSummary(1), failed], { status: 'partial' });
    const colored = renderSummary(net, both, { ...options, width: 80, color: true });
    expect(colored).toContain('\u001b[31mincomplete\u001b[39m');
    expect(stripColor(colored)).toBe(renderSummary(net, both, { ...options, width: 80 }));
  });

  test('names from the server cannot steer the terminal', () => {
    const vms = [{ vmid: 10001, name: '\u001b[2Jeco\u202e', node: 'pve1', status: 'running' }];
    const text = renderSummary(net, summary([standSummary(1, { vms })]), options);
    expect(text).toContain('\\x1b[2Jeco\\u{202e}');
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('\u202e');
  });

  test('500 stands with five machines each', () => {
    const vms = Array.from({ length: 5 }, (_, at) => ({
      vmid: 10_000 + at,
      name: `m${at}`,
      node: 'pve1',
      status: 'running',
    }));
    const stands = Array.from({ length: 500 }, (_, at) => standSummary(at + 1, { vms }));
    const text = renderSummary(net, summary(stands), { ...options, width: 80, color: true });
    expect(text.match(/ 1000\d /g)).toHaveLength(2500);
  });
});
