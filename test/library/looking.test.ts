/** What programs see of a class: the same reports as the command line, by names that they can import. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  createDeployStand,
  defaultScenario,
  loadClass,
  type Check,
  type ChecksReport,
  type SeenStatus,
} from '../../src/index.ts';
import { workFolder } from '../e2e/harness.ts';

test('status and check', async () => {
  const cluster = createDeployStand({ simulate: defaultScenario() });
  const { lab, users } = loadClass('examples/single-vm/lab.yml', 'examples/single-vm/users.yml');
  const one = { lab, users: users.slice(0, 1) };
  await cluster.deploy(one, join(workFolder(), 'c.csv'));

  const { report, lacking }: SeenStatus = await cluster.status();
  expect(lacking).toEqual([]);
  expect(report.labs.map((of) => [of.lab, of.stands.length])).toEqual([[lab.name, 1]]);

  const isOn: Check = { kind: 'power', name: 'on', machine: 'student-vm', points: 1, power: 'running' };
  const checked: ChecksReport = await cluster.check({ checks: [isOn] });
  expect(checked.students.map(({ user }) => user)).toEqual(one.users.map(({ userid }) => userid));
  cluster.close();
});
