import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Card } from '../../src/lib/render/card.ts';
import { renderHtmlCards } from '../../src/lib/render/cards-html.ts';
import { renderMarkdownCards } from '../../src/lib/render/cards-markdown.ts';
import { renderGrades } from '../../src/lib/render/grades.ts';
import { mailOf } from '../../src/lib/render/mail-text.ts';
import type { ChecksReport } from '../../src/lib/plan/views/checks-types.ts';
import { anyCharacter } from '../any-character.ts';
import { runs } from '../runs.ts';

function card(more: Partial<Card> = {}): Card {
  return {
    userid: 'anna@pve',
    login: 'anna',
    realm: 'pve',
    realmLabel: 'Proxmox VE authentication server',
    name: 'Anna Petrova',
    password: 'Secret123abc',
    url: 'https://pve1.example.edu:8006',
    pool: 'anna',
    machines: [
      {
        lab: 'net',
        name: 'eco',
        vmid: 10001,
        node: 'pve1',
        console: 'https://pve1.example.edu:8006/?console=kvm&vmid=10001',
      },
    ],
    ...more,
  };
}

/** What a card shows; tags are told from text as a browser does. */
function textOf(html: string): string {
  const body = html.slice(html.indexOf('<body>'));
  return body
    .replaceAll(/<[^>]*>/g, '\n')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&#96;', '`')
    .replaceAll('&amp;', '&');
}

const TAGS = new Set('html head meta title style body section div h2 dl dt dd table tr th td a'.split(' '));

/** Elements and attributes of a page, without their values. */
function skeleton(html: string): string[] {
  const body = html.slice(html.indexOf('<body>'));
  return [...body.matchAll(/<\/?([a-z0-9]+)((?:\s+[a-z-]+="[^"]*")*)\s*>/gi)].map(
    ([, tag, attributes = '']) =>
      [tag, ...[...attributes.matchAll(/([a-z-]+)="[^"]*"/g)].map(([, name]) => name)].join(' '),
  );
}

describe('HTML cards', () => {
  test('tell how to go back alone where that can be done, in both languages', () => {
    const own = card({ wayBack: 'start<1>' });
    expect(textOf(renderHtmlCards([own], 'net'))).toContain('Snapshots, start<1>, Rollback');
    expect(textOf(renderHtmlCards([own], 'net', 'ru'))).toContain('Snapshots, start<1>, Rollback');
    expect(renderMarkdownCards([own], 'ru')).toContain('Rollback: она станет такой');
    expect(renderHtmlCards([card({ wayBack: 'start', machines: [] }), card()], 'net')).not.toContain(
      'Rollback',
    );
  });

  test('tell lab and end, realm before user name, and what a directory keeps; consoles are not printed', () => {
    const html = renderHtmlCards([card({ password: undefined, expires: '2027-01-31' })], 'net-lab');
    const text = textOf(html);
    expect(text).toMatch(
      /net-lab[^]*Anna[^]*Realm[^]*User name[^]*your school login[^]*2027-01-31, end of day/,
    );
    expect(html).toContain('.click { display: none; }');
    expect(html).toMatch(/<td class="click"><a [^>]*>console<\/a><\/td>/);
  });

  test('one per student, with all that a student needs', () => {
    const html = renderHtmlCards([card(), card({ userid: 'b@pve', name: '', machines: [] })], 'net');
    expect(html.match(/<section class="card">/g)).toHaveLength(2);
    const text = textOf(html);
    for (const part of [
      'Anna Petrova (anna@pve)',
      'https://pve1.example.edu:8006',
      'Proxmox VE authentication server',
      'Secret123abc',
      'eco',
      '10001',
    ])
      expect(text).toContain(part);
    expect(html).toContain('href="https://pve1.example.edu:8006/?console=kvm&amp;vmid=10001"');
    expect(html).toContain('<h2>b@pve</h2>');
  });

  test('a card is a block that no page break may go through', () => {
    const html = renderHtmlCards([card()], 'net');
    const rule = /\.card \{([^}]*)\}/.exec(html)?.[1] ?? '';
    expect(rule).toContain('break-inside: avoid');
    expect(rule).toContain('page-break-inside: avoid');
    // Pages are broken between blocks: neither the cards nor what holds them may be laid out as anything else.
    expect(rule).not.toMatch(/display|float|position/);
    expect(/body \{([^}]*)\}/.exec(html)?.[1]).not.toMatch(/display|columns|position|height/);
    expect(html).toMatch(/<body>\s*<section class="card">/);
  });

  test('loads nothing and runs nothing', () => {
    const html = renderHtmlCards([card()], 'net');
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(html).not.toMatch(/<script|<img|<link|<iframe|@import|url\(|\son[a-z]+=/i);
    expect(new Set([...html.matchAll(/<([a-z0-9]+)/g)].map(([, tag]) => tag))).toEqual(TAGS);
  });

  test.each([
    { name: 'a script', text: '<script>alert(1)</script>', shown: '<script>alert(1)</script>' },
    { name: 'an end of an attribute', text: `" onload="x' onload='x`, shown: `" onload="x' onload='x` },
    { name: 'an entity', text: '&lt;b&gt;', shown: '&lt;b&gt;' },
    { name: 'controls', text: 'a\u0000b\u001b[31mc\r\nd', shown: 'a\\x00b\\x1b[31mc\\r\\nd' },
    { name: 'a reversal of the text', text: 'a\u202eb', shown: 'a\\u{202e}b' },
  ])('$name stays text in every field', ({ text, shown }) => {
    const hostile = card({
      userid: text,
      login: text,
      realmLabel: text,
      name: text,
      password: text,
      url: text,
      pool: text,
      machines: [{ lab: text, name: text, vmid: 10001, node: text, console: `https://x/${text}` }],
    });
    const html = renderHtmlCards([hostile], text);
    const plain = renderHtmlCards([card({ url: 'none' })], 'net');
    expect(skeleton(html)).toEqual(skeleton(plain));
    expect(textOf(html).split(shown).length - 1).toBe(11);
    expect(html).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  test.each(['javascript:alert(1)', 'data:text/html,x', '//evil.example', 'JAVASCRIPT:x'])(
    '%s is no link',
    (url) => {
      const html = renderHtmlCards([card({ url, machines: [] })], 'net');
      expect(html).not.toContain('<a ');
      expect(textOf(html)).toContain(url);
    },
  );

  test('whatever a name is, the page keeps its shape', () => {
    const expected = skeleton(renderHtmlCards([card({ machines: [] })], 't'));
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), fc.string({ unit: anyCharacter }), (name, password) => {
        const html = renderHtmlCards([card({ name, password, machines: [] })], name);
        expect(skeleton(html)).toEqual(expected);
      }),
      runs(200, 5000),
    );
  });
});

describe('Markdown cards', () => {
  test('a table that shows names and passwords as they are', () => {
    const table = renderMarkdownCards([
      card({ name: 'A|B <b> *x* [l](u)', password: 'a_b`c|d', login: 'x\ny' }),
    ]);
    expect(table.split('\n')).toEqual([
      '| User | Name | Realm | User name | Password | Until | Address | Lab | Machines |',
      '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
      '| anna@pve | A\\|B \\<b\\> \\*x\\* \\[l\\](u) | Proxmox VE authentication server | x\\\\ny | a\\_b\\`c\\|d |  | https://pve1.example.edu:8006 | net | [eco (10001)](<https://pve1.example.edu:8006/?console=kvm&vmid=10001>) |',
      '',
      expect.stringContaining('First: open the address'),
      '',
    ]);
  });
});

test('a name turns no line around, in no mail and no grades', () => {
  const name = 'Anna \u202Egnp.exe';
  const shown = 'Anna \\u{202e}gnp.exe';
  const template = { subject: 's', body: 'To {{name}}' };
  const mails = [{}, { template }].map(
    (more) => mailOf(card({ name }), { lab: '', language: 'en', ...more }).text,
  );
  const report = {
    students: [{ user: 'anna@pve', points: 1, notRun: 0, results: [] }],
    ...{ checks: [], maxPoints: 1 },
  } as unknown as ChecksReport;
  const users = [
    { userid: 'anna@pve', realm: 'pve', pool: 'anna', groups: [], email: 'a@b.c', firstName: name },
  ];
  const grades = (['moodle', 'canvas'] as const).map(
    (platform) =>
      renderGrades(report, users, { platform, title: 't', countsNotRun: true, language: 'en' }).text,
  );
  for (const text of [...mails, ...grades]) expect(text).toContain(shown);
});
