import { describe, expect, test } from 'vitest';
import { loadBalance, parseBalance } from '../../../src/lib/config/balance/balance.ts';
import { problems } from '../problems.ts';

const found = (text: string): string[] => problems(() => parseBalance(text, 'balance.yml'));

describe('balance.yml', () => {
  test('the example', () => {
    const { config, warnings } = loadBalance('examples/balance.yml');
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      overload: { cpu: 0.75, memory: 0.8, loadPerCore: 1.5, pressure: 0.5 },
      target: { cpu: 0.6, memory: 0.7, loadPerCore: 1, pressure: 0.25 },
      overcommit: 1.2,
      reserve: { memory: { kind: 'percent', value: 5 }, cores: { kind: 'absolute', value: 2 } },
      window: 900,
      cooldown: 3600,
      blacklist: 86_400,
      bandwidth: 409_600,
      excludeTarget: ['pve4'],
      ignore: [
        { name: 'ignore[0]', guests: { tags: ['no-balance'], pools: [], vmids: [], names: [] } },
        { name: 'ignore[1]', guests: { vmids: [{ first: 100, last: 199 }] } },
      ],
      pin: [{ name: 'licence dongle', nodes: ['pve1', 'pve2'] }],
      blackout: [{ kind: 'weekly', days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: 510, to: 1080 }],
      labs: {
        ...{ exam: { noMove: true, windows: [], blackout: [], lessons: [], prepare: 3600, lessonCpu: 0.5 } },
        net: {
          ...{ noMove: false, windows: [], blackout: [], prepare: 7200, lessonCpu: 0.4 },
          lessons: [{ kind: 'weekly', days: ['mon', 'thu'], from: 540, to: 630 }],
        },
      },
      notify: {
        events: ['failure', 'summary'],
        telegram: { token: { kind: 'env', name: 'TELEGRAM_BOT_TOKEN' }, chat: '-1001234567890' },
      },
    });
  });

  test('no file means the defaults', () => {
    const { config } = loadBalance(undefined);
    expect(parseBalance('{}', '').config).toEqual(config);
    expect(config).toMatchObject({
      mode: 'threshold',
      guests: 'ours',
      ha: 'skip',
      maxMigrations: 6,
      hold: 1,
    });
    expect(config).not.toHaveProperty('interval');
  });

  test('relieve_to is 4 points below overload, never below target, and has to be between the two', () => {
    const reliefOf = (yaml: string): object => parseBalance(yaml, 'balance.yml').config.relieveTo;
    expect(reliefOf('overload: { cpu: 62 }\novercommit: 150')).toMatchObject({
      ...{ cpu: 0.6, memory: expect.closeTo(0.76), loadPerCore: expect.closeTo(1.425) },
      committed: expect.closeTo(1.46),
    });
    expect(reliefOf('relieve_to: { memory: 72% }')).toMatchObject({
      cpu: expect.closeTo(0.71),
      memory: 0.72,
    });
    const text = found('relieve_to: { memory: 85, cpu: 50 }').join('\n');
    expect(text).toContain('is above overload 80 %');
    expect(text).toContain('is below target 60 %, the default');
  });

  test('what the command line says wins', () => {
    const overlay = {
      file: '.env',
      raw: { max_migrations: 2, overload: { cpu: 90 }, exclude: { source: ['a'] } },
    };
    const { config } = parseBalance(
      'overload: { memory: 95 }\nexclude: { target: [b] }',
      'balance.yml',
      overlay,
    );
    expect(config).toMatchObject({
      maxMigrations: 2,
      overload: { cpu: 0.9, memory: 0.95 },
      excludeSource: ['a'],
      excludeTarget: ['b'],
    });
  });

  test('times', () => {
    const { config } = parseBalance(
      `windows:
  - { from: "22:00", to: "06:00" }
blackout:
  - { from: 2026-12-24, to: "2026-12-27 12:30" }
`,
      'balance.yml',
    );
    expect(config.windows).toEqual([
      { kind: 'weekly', days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: 1320, to: 360 },
    ]);
    expect(config.blackout).toEqual([{ kind: 'dates', from: '2026-12-24T00:00', to: '2026-12-27T12:30' }]);
  });

  test('lessons of one lab that overlap are worth a warning', () => {
    const lesson = (days: string, from: string, to: string): string =>
      `{ days: [${days}], from: "${from}", to: "${to}" }`;
    const first = [lesson('mon, tue', '09:00', '10:30'), lesson('mon', '10:30', '12:00')];
    const more = [lesson('tue', '08:00', '09:01'), lesson('sun', '23:00', '09:01')];
    const file = `labs:\n  net:\n    lessons:\n${[...first, ...more].map((line) => `      - ${line}\n`).join('')}`;
    const hint = '(they count as one lesson; is one of the times wrong?)';
    expect(parseBalance(file, 'b.yml').warnings).toEqual([
      `b.yml:6:9 labs.net.lessons[2]: overlaps with lessons[0] ${hint}`,
      `b.yml:7:9 labs.net.lessons[3]: overlaps with lessons[0] ${hint}`,
    ]);
  });

  test('a cooldown below the window is worth a warning', () => {
    expect(parseBalance('cooldown: 5m', 'b.yml').warnings).toEqual([
      'b.yml:1:11 cooldown: cooldown is shorter than window (15m) (right after a move the average still shows the load from before it)',
    ]);
  });
});

test.each<[string, string, string[]]>([
  [
    'a target above the trigger',
    'overload: { memory: 70 }\ntarget: { memory: 80 }',
    [
      'balance.yml:2:19 target.memory: is not below overload 70 % [80] → guests would go back and forth: write target.memory below overload.memory',
    ],
  ],
  [
    'a trigger below the default target',
    'overload: { cpu: 50% }',
    [
      'balance.yml:1:18 overload.cpu: is not above target 60 %, the default [50%] → guests would go back and forth: write target.cpu below overload.cpu',
    ],
  ],
  [
    'fractions, durations, unknown keys and a wrong word, all at once',
    'mod: spread\noverload: { cpu: 0.8 }\nwindow: 2 weeks\ncooldown: 60d\nha: folow',
    [
      'balance.yml:1:1 mod: unknown key → did you mean mode?',
      'balance.yml:2:18 overload.cpu: percentages are written as numbers up to 100 [0.8] → write 80, or "0.8%" if that is meant',
      'balance.yml:2:18 overload.cpu: is not above target 60 %, the default [0.8] → guests would go back and forth: write target.cpu below overload.cpu',
      'balance.yml:3:9 window: is no duration [2 weeks] → write 90s, 15m, 1h or 1d',
      'balance.yml:4:11 cooldown: must be between 0s and 30d [60d]',
      'balance.yml:5:5 ha: is not one of skip, follow [folow] → did you mean follow?',
    ],
  ],
  [
    'rules without guests, wrong VMIDs, a node twice',
    'rules:\n  ignore:\n    - { name: x }\n    - { vmids: [12, 300-200, 100] }\ncpu_groups: [[a, b], [b]]',
    [
      'balance.yml:3:7 rules.ignore[0]: the rule chooses no guests → add one of tags, pools, vmids, names',
      'balance.yml:4:17 rules.ignore[1].vmids[0]: is no VMID and no range of VMIDs [12] → write a VMID of at least 100, or a range such as 100-199',
      'balance.yml:4:21 rules.ignore[1].vmids[1]: is no VMID and no range of VMIDs [300-200] → write a VMID of at least 100, or a range such as 100-199',
      'balance.yml:5:23 cpu_groups[1][0]: is in cpu_groups[0] already [b] → name each node once',
    ],
  ],
  [
    'times that are none',
    'time_zone: Europe/Moskow\nwindows:\n  - { from: "9", to: "10:00" }\n  - { from: "09:00", to: 2026-01-01 }\n  - { days: [mn], from: "10:00", to: "10:00" }\nlabs:\n  Exam: { no_move: true }',
    [
      'balance.yml:1:12 time_zone: is no time zone [Europe/Moskow] → did you mean Europe/Moscow?',
      'balance.yml:3:5 windows[0]: "9" is no time → write "09:00", or "2026-12-24 09:00"',
      'balance.yml:4:5 windows[1]: one end is a time of day, the other a date → write both in one way',
      'balance.yml:5:5 windows[2]: it ends when it begins, or before → for the whole day: "00:00" to "24:00"',
      'balance.yml:5:14 windows[2].days[0]: is not one of mon, tue, wed, thu, fri, sat, sun [mn] → did you mean mon?',
      'balance.yml:7:3 labs.Exam: is no name of a lab (a–z, 0–9 and hyphens, at most 31)',
    ],
  ],
  [
    'together and apart, pins to different nodes',
    `rules:
  affinity: [{ name: web, names: [Web1, web2] }, { tags: [db], vmids: [101] }]
  anti_affinity:
    - { names: [web1, web2, web3] }
    - { vmids: [101], names: [web1] }
    - { tags: [DB] }
  pin:
    - { name: gpu, vmids: [200-299], nodes: [pve1, pve2] }
    - { vmids: [200-299], nodes: [pve2] }
    - { vmids: [200-299], nodes: [pve3] }`,
    [
      'balance.yml:4:7 rules.anti_affinity[0]: keeps apart what rule web keeps together [web1, web2] → remove one of the two, or choose other guests in it',
      'balance.yml:6:7 rules.anti_affinity[2]: keeps apart what rule affinity[1] keeps together [DB] → remove one of the two, or choose other guests in it',
      'balance.yml:10:34 rules.pin[2].nodes: rule gpu pins 200-299 to other nodes [pve3] → both count: name a node of pve1, pve2 in both, or choose other guests in one',
      'balance.yml:10:34 rules.pin[2].nodes: rule pin[1] pins 200-299 to other nodes [pve3] → both count: name a node of pve2 in both, or choose other guests in one',
    ],
  ],
  [
    'storages that stand for themselves',
    'storage_map: { ssd1: ssd1, ssd2: [ssd1, ssd2], ssd3: [] }',
    [
      'balance.yml:1:22 storage_map.ssd1: is its own counterpart [ssd1] → name storages that other nodes have in its place; where a node has this one, it is taken anyway',
      'balance.yml:1:34 storage_map.ssd2: is its own counterpart [ssd2] → name storages that other nodes have in its place; where a node has this one, it is taken anyway',
      'balance.yml:1:54 storage_map.ssd3: the list is empty → add at least one entry',
    ],
  ],
  [
    'secrets are never shown',
    'notify:\n  telegram: { token: "env:", chat: "1" }\n  webhook: { url: "ftp://user:secret@host" }',
    [
      'balance.yml:2:22 notify.telegram.token: env: is not followed by the name of an environment variable → for example: env:TELEGRAM_BOT_TOKEN',
      'balance.yml:3:19 notify.webhook.url: is no URL → it starts with https:// or http://, or names a variable: env:NAME',
    ],
  ],
  [
    'of who is told, only what is no secret is shown',
    'notify:\n  events: [never]\n  telegram: { token: "", chat: "" }\n  webhook: { url: x, headers: { Key: 5 } }',
    [
      'balance.yml:2:12 notify.events[0]: is not one of start, move, failure, summary [never]',
      'balance.yml:3:22 notify.telegram.token: is empty → for example: env:TELEGRAM_BOT_TOKEN',
      'balance.yml:3:32 notify.telegram.chat: is empty [] → for example: "-1001234567890"',
      'balance.yml:4:19 notify.webhook.url: is no URL → it starts with https:// or http://, or names a variable: env:NAME',
      'balance.yml:4:38 notify.webhook.headers.Key: must be text, but is a number',
    ],
  ],
  [
    'a lab',
    'machines: []',
    ['balance.yml:1:1: this is a lab, not a balance file → give balance.yml with -c'],
  ],
])('%s', (_, text, expected) => {
  expect(found(text)).toEqual(expected);
});
