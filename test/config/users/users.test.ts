import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseUsers as parsePlaced } from '../../../src/lib/config/load.ts';
import { LegalUserids } from '../../../src/lib/config/users/legal-userid.ts';
import { problems } from '../problems.ts';
import { runs } from '../../runs.ts';

const user = (userid: string, more: object = {}): object => {
  const [pool, realm] = userid.split('@');
  return { userid, realm, pool, groups: [], ...more };
};

/** Who they are; where the file names them is a test of its own. */
function parseUsers(text: string, file: string) {
  const { users, warnings } = parsePlaced(text, file);
  return {
    users: users.map((one) => Object.fromEntries(Object.entries(one).filter(([key]) => key !== 'place'))),
    warnings,
  };
}

test.each<[string, string, number[]]>([
  ['users.yml', 'users:\n  - a@pve\n\n  - { userid: b@pve }\n', [2, 4]],
  ['class.csv', 'email,userid\nx@y,a@pve\n,b@pve\n', [2, 3]],
  ['class.txt', '\na@pve\nb@pve\n', [2, 3]],
])('%s: every user knows its line', (file, text, lines) => {
  expect(parsePlaced(text, file).users.map(({ place }) => place)).toEqual(
    lines.map((line) => ({ file, line })),
  );
});

describe('users.yml', () => {
  test.each<[string, string]>([
    ['as the older tool wrote it', 'users:\n  - "student1@pve"\n  - student2@pam\n'],
    ['a bare list', '- student1@pve\n- student2@pam\n'],
    ['JSON', '{"users": ["student1@pve", {"userid": "student2@pam"}]}'],
  ])('%s', (_, text) => {
    expect(parseUsers(text, 'users.yml')).toEqual({
      users: [user('student1@pve'), user('student2@pam')],
      warnings: [],
    });
  });

  test('all that can be said about a user', () => {
    const text = `users:
  - userid: anna@corp@ad
    email: anna@school.example
    first_name: Анна
    last_name: O'Neil
    groups: [class-10a, 2026]
    expire: 2026-12-24
    pool: anna
  - { userid: b@pve, expire: 0 }
`;
    expect(parseUsers(text, 'users.yml').users).toEqual([
      {
        userid: 'anna@corp@ad',
        realm: 'ad',
        pool: 'anna',
        email: 'anna@school.example',
        firstName: 'Анна',
        lastName: "O'Neil",
        groups: ['class-10a', '2026'],
        expire: Date.UTC(2026, 11, 25) / 1000,
      },
      user('b@pve', { expire: 0 }),
    ]);
  });

  test.each<[string, string, string[]]>([
    [
      'no realm',
      '- student1',
      ['users.yml:1:3 users[0]: the realm is missing: a user is name@realm [student1] → write student1@pve'],
    ],
    [
      'no name',
      '- "@pve"',
      ['users.yml:1:3 users[0]: the name before the @ is missing [@pve] → write name@realm'],
    ],
    [
      'spaces and slashes',
      '- a b@pve\n- a/b@pve\n- a:b@pve',
      [
        'users.yml:1:3 users[0]: PVE refuses spaces, ":" and "/" in a userid [a b@pve] → write a.b@pve',
        'users.yml:2:3 users[1]: PVE refuses spaces, ":" and "/" in a userid [a/b@pve] → write a.b-2@pve',
        'users.yml:3:3 users[2]: PVE refuses spaces, ":" and "/" in a userid [a:b@pve] → write a.b-3@pve',
      ],
    ],
    [
      'a realm that is none',
      '- a@1',
      [
        'users.yml:1:3 users[0]: the realm behind the @ is none: a letter, then letters, digits and . _ - [a@1] → realms are pve, pam, or a directory of the cluster: write a@pve',
      ],
    ],
    [
      'an API token',
      '- a@pve!token',
      ['users.yml:1:3 users[0]: this is an API token, not a user [a@pve!token] → write a@pve'],
    ],
    [
      'the administrator',
      '- root@pam',
      [
        'users.yml:1:3 users[0]: root@pam is the administrator of the cluster, not a student [root@pam] → name somebody else; a stand for trying out needs a user of its own',
      ],
    ],
    [
      '65 characters',
      `- ${'a'.repeat(61)}@pve`,
      [
        `users.yml:1:3 users[0]: PVE refuses userids of more than 64 characters [${'a'.repeat(61)}@pve] → write ${'a'.repeat(60)}@pve`,
      ],
    ],
    [
      'a user twice',
      'users:\n  - a@pve\n  - userid: a@pve\n',
      [
        'users.yml:3:13 users[1].userid: the user is listed twice (first on line 2) [a@pve] → remove one of them',
      ],
    ],
    [
      'two users of one pool',
      '- a@pve\n- a@pam\n- {userid: b@pve, pool: a}',
      [
        'users.yml:2:3 users[1]: pool "a" is that of a@pve already (line 1) [a@pam] → give one of them a pool: { userid: "a@pam", pool: a-2 }',
        'users.yml:3:25 users[2].pool: pool "a" is that of a@pve already (line 1) [b@pve] → give one of them a pool: { userid: "b@pve", pool: a-2 }',
      ],
    ],
    [
      'a name that makes no pool',
      '- иван@pve\n- a@b@ad\n- {userid: b@pve, pool: "b c"}',
      [
        'users.yml:1:3 users[0]: a userid that is not plain ASCII spoils user.cfg, and PVE stops answering [иван@pve] → write ivan@pve',
        'users.yml:2:3 users[1]: PVE refuses the pool name "a@b": only Latin letters, digits and . _ - are allowed, and "/" between pools [a@b] → give the user a pool: { userid: "a@b@ad", pool: a-b }',
        'users.yml:3:25 users[2].pool: PVE refuses the pool name "b c": only Latin letters, digits and . _ - are allowed, and "/" between pools [b c] → write pool: b-c',
      ],
    ],
    [
      'letters beyond ASCII, each with a proposal of its own',
      '- ivan@pve\n- Иван@pve\n- иван@ad\n- {userid: é@pve, pool: e}\n- {userid: Jörg Groß@pve}\n- 鈴木\n- a@1é\n- 😀\u0007@pve',
      [
        'users.yml:2:3 users[1]: a userid that is not plain ASCII spoils user.cfg, and PVE stops answering [Иван@pve] → write Ivan-2@pve',
        'users.yml:3:3 users[2]: a userid that is not plain ASCII spoils user.cfg, and PVE stops answering [иван@ad] → write ivan-3@ad',
        'users.yml:4:12 users[3].userid: a userid that is not plain ASCII spoils user.cfg, and PVE stops answering [é@pve] → write e-2@pve',
        'users.yml:5:12 users[4].userid: a userid that is not plain ASCII spoils user.cfg, and PVE stops answering [Jörg Groß@pve] → write Jorg.Gross@pve',
        'users.yml:6:3 users[5]: the realm is missing: a user is name@realm [鈴木] → write LingMu@pve',
        'users.yml:7:3 users[6]: the realm behind the @ is none: a letter, then letters, digits and . _ - [a@1é] → realms are pve, pam, or a directory of the cluster: write a@pve',
        'users.yml:8:3 users[7]: a userid that is not plain ASCII spoils user.cfg, and PVE stops answering [😀\\u{7}@pve] → write grinning@pve',
      ],
    ],
    [
      'lists, whose pools are not judged',
      '- x;y@pve\n- x;y@ad\n- x.y@pve',
      [
        'users.yml:1:3 users[0]: PVE takes "," and ";" in a userid for the end of it when rights are given [x;y@pve] → write x.y-2@pve, or list the users one by one',
        'users.yml:2:3 users[1]: PVE takes "," and ";" in a userid for the end of it when rights are given [x;y@ad] → write x.y-3@ad, or list the users one by one',
      ],
    ],
    [
      'addresses that PVE refuses or spoils',
      "- {userid: a@pve, email: müller@x.example}\n- {userid: b@pve, email: b@schüle.example}\n- {userid: c@pve, email: o'neil@x.example}\n- {userid: d@pve, email: иван@x.example}",
      [
        'users.yml:1:26 users[0].email: PVE refuses or spoils an address that is not plain ASCII [müller@x.example] → give another address, or leave email out',
        'users.yml:2:26 users[1].email: PVE refuses or spoils an address that is not plain ASCII [b@schüle.example] → write b@xn--schle-mva.example',
        "users.yml:3:26 users[2].email: PVE refuses this address: it takes letters, digits and _ + ~ - . only [o'neil@x.example] → give another address, or leave email out",
        'users.yml:4:26 users[3].email: PVE refuses or spoils an address that is not plain ASCII [иван@x.example] → give another address, or leave email out',
      ],
    ],
    [
      'a pool below another one',
      '- boris@pve\n- {userid: a@pve, pool: boris/x}\n- {userid: c@pve, pool: a/b/c/d}\n- {userid: d@pve, pool: class10/d}',
      [
        'users.yml:2:25 users[1].pool: pool "boris/x" is below pool "boris", that of boris@pve (line 1), whose rights reach it [a@pve] → write pool: boris-x',
        'users.yml:3:25 users[2].pool: PVE has no pools below more than two others: "a/b/c/d" [a/b/c/d] → write pool: a/b/c-d',
      ],
    ],
    [
      'our own pools',
      '- deploy-stand-lock@pve',
      [
        'users.yml:1:3 users[0]: the pool name deploy-stand-lock is used by deploy-stand itself [deploy-stand-lock] → give the user a pool: { userid: "deploy-stand-lock@pve", pool: deploy-stand-lock-2 }',
      ],
    ],
    [
      'unknown and missing keys, wrong values',
      '- {user: a@pve, emial: x}\n- {userid: b@pve, email: nobody, groups: [a b], expire: soon}\n- 5\n-',
      [
        'users.yml:1:3 users[0].userid: is missing → add userid: for example student1@pve',
        'users.yml:1:4 users[0].user: unknown key → did you mean userid?',
        'users.yml:1:17 users[0].emial: unknown key → did you mean email?',
        'users.yml:2:26 users[1].email: does not have the expected form [nobody] → for example: student1@school.example',
        'users.yml:2:43 users[1].groups[0]: does not have the expected form [a b]',
        'users.yml:2:57 users[1].expire: is no date [soon] → write YYYY-MM-DD, or 0 for never',
        'users.yml:3:3 users[2]: the realm is missing: a user is name@realm [5] → write 5@pve',
        'users.yml:4:2 users[3]: is empty; expected text or a mapping (key: value) → give a value, or remove the line',
      ],
    ],
    [
      'a day as half of Europe writes it',
      '- {userid: a@pve, expire: 1.2.2027}',
      ['users.yml:1:27 users[0].expire: is no date [1.2.2027] → write 2027-02-01, or 0 for never'],
    ],
    ['nobody', 'users: []', ['users.yml:1:8 users: the list is empty → add at least one entry']],
    ['nobody at all', '[]', ['users.yml:1:1 users: the list is empty → add at least one entry']],
    [
      'a lab',
      'machines: []\n',
      [
        'users.yml:1:1: this is a lab, not a users file (it has "machines:" and no "users:") → give it with -c, and the users with -u',
      ],
    ],
    [
      'text',
      'just text\n',
      ['users.yml:1:1: this is no list of users → write "users:" and below it one "- name@realm" per line'],
    ],
  ])('%s', (_, text, expected) => {
    expect(problems(() => parseUsers(text, 'users.yml'))).toEqual(expected);
  });

  test('warns once about what only some servers refuse', () => {
    const text = '- 101@pve\n- 102@pve\n- 103@pve\n- a@pve\n';
    expect(parseUsers(text, 'users.yml').warnings).toEqual([
      'users.yml:1:3 users[0]: PVE 9 refuses a pool name that does not start with a letter: 101 and 2 more (give these users a pool: that does)',
    ]);
  });
});

test('what is proposed for a class is legal, and nobody else’s', () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 70 })
    .filter((text) => !/[@\n]/.test(text));
  const plain = fc.stringMatching(/^[a-z]{1,4}$/);
  const names = fc.uniqueArray(fc.oneof(name, plain, fc.constantFrom('é', 'É', 'è', 'e', 'e-2')), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(names, (list) => {
      const legal = new LegalUserids(list);
      const made = list.map((one) => legal.for(one, 'pve'));
      for (const userid of made) expect(userid).toMatch(/^[A-Za-z][A-Za-z0-9._-]{0,59}@pve$/);
      const all = [...made, ...list.map((one) => `${one}@pve`)].map((one) => one.toLowerCase());
      expect(new Set(made.map((one) => one.toLowerCase())).size).toBe(made.length);
      for (const userid of made) expect(all.filter((one) => one === userid.toLowerCase())).toHaveLength(1);
      expect(list.map((one) => legal.for(one, 'pve'))).toEqual(made);
    }),
    runs(60, 5000),
  );
});

describe('a CSV roster', () => {
  const anna = user('anna@pve', { email: 'a@x.example', firstName: 'Anna, M.', groups: ['g1', 'g2'] });
  test.each<[string, string, string]>([
    ['commas', 'users.csv', 'userid,email,first_name,groups\nanna@pve,a@x.example,"Anna, M.",g1;g2\n'],
    [
      'the line that Excel writes first',
      'users.csv',
      'sep=;\r\nuserid;email;first_name;groups\r\nanna@pve;a@x.example;Anna, M.;"g1,g2"\r\n',
    ],
    ['semicolons', 'users.csv', 'userid;email;first_name;groups\nanna@pve;a@x.example;Anna, M.;"g1,g2"\n'],
    ['tabs', 'users.tsv', 'userid\temail\tfirst_name\tgroups\nanna@pve\ta@x.example\tAnna, M.\tg1 g2\n'],
    [
      'BOM, CRLF, blanks',
      'users.csv',
      '\uFEFFUserID , E-Mail,First Name,Groups\r\n\r\n anna@pve,a@x.example,"Anna, M.",g1 g2\r\n,,,\r\n',
    ],
    [
      'comments',
      'users.csv',
      '# the class\nlogin,mail,firstname,group\n# first\nanna@pve,a@x.example,"Anna, M.",g1 g2\n',
    ],
    [
      'an extension that says nothing',
      'users.txt',
      'userid,email,first_name,groups\nanna@pve,a@x.example,"Anna, M.",g1;g2',
    ],
  ])('%s', (_, file, text) => {
    expect(parseUsers(text, file)).toEqual({ users: [anna], warnings: [] });
  });

  test('a single column without a header', () => {
    expect(parseUsers('a@pve\nb@pve\n', 'class.csv').users).toEqual([user('a@pve'), user('b@pve')]);
    expect(parseUsers('a@pve\nb@pve\n', 'class.txt').users).toEqual([user('a@pve'), user('b@pve')]);
    expect(parseUsers('userid\na@pve\n', 'class.csv').users).toEqual([user('a@pve')]);
  });

  test('dates and pools', () => {
    const text = 'userid,expire,pool\na@pve,2026-01-01,p1\nb@pve,1767225600,p2\nc@pve,,\n';
    expect(parseUsers(text, 'class.csv').users).toEqual([
      user('a@pve', { expire: Date.UTC(2026, 0, 2) / 1000, pool: 'p1' }),
      user('b@pve', { expire: 1767225600, pool: 'p2' }),
      user('c@pve'),
    ]);
  });

  test('a column with the realm makes users of login names', () => {
    const moodle =
      'username,firstname,lastname,email,realm\nanna.k,Anna,Kern,anna@x.example,ad\nb@pve,,,,ad\n';
    expect(parseUsers(moodle, 'moodle.csv').users).toEqual([
      user('anna.k@ad', { firstName: 'Anna', lastName: 'Kern', email: 'anna@x.example' }),
      user('b@pve'),
    ]);
  });

  test('an address is known for one, once for the class', () => {
    const text =
      '- ivan.petrov@school.example\n- b@school.example\n- {userid: a@b.example@keycloak, pool: a}\n';
    expect(parseUsers(text, 'users.yml').warnings).toEqual([
      expect.stringContaining(
        'ivan.petrov@school.example and 1 more (unless the realm is called so, write { userid: ivan.petrov@pve, email: ivan.petrov@school.example })',
      ),
    ]);
  });

  test('of a roster the proposal is for its columns', () => {
    expect(parseUsers('userid\nivan.petrov@school.example\n', 'class.csv').warnings).toEqual([
      expect.stringContaining('write ivan.petrov@pve, and ivan.petrov@school.example in a column "email")'),
    ]);
  });

  test('columns that mean nothing are named', () => {
    expect(parseUsers('userid,Grade,emial\na@pve,5,x\n', 'class.csv').warnings).toEqual([
      'class.csv:1:8: columns "Grade", "emial" (did you mean email?) are ignored',
    ]);
  });

  test.each<[string, string, string[]]>([
    [
      'all rows’ problems, at their places',
      'userid,email\nstudent1,x@y\n"a b@pve",nobody\na@pve,\na@pve,\n',
      [
        'class.csv:2:1 users[0].userid: the realm is missing: a user is name@realm [student1] → write student1@pve, or add a column "realm" to the roster with pve, or the directory, in each row (users import reads exports of learning platforms)',
        'class.csv:3:2 users[1].userid: PVE refuses spaces, ":" and "/" in a userid [a b@pve] → write a.b@pve',
        'class.csv:3:11 users[1].email: does not have the expected form [nobody] → for example: student1@school.example',
        'class.csv:5:1 users[3].userid: the user is listed twice (first on line 4) [a@pve] → remove one of them',
      ],
    ],
    [
      'no userid column',
      'name,email\nAnna,a@x\n',
      [
        'class.csv:1:1: the roster has no column "userid" → name the column of name@realm "userid"; what a school or a learning platform exported becomes users.yml with: deploy-stand users import --from csv class.csv --realm pve --out users.yml',
      ],
    ],
    [
      'a misspelled userid column',
      'usreid,email\na@pve,a@x\n',
      ['class.csv:1:1: the roster has no column "userid" → did you mean userid instead of usreid?'],
    ],
    [
      'several columns without a header',
      'a@pve,a@x.example\n',
      [
        'class.csv:1:1: the roster has no column "userid" → name the column of name@realm "userid"; what a school or a learning platform exported becomes users.yml with: deploy-stand users import --from csv class.csv --realm pve --out users.yml',
      ],
    ],
    [
      'one column twice',
      'userid,login\na@pve,b@pve\n',
      ['class.csv:1:1: two columns mean userid → remove or rename one of them'],
    ],
    [
      'a row without a userid',
      'userid,email\n,a@x.example\n',
      ['class.csv:2:1 users[0].userid: is missing → add userid: for example student1@pve'],
    ],
    [
      'more cells than columns',
      'userid,email\na@pve,x@y.example,z\n',
      ['class.csv:2:1: the row has 3 cells, the header 2 → put quotes around cells with separators'],
    ],
    [
      'an open quote',
      'userid,email\n"a@pve,x@y.example\n',
      [
        'class.csv:2:1: a quote (") is opened and never closed → close it, or double a quote that is meant as text',
      ],
    ],
    [
      'a quote inside a cell',
      'userid,email\na"b@pve,x@y.example\n',
      ['class.csv:2:1: this is not valid CSV (INVALID_OPENING_QUOTE) → quotes stand around whole cells only'],
    ],
    [
      'letters beyond ASCII',
      'userid,email\nМария@pve,m@x.example\n',
      [
        'class.csv:2:1 users[0].userid: a userid that is not plain ASCII spoils user.cfg, and PVE stops answering [Мария@pve] → write Mariya@pve',
      ],
    ],
    ['only a header', 'userid,email\n', ['class.csv:1:1 users: the list is empty → add at least one entry']],
    [
      'an endless row',
      `userid,email\n"${'x'.repeat(100_000)}`,
      ['class.csv:2:1: a row has more than 64 KiB → is this the right file, or is a quote (") not closed?'],
    ],
    ['millions of rows', 'a@pve\n'.repeat(800_000), ['class.csv:1:1: the roster has more than 10000 rows']],
    ['nothing', '\n\n', ['class.csv:1:1: the file is empty']],
  ])('%s', (_, text, expected) => {
    expect(problems(() => parseUsers(text, 'class.csv'))).toEqual(expected);
  });

  test('says the same as the YAML with the same users', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9._-]{0,12}$/);
    const cell = fc.stringMatching(/^[A-Za-zА-я][A-Za-zА-я ,;"'.-]{0,12}[A-Za-zА-я.]$/);
    const entry = fc.record(
      {
        userid: name.map((text) => `${text}@pve`),
        first_name: cell,
        last_name: cell,
        groups: fc.uniqueArray(fc.stringMatching(/^[a-z0-9-]{1,6}$/), { minLength: 1, maxLength: 3 }),
      },
      { requiredKeys: ['userid'] },
    );
    const users = fc.uniqueArray(entry, { minLength: 1, maxLength: 10, selector: ({ userid }) => userid });
    const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(users, fc.constantFrom(',', ';', '\t'), (list, delimiter) => {
        const rows = list.map(({ userid, first_name = '', last_name = '', groups = [] }) =>
          [userid, first_name, last_name, groups.join(' ')].map(quote).join(delimiter),
        );
        const csv = [['userid', 'first_name', 'last_name', 'groups'].join(delimiter), ...rows].join('\r\n');
        expect(parseUsers(csv, 'class.csv').users).toEqual(
          parseUsers(JSON.stringify(list), 'class.json').users,
        );
      }),
      runs(60, 5000),
    );
  });
});
