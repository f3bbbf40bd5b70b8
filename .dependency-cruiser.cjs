/**
 * The rooms of the house and the doors between them. See CONTRIBUTING.md, "Layout".
 *
 * One row per room: what it may import beside itself and the leaves that everybody may. A file in no room fails.
 */
const LEAVES = [
  '^src/lib/(abort|bytes|clock|compact|errors|exit|glob|group|nearest|order|pattern|said|schema|shell|spread|unanswered)[.]ts$',
];
/** The want as data, and the questions that every room asks of a lab's networks and devices. */
const CONFIG_TYPES =
  '^src/lib/config/(((balance|checks|connections|notify)/)?types|lab/(networks|device-profiles))[.]ts$';
/** And the words about a pool that somebody else may write, which are the same everywhere. */
const INVENTORY_TYPES = '^src/lib/inventory/((balance-)?types|delegated-words)[.]ts$';
/** A client that is handed in, its errors, and what the platform means by its words: whoever has these makes none. */
const CLIENTS = [
  '^src/lib/proxmox/(types|balance-types|sdn-types|errors|words|last-reload)[.]ts$',
  '^src/lib/vmmanager/(types|errors)[.]ts$',
];
const TEXTS = '^src/lib/(marks|pve-values)/';
const DOCUMENT = '^src/lib/plan/document/';
const CRYPTO = '^(node:)?crypto$';

/** What every room of the planner may see: plain data and the texts that it is made of. */
const DATA = [CONFIG_TYPES, INVENTORY_TYPES, TEXTS, DOCUMENT];
/** It knows marks only, so that rooms below and beside may ask it whose a guest is. */
const VERDICT = '^src/lib/plan/stands/ownership[.]ts$';
/** The same question, of one view of the cluster. */
const JUDGE = '^src/lib/plan/stands/judge[.]ts$';
/** What a lock means is told to planners and handlers alike. */
const LOCKS = '^src/lib/plan/cluster/locks[.]ts$';
const plan = (...rooms) => `^src/lib/plan/(${rooms.join('|')})/`;

const LIB = {
  marks: ['A mark is a text. Whoever needs more than the text to judge lives elsewhere.', [CRYPTO]],
  'pve-values': [
    "A text format of PVE's is parsed here once, for every room. Pure, and without judgement.",
    [],
  ],
  files: [
    'How a file is opened and replaced safely is decided here, for all; what is in it elsewhere.',
    [CRYPTO, '^(node:)?(fs|fs/promises|path)$'],
  ],
  config: [
    'Text of files → checked → normalised. Contacts nothing; a secret may come from a program that a connection names.',
    [
      TEXTS,
      '^src/lib/(files/|age[.]ts$)',
      '^node_modules/(ajv|any-ascii|yaml)/',
      '^node_modules/csv-parse/',
      '^(node:)?(crypto|path|child_process|net|url|util)$',
    ],
  ],
  proxmox: [
    'The PVE client has no policy and knows no other room.',
    [
      '^src/lib/pve-values/',
      '^src/lib/redact[.]ts$',
      '^node_modules/axios/',
      '^(node:)?(https?|tls|net|stream)$',
    ],
  ],
  vmmanager: [
    'The client of VMmanager 6 has no policy. Of the PVE client it knows how one host is reached and trusted, and whom writes are told to.',
    [
      '^src/lib/proxmox/(answer|call-limit|hosts|link-options|server-clock|types|transports/(https|how-to-trust|types))[.]ts$',
      '^src/lib/redact[.]ts$',
    ],
  ],
  ssh: [
    'One command on one host over SSH: keys, known_hosts, bounds. Knows nobody who asks, and judges no output.',
    ['^src/lib/files/', '^node_modules/ssh2/', '^(node:)?(crypto|os|path)$'],
  ],
  inventory: [
    'A snapshot: it asks the clients that it is handed, and knows the config types and the texts, nothing else.',
    [...CLIENTS, '^src/lib/ssh/types[.]ts$', CONFIG_TYPES, TEXTS, CRYPTO, '^node_modules/p-map/'],
  ],
  agent: [
    'What is run in students’ machines, and what came of it. Judges nothing.',
    [
      '^src/lib/proxmox/(types|errors|words|call-limit)[.]ts$',
      '^src/lib/pve-values/guest-kinds[.]ts$',
      '^node_modules/p-map/',
    ],
  ],
  'plan/document': [
    'The plan document is what planners make and everybody else reads: it knows no planner.',
    [CONFIG_TYPES, INVENTORY_TYPES, TEXTS],
  ],
  'plan/cluster': [
    'One view of what is there, made once per plan. Plans nothing.',
    [...DATA, '^src/lib/inventory/(delegated|rights|template-ref)[.]ts$', VERDICT],
  ],
  'plan/stands': [
    'What a stand is, and what exists of it: the same for every command.',
    [...DATA, plan('cluster'), CRYPTO],
  ],
  'plan/templates': ['Templates and their copies. Knows no stand.', [...DATA, plan('cluster', 'obstacles')]],
  'plan/network': [
    'Whether a bridge may go, and what becomes of it, is decided here for every command: it knows none of them.',
    [...DATA, plan('cluster'), VERDICT, JUDGE],
  ],
  'plan/obstacles': [
    'Why a node cannot take a machine: one table for every command that brings one there; what only a move meets is in balance. Chooses nothing.',
    [INVENTORY_TYPES, TEXTS, plan('cluster'), '^src/lib/plan/network/may-go(-text)?[.]ts$'],
  ],
  'plan/placement': [
    'Who goes where, within what is there. Plans no step.',
    [...DATA, plan('cluster', 'stands', 'templates', 'network', 'obstacles')],
  ],
  'plan/deploy': [
    'Makes a class; never imports another story.',
    [...DATA, plan('cluster', 'stands', 'templates', 'network', 'obstacles', 'placement')],
  ],
  'plan/cleanup': [
    'Takes a class away; never imports another story.',
    [...DATA, plan('cluster', 'stands', 'templates', 'network')],
  ],
  'plan/users': [
    'Accounts alone. A leaver goes as cleanup lets him go.',
    [...DATA, plan('cluster', 'stands', 'cleanup')],
  ],
  'plan/day-two': [
    'A class while it runs: acts on stands as they are, and never imports another story.',
    [
      ...DATA,
      plan('cluster', 'stands', 'network', 'templates'),
      '^src/lib/plan/placement/(capacity|capacity-text|committed|typical-sizes)[.]ts$',
    ],
  ],
  'plan/views': [
    'What is there, for people to look at. Plans nothing, and knows no story.',
    [...DATA, '^src/lib/agent/types[.]ts$', '^src/lib/inventory/rights[.]ts$', plan('cluster', 'stands')],
  ],
  'plan/saved': [
    'A saved plan is planned again.',
    [...DATA, plan('cluster', 'templates', 'obstacles', 'placement', 'deploy')],
  ],
  'plan/balance/core': [
    'Which guests move where, on any platform: it knows balance.yml, the report and how names are listed, and no platform.',
    ['^src/lib/config/balance/types[.]ts$', '^src/lib/plan/document/(balance-report|text)[.]ts$'],
  ],
  'plan/balance/pve': [
    'Balance on PVE: knows of stands whose a guest is, and of networks the one rule.',
    [
      ...DATA,
      '^src/lib/inventory/rights[.]ts$',
      plan('cluster', 'network', 'obstacles', 'balance/core'),
      VERDICT,
      JUDGE,
    ],
  ],
  'plan/balance/vmmanager': [
    'Balance on VMmanager 6: clusters, and what it says of its guests and nodes. Knows nothing of PVE.',
    [CONFIG_TYPES, '^src/lib/inventory/vmmanager-types[.]ts$', DOCUMENT, plan('balance/core')],
  ],
  privileges: [
    'What a plan needs and what its caller has, from the same plan that is applied.',
    [
      ...DATA,
      '^src/lib/inventory/rights[.]ts$',
      plan('cluster', 'stands', 'templates', 'placement', 'deploy', 'cleanup', 'users'),
    ],
  ],
  execute: [
    'Handlers carry out steps: of the planner they know documents, and the verdicts that they ask before they write.',
    [
      ...CLIENTS,
      TEXTS,
      DOCUMENT,
      INVENTORY_TYPES,
      VERDICT,
      LOCKS,
      '^src/lib/plan/network/may-go(-text)?[.]ts$',
      '^src/lib/plan/stands/(frozen-right|protected-accounts|snapshots)[.]ts$',
      '^node_modules/p-map/',
      CRYPTO,
    ],
  ],
  outcome: [
    'What a run ends in, from its plan and the results of its steps, which an error names in the plan’s words. Pure.',
    [DOCUMENT, '^src/lib/execute/types[.]ts$', '^src/lib/render/step-text[.]ts$'],
  ],
  credentials: [
    'Files with passwords. Knows what is in them and no cluster.',
    [
      '^src/lib/(files/|config/types[.]ts$|age[.]ts$|render/(card-files|csv)[.]ts$)',
      '^node_modules/csv-parse/',
      CRYPTO,
    ],
  ],
  'connections-edit': [
    'Changes connections files. Contacts nothing.',
    [
      '^src/lib/(files/|config/(types[.]ts$|input/|connections/(file|secret-resolve)[.]ts$)|age[.]ts$)',
      '^src/lib/privileges/overview[.]ts$',
      '^node_modules/yaml/',
      '^(node:)?util$',
    ],
  ],
  audit: [
    'Who did what. Knows documents, and how writes look.',
    [
      '^src/lib/(files/|redact[.]ts$)',
      DOCUMENT,
      '^src/lib/(execute|proxmox)/types[.]ts$',
      '^src/lib/render/escape[.]ts$',
      '^(node:)?(fs/promises|crypto)$',
    ],
  ],
  lms: [
    'Courses of learning platforms as people with userids. Knows no cluster: of its client only how one host is reached and trusted.',
    [
      '^src/lib/config/(types|input/(issues|names|pve-text)|users/(csv-table|legal-userid))[.]ts$',
      '^src/lib/pve-values/(pool-name|userid)[.]ts$',
      '^src/lib/proxmox/(hosts|answer|types|transports/(https|types))[.]ts$',
      '^src/lib/redact[.]ts$',
      '^node_modules/(any-ascii|yaml)/',
    ],
  ],
  mail: [
    'A mail as text, and on its way to one server. Knows of a student the userid alone, and no password.',
    ['^src/lib/proxmox/hosts[.]ts$', '^node_modules/nodemailer/', CRYPTO],
  ],
  notify: [
    'Tells people elsewhere. Never holds a run up.',
    ['^src/lib/config/notify/types[.]ts$', '^node_modules/axios/'],
  ],
  serve: [
    'What is shown, over HTTP, to those who may see it. Knows parts of pages, and neither a cluster nor a class.',
    ['^src/lib/render/parts[.]ts$', '^node_modules/(hono|@hono/node-server)/', '^(node:)?(crypto|http|net)$'],
  ],
  starters: [
    'The labs that come with the package, and the names that are put into them.',
    [
      '^src/lib/files/package[.]ts$',
      '^src/lib/plan/cluster/templates[.]ts$',
      INVENTORY_TYPES,
      TEXTS,
      '^node_modules/yaml/',
    ],
  ],
  workflow: [
    'One story per command: puts the rooms below together, and shows nothing; the text of metrics is its own.',
    [
      '^src/lib/(agent|config|connections-edit|credentials|files|inventory|lms|mail|plan|privileges|execute|outcome|proxmox|ssh|starters|vmmanager)/',
      TEXTS,
      '^src/lib/render/(card|realm-label)[.]ts$',
      '^node_modules/(ajv|p-map|prom-client)/',
    ],
  ],
  library: [
    'What programs get: the stories on one connection. Knows no flags and no words.',
    [
      '^src/lib/(workflow|config|credentials|proxmox|simulator|vmmanager-stand-in)/',
      '^src/lib/(execute|outcome)/types[.]ts$',
      '^src/lib/plan/(cleanup/context|document/plan|network/view|templates/view|views/checks-types)[.]ts$',
    ],
  ],
  render: [
    'Plain data into text. Writing happens in ui/ and cli.ts.',
    [
      ...DATA,
      VERDICT,
      '^src/lib/(outcome|connections-edit)/types[.]ts$',
      '^src/lib/config/connections/platform[.]ts$',
      '^src/lib/plan/(network|templates)/view[.]ts$',
      '^src/lib/plan/users/list[.]ts$',
      '^src/lib/plan/views/[a-z-]*types[.]ts$',
      '^src/lib/plan/day-two/snapshot-list[.]ts$',
      '^src/lib/privileges/(report|overview)[.]ts$',
      '^node_modules/(string-width|@dagrejs/dagre)/',
      CRYPTO,
      '^(node:)?util$',
    ],
  ],
  ui: [
    'Listeners of a run. Of what is told they know the words.',
    [
      '^src/lib/(render|files)/',
      DOCUMENT,
      '^src/lib/execute/types[.]ts$',
      '^src/lib/redact[.]ts$',
      '^node_modules/(ora|pino)/',
    ],
  ],
  simulator: [
    'Written from the PVE documents. Sharing code with the client would make both wrong together; how YAML is read, and what was mistyped, is no matter of PVE.',
    [
      '^src/lib/files/',
      '^src/lib/config/input/(read-yaml|issues)[.]ts$',
      '^node_modules/(ajv|diff|tinyqueue)/',
      '^(node:)?(crypto|https?|net)$',
    ],
  ],
  'vmmanager-stand-in': [
    'VMmanager 6 as it is known from outside, written apart from its client. Time, faults and sockets are those of the other simulator.',
    [
      '^src/lib/simulator/(faults|http/front|time/sim-clock)[.]ts$',
      '^src/lib/files/package[.]ts$',
      '^src/lib/config/input/(read-yaml|issues)[.]ts$',
      '^node_modules/ajv/',
    ],
  ],
};

const escape = (text) => text.replaceAll('.', '[.]');
/** The innermost room decides: `plan/document/` is no part of a room `plan/`. */
const roomRules = Object.entries(LIB).map(([room, [comment, allowed]]) => ({
  name: `${room.replaceAll('/', '-')}-may-only-import`,
  severity: 'error',
  comment,
  from: { path: `^src/lib/${escape(room)}/` },
  to: { pathNot: [`^src/lib/${escape(room)}/`, ...LEAVES, ...allowed] },
}));
const ROOMS = [...Object.keys(LIB).map((room) => `^src/lib/${escape(room)}/`), '^src/lib/[a-z]+[.]ts$'];

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'a-room-has-a-rule',
      severity: 'error',
      comment: 'A file of the library that stands in no room of the table above: give its room a row.',
      from: { path: '^src/' },
      to: { path: '^src/lib/', pathNot: ROOMS },
    },
    {
      name: 'a-room-has-a-rule-too',
      severity: 'error',
      comment: 'The same for a file that nobody imports.',
      from: { path: '^src/lib/', pathNot: ROOMS },
      to: {},
    },
    {
      name: 'leaves-know-nothing',
      severity: 'error',
      comment:
        'Everybody may import them. How a signal is heard, what an exit code says, lists by key, and why there is no answer, are four of them for all.',
      from: { path: '^src/lib/[a-z]+[.]ts$' },
      to: { path: '^src/', pathNot: '^src/lib/(abort|exit|group|unanswered)[.]ts$' },
    },
    {
      name: 'ownership-judges-evidence',
      severity: 'error',
      comment:
        'Whose a guest is follows from marks, and from which kinds of guests we make: the verdict reads nothing and knows no story.',
      from: { path: '^src/lib/plan/stands/ownership[.]ts$' },
      to: { pathNot: '^src/lib/(marks/|pve-values/guest-kinds[.]ts$)' },
    },
    {
      name: 'lib-knows-no-cli',
      severity: 'error',
      comment: 'commander lives in commands/ and program.ts only, so that the library works without a CLI.',
      from: { path: '^src/', pathNot: '^src/(commands/|program[.]ts$|cli[.]ts$)' },
      to: { path: '^node_modules/commander/|^src/(commands/|program[.]ts$|cli[.]ts$)' },
    },
    {
      name: 'commands-know-no-step',
      severity: 'error',
      comment: 'A command is flags and the order of events: what is done is decided by stories and planners.',
      from: { path: '^src/commands/' },
      to: {
        path: '^src/lib/(execute/(?!types[.]ts$)|plan/document/step|inventory/)|^node_modules/(axios|ora)/',
      },
    },
    {
      name: 'files-are-opened-in-one-place',
      severity: 'error',
      comment:
        'A pipe that waits for ever, a symbolic link, a file that is half written: lib/files sees to them.',
      // The bin asks which file it is, the owner's name is made of /proc, the audit log has its handle from lib/files.
      from: {
        path: '^src/',
        pathNot: '^src/lib/files/|^src/(cli|commands/owner|lib/audit/audit-file)[.]ts$',
      },
      to: { path: '^(node:)?fs(/promises)?$' },
    },
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'A cycle means that two rooms are one.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'Nothing reaches this file: delete it or wire it in.',
      from: { orphan: true, pathNot: ['[.]d[.]ts$', '^src/(cli|index)[.]ts$'] },
      to: {},
    },
    {
      name: 'no-dev-dependency-in-src',
      severity: 'error',
      comment: 'A user installs dependencies only.',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: '@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
