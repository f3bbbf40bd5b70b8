/** The rooms of the house and the doors between them. See CONTRIBUTING.md, "Layout". */
module.exports = {
  forbidden: [
    {
      name: 'marks-know-texts-only',
      severity: 'error',
      comment: 'A mark is a text. Whoever needs more than the text to judge lives elsewhere.',
      from: { path: '^src/lib/marks/' },
      to: { pathNot: ['^src/lib/marks/', '^src/lib/errors[.]ts$', '^(node:)?crypto$'] },
    },
    {
      name: 'pve-values-know-texts-only',
      severity: 'error',
      comment: "A text format of PVE's is parsed here once, for every room. Pure, and without judgement.",
      from: { path: '^src/lib/pve-values/' },
      to: { pathNot: ['^src/lib/pve-values/', '^src/lib/(errors|order)[.]ts$'] },
    },
    {
      name: 'plan-is-pure',
      severity: 'error',
      comment: 'The planner decides from plain data. Reading belongs in inventory/, writing in execute/.',
      from: { path: '^src/lib/plan/' },
      to: {
        pathNot: [
          '^src/lib/(plan|marks|pve-values)/',
          '^src/lib/order[.]ts$',
          '^src/lib/(config|inventory)/(balance-)?types[.]ts$',
          '^src/lib/inventory/(delegated|rights|template-ref)[.]ts$',
          '^src/lib/errors[.]ts$',
          '^(node:)?crypto$',
        ],
      },
    },
    {
      name: 'document-is-the-bottom-of-plan',
      severity: 'error',
      comment: 'The plan document is what planners make and everybody else reads: it knows no planner.',
      from: { path: '^src/lib/plan/document/' },
      to: {
        pathNot: [
          '^src/lib/plan/document/',
          '^src/lib/(marks|pve-values)/',
          '^src/lib/(config|inventory)/(balance-)?types[.]ts$',
          '^src/lib/(errors|order)[.]ts$',
        ],
      },
    },
    {
      name: 'network-knows-the-cluster-only',
      severity: 'error',
      comment:
        'Whether a bridge may go, and what becomes of it, is decided here for every command: it knows none of them.',
      from: { path: '^src/lib/plan/network/' },
      to: {
        pathNot: [
          '^src/lib/plan/(network|document)/',
          '^src/lib/plan/(have-index|bridge-guests|pins|spec|stands/ownership)[.]ts$',
          '^src/lib/(marks|pve-values)/',
          '^src/lib/(config|inventory)/types[.]ts$',
          '^src/lib/(errors|order)[.]ts$',
        ],
      },
    },
    {
      name: 'render-is-pure',
      severity: 'error',
      comment: 'A renderer turns plain data into text. Writing happens in ui/ and cli.ts.',
      from: { path: '^src/lib/render/' },
      to: {
        pathNot: [
          '^src/lib/render/',
          '^src/lib/(plan|marks|pve-values)/',
          '^src/lib/order[.]ts$',
          '^src/lib/(config|inventory|execute|connections)/types[.]ts$',
          '^src/lib/errors[.]ts$',
          '^node_modules/cli-table3/',
          '^(node:)?util$',
        ],
      },
    },
    {
      name: 'axios-only-in-proxmox-and-notify',
      severity: 'error',
      comment: 'One place speaks HTTP to Proxmox, one to messengers; everything else calls typed methods.',
      from: { path: '^src/', pathNot: '^src/lib/(proxmox|notify)/' },
      to: { path: '^node_modules/axios/' },
    },
    {
      name: 'lib-knows-no-cli',
      severity: 'error',
      comment: 'commander lives in commands/ and program.ts only, so that the library works without a CLI.',
      from: { path: '^src/', pathNot: '^src/(commands/|program[.]ts$|cli[.]ts$)' },
      to: { path: '^node_modules/commander/|^src/(commands/|program[.]ts$|cli[.]ts$)' },
    },
    {
      name: 'ora-only-in-ui',
      severity: 'error',
      comment: 'Spinners are one listener of the event stream.',
      from: { pathNot: '^src/lib/ui/' },
      to: { path: '^node_modules/ora/' },
    },
    {
      name: 'execute-only-applies',
      severity: 'error',
      comment: 'Handlers carry out steps; they neither read configuration nor decide from the inventory.',
      from: { path: '^src/lib/execute/' },
      to: {
        path: '^src/lib/(config|inventory|render|ui|simulator|credentials|workflow)/',
        pathNot: '/types[.]ts$',
      },
    },
    {
      name: 'execute-knows-documents',
      severity: 'error',
      comment:
        'Of the planner a handler knows the documents, and the verdicts that it asks before it writes: whose a VM is, what may be done with a bridge, which accounts are never touched.',
      from: { path: '^src/lib/execute/' },
      to: {
        path: '^src/lib/plan/',
        pathNot:
          '^src/lib/plan/(document/|stands/ownership[.]ts$|network/may-go(-text)?[.]ts$|protected-accounts[.]ts$)',
      },
    },
    {
      name: 'ownership-judges-evidence',
      severity: 'error',
      comment: 'Whose a guest is follows from marks alone: the verdict reads nothing and knows no story.',
      from: { path: '^src/lib/plan/stands/ownership[.]ts$' },
      to: { pathNot: '^src/lib/marks/' },
    },
    {
      name: 'inventory-only-reads',
      severity: 'error',
      comment:
        'The inventory is a snapshot; it knows the client, the config types and the texts, nothing else.',
      from: { path: '^src/lib/inventory/' },
      to: {
        pathNot: [
          '^src/lib/(inventory|proxmox|marks|pve-values)/',
          '^src/lib/config/(balance-)?types[.]ts$',
          '^src/lib/(errors|order)[.]ts$',
          '^(node:)?crypto$',
          '^node_modules/p-map/',
        ],
      },
    },
    {
      name: 'client-is-thin',
      severity: 'error',
      comment: 'The PVE client has no policy and knows no other room.',
      from: { path: '^src/lib/proxmox/' },
      to: { path: '^src/lib/(?!proxmox/|pve-values/|errors[.]ts$|clock[.]ts$|redact[.]ts$)' },
    },
    {
      name: 'simulator-stands-alone',
      severity: 'error',
      comment:
        'The simulator is written from the PVE documents. Sharing code with the client would make both wrong together. How YAML is read is no matter of PVE.',
      from: { path: '^src/lib/simulator/' },
      to: { path: '^src/lib/(?!simulator/|files/|config/(read-yaml|issues)[.]ts$|errors[.]ts$|clock[.]ts$)' },
    },
    {
      name: 'files-know-no-content',
      severity: 'error',
      comment: 'How a file is opened and replaced safely is decided here, for all; what is in it elsewhere.',
      from: { path: '^src/lib/files/' },
      to: { path: '^src/', pathNot: '^src/lib/files/' },
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
