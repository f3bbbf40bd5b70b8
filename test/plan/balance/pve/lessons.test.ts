import { describe, expect, test } from 'vitest';
import { parseBalance } from '../../../../src/lib/config/balance/balance.ts';
import { lessonsAt } from '../../../../src/lib/plan/balance/core/times.ts';
import { planBalance } from '../../../../src/lib/plan/balance/pve/balance.ts';
import { config, inventory, standScene, type GuestSpec } from './builders.ts';

/** `near`, `on` or `-`. */
function lessonAt(now: string, yaml: string): string {
  const lesson = lessonsAt(now, config(`time_zone: Europe/Berlin\nlabs: { net: { ${yaml} } }`)).get('net');
  return lesson === undefined ? '-' : lesson.isOn ? 'on' : 'near';
}

describe('when a lesson is near', () => {
  const MONDAY = 'lessons: [{ days: [mon], from: "09:00", to: "10:30" }]';
  const NIGHT = 'lessons: [{ days: [sun], from: "23:30", to: "00:30" }]';
  const SKIPPED = 'lessons: [{ days: [sun], from: "02:15", to: "02:45" }]';
  const AFTER = 'lessons: [{ days: [sun], from: "03:30", to: "04:30" }]';
  test.each([
    ['more than an hour before (Berlin is UTC+1 in winter)', '2026-03-02T06:59:00Z', MONDAY, '-'],
    ['an hour before', '2026-03-02T07:00:00Z', MONDAY, 'near'],
    ['it begins', '2026-03-02T08:00:00Z', MONDAY, 'on'],
    ['its last minute', '2026-03-02T09:29:00Z', MONDAY, 'on'],
    ['it has ended', '2026-03-02T09:30:00Z', MONDAY, '-'],
    ['another day', '2026-03-03T08:00:00Z', MONDAY, '-'],
    ['as long as prepare says', '2026-03-02T06:00:00Z', `${MONDAY}, prepare: 2h`, 'near'],
    ['no preparation', '2026-03-02T07:59:00Z', `${MONDAY}, prepare: 0`, '-'],
    ['no preparation, and it is on', '2026-03-02T08:00:00Z', `${MONDAY}, prepare: 0`, 'on'],
    ['shorter than the preparation', '2026-03-02T07:20:00Z', MONDAY.replace('10:30', '09:05'), 'near'],
    ['over midnight, before', '2026-03-01T21:45:00Z', NIGHT, 'near'],
    ['over midnight, behind it', '2026-03-01T23:15:00Z', NIGHT, 'on'],
    ['over midnight, ended', '2026-03-01T23:30:00Z', NIGHT, '-'],
    [
      'prepared for on the day before',
      '2026-03-01T22:30:00Z',
      'lessons: [{ days: [mon], from: "00:15", to: "01:00" }]',
      'near',
    ],
    [
      'clocks are set forward at 02:00: one hour before 03:30 it is 01:30',
      '2026-03-29T00:30:00Z',
      AFTER,
      'near',
    ],
    ['a minute before that', '2026-03-29T00:29:00Z', AFTER, '-'],
    ['a lesson in the hour that is left out', '2026-03-29T00:59:00Z', SKIPPED, '-'],
    ['clocks are set back: the hour comes twice', '2026-10-25T00:30:00Z', SKIPPED, 'on'],
    ['and again', '2026-10-25T01:30:00Z', SKIPPED, 'on'],
    [
      'dates',
      '2026-03-02T07:10:00Z',
      'lessons: [{ from: "2026-03-02 09:00", to: "2026-03-02 10:00" }]',
      'near',
    ],
  ])('%s', (_, now, yaml, expected) => {
    expect(lessonAt(now, yaml)).toBe(expected);
  });

  test('preparing for more than a day is refused at its place', () => {
    expect(() =>
      parseBalance('labs:\n  net:\n    lessons: [{ from: "9", to: "10:00" }]\n    prepare: 2d\n', 'b.yml'),
    ).toThrow(
      expect.objectContaining({
        issues: [
          expect.objectContaining({ path: 'labs.net.lessons[0]', line: 3, message: '"9" is no time' }),
          expect.objectContaining({
            ...{ path: 'labs.net.prepare', line: 4, value: '2d', message: 'must be between 0s and 1d' },
          }),
        ],
      }) as Error,
    );
  });
});

describe('room is made for a lesson', () => {
  // Of 16 threads and 64 GiB: six machines of 4 GiB with 4 CPUs each are idle, or switched off, until Monday 13:00.
  const stand = (user: string, vmid: number, more: Partial<GuestSpec>) => ({
    ...{ user, vmids: [vmid], node: 'pve1', bridge: `vmbr${vmid}` },
    guest: { gib: 4, threads: 0.1, ...more },
  });
  const world = (more: Partial<GuestSpec>) =>
    inventory(
      standScene(
        [...Array(6).keys()].map((index) => stand(`user${index}`, 101 + index, more)),
        {
          nodes: [
            { name: 'pve1', cpus: 16 },
            { name: 'pve2', cpus: 16 },
          ],
          guests: [{ vmid: 900, node: 'pve1', gib: 4, threads: 2 }],
        },
      ),
    );
  const decide = (from: string, more: Partial<GuestSpec> = {}, cpu = 50, user = 'guests: ours') =>
    planBalance({
      have: world(more),
      config: config(
        `${user}\nlabs: { net-lab: { lesson_cpu: ${cpu}, lessons: [{ days: [mon], from: "${from}", to: "14:00" }] } }`,
      ),
    }).plan;
  const moved = ({ steps }: ReturnType<typeof decide>) =>
    steps.flatMap((step) =>
      step.kind === 'vm.migrate' ? [`${step.vmid} ${step.target} ${step.online ? 'live' : 'off'}`] : [],
    );

  test('before it, as much as the lesson would be too much; said with the loads', () => {
    // 2 + 6 × 2 of 16 threads = 87 % > 75 %; one less is 75 % still, two are 62 %.
    const plan = decide('12:30');
    expect(moved(plan)).toEqual(['101 pve2 live', '102 pve2 live']);
    expect(plan.balance.moves[0]?.reason).toContain('relieves pve1 (CPU 88 % > 75 %');
    expect(plan.warnings).toContain(
      'a lesson of lab net-lab is near (mon 12:30–14:00, UTC): its 6 machines count with 50 % of their CPUs and all their memory',
    );
    expect(moved(decide('12:30', { status: 'stopped' }))).toEqual(['101 pve2 off', '102 pve2 off']);
  });

  test('not earlier, and not for what the nodes can carry', () => {
    expect(decide('13:01').steps).toEqual([]);
    expect(decide('13:01').warnings).toEqual([]);
    expect(decide('12:30', {}, 20).balance.verdict).toBe('balanced');
  });

  test('while it is on nothing of the lab moves; others do, and leave its room alone', () => {
    const plan = decide('11:00');
    expect(plan.steps).toEqual([]);
    expect(plan.balance.rejected).toContainEqual(
      expect.objectContaining({
        vmids: [101],
        code: 'no-move',
        reason: 'VM 101 (pc1) lab net-lab: lesson (mon 11:00–14:00, UTC)',
      }),
    );
    expect(moved(decide('11:00', {}, 50, 'guests: all'))).toEqual(['900 pve2 live']);
  });
});
