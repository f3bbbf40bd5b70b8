import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeControl, escapeLines } from '../../src/lib/render/escape.ts';
import { displayWidth, labelled, paragraph, renderColumns, wrapText } from '../../src/lib/render/layout.ts';
import { anyCharacter } from '../any-character.ts';
import { runs } from '../runs.ts';

const anyText = fc.string({ unit: anyCharacter, maxLength: 30 });

describe('escapeControl', () => {
  test.each([
    ['plain Иванов 李', 'plain Иванов 李'],
    ['a\u001b[31mb', 'a\\x1b[31mb'],
    ['a\nb\tc\rd', 'a\\nb\\tc\\rd'],
    ['\u009b1m\u007f', '\\x9b1m\\x7f'],
    ['a\u202eb\u2066c\u200bd\ufeff', 'a\\u{202e}b\\u{2066}c\\u{200b}d\\u{feff}'],
    ['a\u2028b', 'a\\u{2028}b'],
    ['\ud800', '\\u{d800}'],
    ['a\ufffeb\uffffc\u{1fffe}', 'a\\u{fffe}b\\u{ffff}c\\u{1fffe}'],
  ])('%j', (text, escaped) => {
    expect(escapeControl(text)).toBe(escaped);
    expect(escapeControl(escaped)).toBe(escaped);
  });

  test('keeps the lines of a message', () => {
    expect(escapeLines('one\r\ntwo\u0007\n\n')).toEqual(['one', 'two\\x07']);
  });
});

describe('displayWidth', () => {
  test.each([
    ['abc', 3],
    ['Иванов', 6],
    ['й', 2 - 1],
    ['李雷', 4],
    ['ＡＢ', 4],
    ['🎓', 2],
  ])('%s is %i wide', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('wrapText', () => {
  test.each([
    { text: 'one two three', width: 8, lines: ['one two', 'three'] },
    { text: 'abcdefghij', width: 4, lines: ['abcd', 'efgh', 'ij'] },
    { text: 'x abcdefghij y', width: 4, lines: ['x', 'abcd', 'efgh', 'ij y'] },
    { text: 'short', width: Infinity, lines: ['short'] },
    { text: 'after 13 % memory', width: 9, lines: ['after', '13 %', 'memory'] },
    { text: 'йййй', width: 2, lines: ['йй', 'йй'] },
    { text: 'first `qm unlock 1 && x`, then', width: 12, lines: ['first', '`qm unlock 1 && x`,', 'then'] },
    { text: 'with: deploy-stand doctor -c x', width: 12, lines: ['with:', 'deploy-stand doctor -c x'] },
    { text: '  pveum user add a', width: 9, lines: ['  pveum user add a'] },
    { text: 'not of deploy-stand, it stays', width: 12, lines: ['not of', 'deploy-stand', ', it stays'] },
    { text: `seen ${'AB:'.repeat(31)}CD`, width: 40, lines: ['seen', `${'AB:'.repeat(31)}CD`] },
  ])('$text at $width', ({ text, width, lines }) => {
    expect(wrapText(text, width)).toEqual(lines);
  });

  test('loses nothing but spaces at breaks', () => {
    fc.assert(
      fc.property(anyText.map(escapeControl), fc.integer({ min: 2, max: 20 }), (text, width) => {
        const lines = wrapText(text, width);
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
        // A letter stays with its accents, also where they count as columns of their own.
        const letters = text.match(/\P{M}\p{M}*|\p{M}+/gu) ?? [];
        const most = Math.max(width, ...letters.map(displayWidth));
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(most);
      }),
      runs(100, 20_000),
    );
  });
});

describe('paragraph and labelled', () => {
  test('hanging indent under the text', () => {
    expect(labelled('hint', 'one two three four', { width: 20, indent: 2 })).toEqual([
      '  hint: one two',
      '        three four',
    ]);
  });

  test('a command to copy stays in one piece', () => {
    const command = `  pveum role add R --privs ${'VM.Audit,'.repeat(9)}VM.Console`;
    expect(labelled('hint', `run once:\n${command}\nthen run again as before`, { width: 24 })).toEqual([
      'hint: run once:',
      `      ${command}`,
      '      then run again as',
      '      before',
    ]);
  });

  test('several lines, each escaped', () => {
    expect(paragraph('first\nsecond\u001b', { width: 80, indent: 1, hang: 2 })).toEqual([
      ' first',
      '   second\\x1b',
    ]);
  });
});

describe('renderColumns', () => {
  const cells = (row: readonly string[]) => row.map((text) => ({ text }));

  test('a list is folded between its parts, where each of them has room', () => {
    const list = { text: '2 of 3 running, 1 stopped', isList: true } as const;
    const folded = (width: number) => renderColumns([[list, { text: 'open' }]], { width, fixed: [1] });
    expect(folded(24)).toEqual(['2 of 3 running,     open', '1 stopped']);
    expect(folded(18)[0]).toBe('2 of 3        open');
    expect(folded(40)).toEqual(['2 of 3 running, 1 stopped  open']);
  });

  test('aligns, trims line ends, and needs no rows', () => {
    expect(renderColumns([], { width: 80 })).toEqual([]);
    expect(
      renderColumns([cells(['a', 'bb', '']), cells(['ccc', '', 'd']), cells(['e'])], {
        width: 80,
        indent: 1,
      }),
    ).toEqual([' a    bb', ' ccc      d', ' e']);
  });

  test('the widest column gives way first, fixed ones never', () => {
    const row = ['1234567890', 'one two three four five', 'status'];
    expect(renderColumns([cells(row)], { width: 32, fixed: [0] })).toEqual(
      ['1234567890  one two', '            three four', '            five'].map((line, at) =>
        at === 0 ? `${line.padEnd(26)}status` : line,
      ),
    );
  });

  test('names stay whole as long as other words can be folded, and lists of numbers break behind a comma', () => {
    const row = cells(['student10@pve', 'the template on pve1', '10000,10009,10018']);
    expect(renderColumns([row], { width: 38 })).toEqual([
      'student10@pve  the         10000,',
      '               template    10009,10018',
      '               on pve1',
    ]);
  });

  test('a range of numbers that does not fit is broken between them', () => {
    expect(wrapText('10000-10001', 9)).toEqual(['10000-', '10001']);
    expect(wrapText('100-102,10000-10001', 9)).toEqual(['100-102,', '10000-', '10001']);
  });

  test('a column that is empty below its heading goes where there is no room, with what is said of the others', () => {
    const table = [cells(['NODE', 'VLAN', 'GUESTS']), cells(['pve1', '', 'one two three'])];
    const drawn = (width: number) => renderColumns(table, { width, fixed: [2], head: true });
    expect(drawn(25)).toEqual(['NODE  VLAN  GUESTS', 'pve1        one two three']);
    expect(drawn(20)).toEqual(['NODE  GUESTS', 'pve1  one two three']);
  });

  test('a yielding column gives way before a wider one, but not below its least width', () => {
    const row = ['one two three four five', 'because of that'];
    const yielding = { column: 1, to: 8 };
    expect(renderColumns([cells(row)], { width: 34, yielding })).toEqual([
      'one two three four five  because',
      '                         of that',
    ]);
    expect(renderColumns([cells(row)], { width: 28, yielding })[0]).toBe('one two three four  because');
  });

  test('more rows than one table holds keep one alignment', () => {
    const rows = Array.from({ length: 120 }, (_, at) => cells([at === 119 ? 'longest-name' : `n${at}`, 'x']));
    const lines = renderColumns(rows, { width: 80 });
    expect(lines).toHaveLength(120);
    expect(new Set(lines.map((line) => line.indexOf('x')))).toEqual(new Set([14]));
  });

  test('whatever the text, nothing is cut off', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        fc.pre(!a.includes('…') && !b.includes('…'));
        const [line = '', ...others] = renderColumns([cells([a, b, 'end'])], { width: Infinity });
        expect(others).toEqual([]);
        expect(line).not.toContain('…');
        expect(line).toContain(escapeControl(a));
        expect(line).toContain(escapeControl(b));
      }),
      runs(500, 20_000),
    );
  });
});
