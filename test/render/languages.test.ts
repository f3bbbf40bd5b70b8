/** Every text of every dictionary is read by somebody: it stands in a card, a table or a mail. */
import { describe, expect, test } from 'vitest';
import { renderCsvCards } from '../../src/lib/render/cards-csv.ts';
import { CARD_FILES, isCardFile } from '../../src/lib/render/card-files.ts';
import type { Card } from '../../src/lib/render/card.ts';
import { feedbackOf, findingText } from '../../src/lib/render/check-words.ts';
import { renderHtmlCards } from '../../src/lib/render/cards-html.ts';
import { renderMarkdownCards } from '../../src/lib/render/cards-markdown.ts';
import { renderDoor } from '../../src/lib/render/door-html.ts';
import { languageOfLocale, LANGUAGES, type Language } from '../../src/lib/render/languages/codes.ts';
import {
  FINDING_LANGUAGES,
  HANDOUT_LANGUAGES,
  REPORT_LANGUAGES,
} from '../../src/lib/render/languages/languages.ts';
import { UnreachableError } from '../../src/lib/proxmox/errors.ts';
import { mailOf } from '../../src/lib/render/mail-text.ts';
import { renderLiveReport, renderReportHtml } from '../../src/lib/render/report-html.ts';
import { renderReportMarkdown } from '../../src/lib/render/report-lists.ts';
import type { ChecksReport, Finding, Seen, WhyNotRun } from '../../src/lib/plan/views/checks-types.ts';
import type { MachineState, ProblemKind, StatusNote } from '../../src/lib/plan/views/status-types.ts';
import type { HostTrouble, Trouble } from '../../src/lib/unanswered.ts';
import { afterwards } from '../cleanups.ts';
import { reportOf, templatesNamed, topologyNamed, usersOf } from './report-fixture.ts';

const CARD: Card = {
  userid: 'anna@school',
  login: 'anna',
  realm: 'school',
  realmLabel: 'School',
  name: 'Анна',
  password: undefined,
  wayBack: 'net',
  expires: '2027-01-31',
  url: 'https://pve1.example:8006',
  pool: 'anna',
  machines: [
    { lab: 'net', name: 'pc', vmid: 10001, node: 'pve1', console: 'https://pve1.example/?vmid=10001' },
  ],
};

const SEEN: Seen = { exit: 1, signal: 9, stdout: 'out', stderr: 'err', text: 'text' };

/** Of every kind, some of several hosts. */
const TROUBLES: { readonly [K in Trouble['kind']]: readonly (HostTrouble & { readonly kind: K })[] } = {
  'no-connection': ['pve1:8006', 'pve2:8006'].map((host) => ({ kind: 'no-connection', seconds: 10, host })),
  'no-answer': [{ kind: 'no-answer', seconds: 30, host: 'pve3:8006' }],
  'handshake-closed': [{ kind: 'handshake-closed' }],
  'no-tls': [{ kind: 'no-tls' }],
  closed: [{ kind: 'closed' }],
  status: [{ kind: 'status', status: 596, words: 'Broken pipe' }],
  'no-json': [{ kind: 'no-json', status: 502 }],
  said: [{ kind: 'said', words: 'proxy: no answer within 5 s' }],
};
const SAID: Readonly<Record<Language, string>> = {
  en: '(pve1:8006: no connection within 10 s; pve2:8006: no connection within 10 s; pve3:8006: no answer within 30 s; connection closed during the handshake; it does not speak TLS; is this the right port?; the connection was closed; status 596 Broken pipe; status 502, no JSON; proxy: no answer within 5 s)',
  ru: 'кластер не отвечает (GET /nodes: нет ответа (pve1:8006: нет соединения за 10 с; pve2:8006: нет соединения за 10 с; pve3:8006: нет ответа за 30 с; соединение закрыто во время рукопожатия; там нет TLS; тот ли это порт?; соединение закрыто; статус 596 Broken pipe; статус 502, не JSON; proxy: no answer within 5 s))',
};

/** Of every kind, and of one that printed nothing. */
const FINDINGS: readonly Finding[] = [
  { verdict: 'passed' },
  { verdict: 'failed', why: 'exit', seen: { exit: 1 } },
  ...(['exit', 'killed', 'timeout', 'flood', 'not-started', 'power'] as const).map((why): Finding => ({
    verdict: 'failed',
    why,
    seen: SEEN,
  })),
  ...(Object.keys(FINDING_LANGUAGES.en.whyNotRun) as WhyNotRun[]).map((why): Finding => ({
    verdict: 'not-run',
    why,
    seen: SEEN,
  })),
];

const CHECKS: ChecksReport = {
  ...{ now: '2026-09-01T08:00:00.000Z', lab: 'net', maxPoints: 3, notes: [] },
  checks: [{ name: 'ssh', machine: 'pc', points: 3, expected: 'exit 0', hint: null }],
  students: FINDINGS.map((finding, at) => ({
    ...{ user: `s${at}@pve`, lab: 'net', points: 0, passed: 0, failed: Number(at === 1), notRun: 0 },
    results: [{ ...finding, check: 'ssh', machine: 'pc', vmid: 10_000, points: 0 }],
  })),
  totals: { passed: 1, failed: 1, notRun: 1 },
};

test.each<[readonly (string | undefined)[], Language]>([
  [[], 'en'],
  [['ru'], 'ru'],
  [['ru_RU.UTF-8'], 'ru'],
  [['RU'], 'ru'],
  [['en_GB'], 'en'],
  [['C.UTF-8'], 'en'],
  [['de_DE'], 'en'],
  // The first counts, also where we do not have its language; one that is empty says nothing.
  [['en', 'ru'], 'en'],
  [['de', 'ru'], 'en'],
  [[undefined, 'ru'], 'ru'],
  [['', 'ru'], 'ru'],
])('locales %j: %s', (locales, language) => {
  expect(languageOfLocale(...locales)).toBe(language);
});

describe.each(LANGUAGES)('%s', (language) => {
  const exports = [
    renderHtmlCards([CARD], '', language),
    renderMarkdownCards([CARD], language),
    renderCsvCards([CARD], language),
  ];
  const mails = ['net', ''].map((lab) => mailOf({ ...CARD, name: lab && 'Анна' }, { lab, language }));
  const all = [...exports, ...mails.flatMap(({ subject, text }) => [subject, text])].join('\n');

  test.each(Object.entries(HANDOUT_LANGUAGES[language]))('%s is used', (key, text) => {
    const argument = { lastDay: ['2027-01-31'], greeting: ['Анна', ''], wayBack: ['net'] }[key] ?? [
      'net',
      '',
    ];
    // English columns of CSV keep the names that programs know.
    if (language === 'en' && key === 'consoles') return;
    for (const one of typeof text === 'string' ? [text] : argument.map(text)) expect(all).toContain(one);
  });

  test.each(Object.entries(CARD_FILES))(
    'a file of %s is known again as ours, and as no other',
    (_format, file) => {
      const text = file.render([CARD], language, 'net').replace(/^\uFEFF/, '');
      expect(isCardFile(`\uFEFF${text}`)).toBe(true);
      expect(Object.values(CARD_FILES).filter(({ isOurs }) => isOurs(text))).toEqual([file]);
    },
  );
});

/** Paths of all texts; those that were asked for are struck out. */
function watched<T extends object>(texts: T, unused: Set<string>, path = ''): T {
  return new Proxy(texts, {
    get: (target, key, self) => {
      const value: unknown = Reflect.get(target, key, self);
      const name = `${path}${String(key)}`;
      unused.delete(name);
      return typeof value === 'object' && value !== null ? watched(value, unused, `${name}.`) : value;
    },
  });
}

function pathsOf(texts: object, path = ''): string[] {
  return Object.entries(texts).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null ? pathsOf(value, `${path}${key}.`) : [`${path}${key}`],
  );
}

function notesOfAllKinds(): StatusNote[] {
  const entry = { type: 'user' as const, subject: 'bob@pve', role: 'PVEPoolAdmin', path: '/pool/a' };
  const right = { ...entry, propagate: true, says: 'bob@pve has PVEPoolAdmin on /pool/a' };
  const unseen = { path: '/pool/a', propagate: true, unseen: true, says: 'not shown' };
  const text = 'a note';
  return [
    ...(['roles-unread', 'acls-unread', 'groups-unread'] as const).map((kind) => ({ kind, text })),
    ...(['stands-delegated', 'copies-delegated'] as const).flatMap((kind) =>
      [right, unseen].map((writer) => ({ kind, pools: ['a', 'b', 'c', 'd', 'e', 'f'], writer, text })),
    ),
    ...(['bridges-hidden', 'machines-hidden', 'tasks-hidden'] as const).map((kind) => ({ kind })),
    ...(['template-unread', 'version-unread'] as const).map((kind) => ({ kind, machines: ['pc'] })),
  ];
}

const RUSSIAN = /[а-яё]/i;

describe.each(Object.keys(REPORT_LANGUAGES) as Language[])('the report in %s', (language) => {
  test('every text is read by somebody', () => {
    const languages = REPORT_LANGUAGES as Record<Language, (typeof REPORT_LANGUAGES)[Language]>; // put back below
    const texts = languages[language];
    const unused = new Set(pathsOf(texts));
    afterwards(() => {
      languages[language] = texts;
    });
    languages[language] = watched(texts, unused);

    const kinds = Object.keys(texts.problemTexts.title) as ProblemKind[];
    const many = usersOf(9);
    const problems = kinds.flatMap((kind) =>
      many.map((user) => ({
        kind,
        user,
        lab: 'net',
        machine: 'pc',
        vmid: 10_001,
        node: 'pve1',
        storage: 'a',
      })),
    );
    const nameless = { kind: 'task-failed' as const, user: 'anna@pve', vmid: 10_002 };
    const states = Object.keys(texts.states.state) as MachineState[];
    const base = reportOf(many, states.length);
    const addresses = ['off', 'silent', 'forbidden', [], ['192.0.2.7']] as const;
    const labs = base.status.labs.map((lab) => ({
      ...lab,
      stands: lab.stands.map((stand, at) => ({
        ...stand,
        access: (['open', 'frozen', 'none'] as const)[at % 3] ?? 'open',
        uptime: [30, 4000, 200_000][at % 3] ?? null,
        machines:
          at === 0
            ? []
            : stand.machines.map((one, index) => ({
                ...{
                  ...one,
                  state: at === 1 ? 'running' : (states[index] ?? 'running'),
                  addresses: addresses[index % 5] ?? null,
                },
                ...{ snapshots: index === 0 ? [] : (one.snapshots ?? []) },
              })),
      })),
    }));
    const [first] = labs;
    const nodes = base.status.nodes.map((node, at) => ({ ...node, maintenance: at === 0 }));
    const status = {
      ...{
        ...base.status,
        labs: first ? [first, { ...first, lab: 'dmz' }] : [],
        nodes,
        problems: [...problems, nameless],
      },
      ...{ without: ['zoe@pve'], notes: notesOfAllKinds() },
    };
    const kept = topologyNamed('a');
    const [network] = kept.networks;
    const [machine] = kept.machines;
    const topology = {
      ...kept,
      networks: network
        ? (['own', 'uplink', 'shared'] as const).map((kind) => ({ ...network, name: kind, kind }))
        : [],
      machines: machine ? [{ ...machine, cores: 2 }] : [],
      links: kept.links.map((link) => ({ ...link, network: 'own' })),
    };
    const empty = reportOf([]);
    const one = reportOf(['anna@pve'], 2);
    const whole = {
      ...base,
      nodes: base.nodes.map((node, at) => ({ ...node, maintenance: at === 0 })),
      totals: { ...base.totals, labs: 2 },
      status,
      topology,
      templates: [
        ...templatesNamed('a'),
        ...templatesNamed('b').map((template) => ({ ...template, current: 0, outdated: [], untold: [] })),
      ],
    };
    const asked = { method: 'GET', path: '/nodes', isSent: true } as const;
    const error = new UnreachableError({ ...asked, troubles: Object.values(TROUBLES).flat() });
    const away = { since: 'then', error };
    const pages = [whole, one, { ...empty, status: { ...empty.status, labs: [] } }].flatMap((report) => [
      renderReportHtml(report, { language, checks: CHECKS }),
      renderReportMarkdown(report, { language }),
      renderLiveReport(report, { intervalSeconds: 10 }, { language }).page('v'),
      renderLiveReport(report, { intervalSeconds: 10, away }, { language }).page('v'),
    ]);
    pages.push(renderDoor(true, language));
    const { findings } = languages[language];
    pages.push(
      findingText({ verdict: 'passed' }, findings),
      feedbackOf(
        CHECKS.students.flatMap(({ results }) => results),
        CHECKS.checks,
        findings,
      ),
    );
    expect(pages.join('\n')).toContain(SAID[language]);
    expect([...unused]).toEqual([]);
    // Nothing was left in the other language.
    for (const page of language === 'ru' ? pages.slice(0, 2) : []) expect(page).not.toContain('a note');
    expect(pages.map((page) => RUSSIAN.test(page))).toEqual(pages.map(() => language === 'ru'));
  });
});
