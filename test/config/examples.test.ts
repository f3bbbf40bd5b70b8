import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listConnections, loadConnection } from '../../src/lib/config/connections/connection.ts';
import { loadChecks, loadClass, loadUsers } from '../../src/lib/config/load.ts';

const labs = readdirSync('examples').filter((name) => existsSync(join('examples', name, 'lab.yml')));

describe('examples', () => {
  test('all six labs are there', () => {
    expect([...labs].sort()).toEqual([
      'dmz-lab',
      'ecorouter-lab',
      'reserved-bridge',
      'router-lab',
      'single-vm',
      'vlan-lab',
    ]);
  });

  test.each(labs)('%s is valid, and its name is that of its folder', (name) => {
    const { lab, users, warnings } = loadClass(
      join('examples', name, 'lab.yml'),
      join('examples', name, 'users.yml'),
    );
    expect(warnings).toEqual([]);
    expect(lab.name).toBe(name);
    expect(users).toHaveLength(name === 'router-lab' ? 5 : 10);
  });

  test('the networks of all labs', () => {
    const nets = Object.fromEntries(
      labs.map((name) => {
        const { lab } = loadClass(join('examples', name, 'lab.yml'), undefined);
        const describeTarget = (network: (typeof lab.machines)[number]['networks'][number]): string => {
          const { target, tag } = network;
          const base =
            target.kind === 'alias'
              ? target.alias
              : target.reserved
                ? `*${target.bridge}*`
                : `!${target.bridge}`;
          return tag === undefined ? base : `${base}/${tag}`;
        };
        return [
          name,
          lab.machines.map((machine) => [machine.name, ...machine.networks.map(describeTarget)].join(' ')),
        ];
      }),
    );
    expect(nets).toEqual({
      'router-lab': ['router !vmbr0 lan', 'host1 lan', 'host2 lan'],
      'single-vm': ['student-vm !vmbr0'],
      'dmz-lab': ['gateway !vmbr0 dmz lan', 'web-server dmz', 'client lan'],
      'ecorouter-lab': ['eco !vmbr0 hq', 'lin hq'],
      'vlan-lab': ['trunk-host hq', 'sales hq/100', 'servers hq/200'],
      'reserved-bridge': ['student-pc !vmbr0 lab-net *vmbr100*'],
    });
  });

  test('checks of every kind, in a lab and in a file of their own', () => {
    const of = (name: string) => loadClass(join('examples', name, 'lab.yml'), undefined).lab;
    const alone = loadChecks('examples/router-lab/checks.yml', of('router-lab'));
    const kinds = (list: readonly { readonly kind: string }[]) => list.map(({ kind }) => kind);
    expect(kinds(of('dmz-lab').checks ?? [])).toEqual(['power', 'nic', 'nic', 'command']);
    expect(kinds(alone)).toEqual(['power', 'nic', 'snapshot', 'command']);
  });

  test('the roster', () => {
    const { users, warnings } = loadUsers('examples/roster.csv');
    expect(warnings).toEqual([]);
    expect(users.map((user) => user.pool)).toEqual([
      'student1',
      'student2',
      'student3',
      'student4',
      'student5',
    ]);
    expect(users[2]?.lastName).toBe("O'Neil");
  });

  test('the connections', async () => {
    const file = 'examples/connections.yml';
    expect((await loadConnection({ file, env: {} })).connection.auth.kind).toBe('token');
    expect((await loadConnection({ file, env: {}, name: 'lab-cluster' })).connection.hosts).toEqual([
      'pve1.school.example:8006',
      'pve2.school.example:8006',
    ]);
    expect(listConnections({ file }).connections.map(({ secret }) => secret.kind)).toEqual([
      'plain',
      'plain',
      'env',
      'file',
      'command',
      'age',
    ]);
  });
});
